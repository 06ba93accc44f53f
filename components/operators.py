"""The pinned operator set (data/operators.yaml), typed."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec

_FILE = Path(__file__).parent / "data" / "operators.yaml"


class Chart(Spec):
    """A Helm chart of the set's repository."""

    chart: str
    version: str


class Image(Spec):
    """A container image that an operator's resource names."""

    repository: str
    image: str
    version: str


class PciDevices(Spec):
    """PCI ids, four hexadecimal digits each."""

    vendor: Annotated[str, Field(pattern=r"^[0-9a-f]{4}$")]
    devices: Annotated[list[Annotated[str, Field(pattern=r"^[0-9a-f]{4}$")]], Field(min_length=1)]


class OperatorSet(Spec):
    """Versions that were tested together."""

    source: str
    as_of: dt.date
    repository: str
    gpu_operator: Chart
    network_operator: Chart
    ofed_driver: Image
    sriov_device_plugin: Image
    infiniband_devices: PciDevices


@lru_cache(maxsize=1)
def operator_set() -> OperatorSet:
    """The set in use."""
    return OperatorSet.model_validate(read_yaml(_FILE))
