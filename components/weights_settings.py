"""How weights come from the registry to a node (data/weights.yaml), typed."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gpufleet.catalog.operator_sets import Image
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec

_FILE = Path(__file__).parent / "data" / "weights.yaml"


class _Sourced(Spec):
    source: str
    as_of: dt.date


class RegistryRate(_Sourced):
    """How fast a registry gives at the very least."""

    least_mb_per_s: Annotated[float, Field(gt=0)]
    """MB (10^6 bytes) a second."""


class WeightsSettings(_Sourced):
    """All of the file."""

    image: Image
    """Has `oras`, and a shell with wget, flock and awk."""
    user: Annotated[int, Field(ge=1)]
    concurrency: Annotated[int, Field(ge=1)]
    registry: RegistryRate


@lru_cache(maxsize=1)
def weights_settings() -> WeightsSettings:
    """The settings."""
    return WeightsSettings.model_validate(read_yaml(_FILE))
