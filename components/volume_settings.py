"""How storage is mounted (data/volumes.yaml), typed."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gpufleet.catalog.operator_sets import Image
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec

_FILE = Path(__file__).parent / "data" / "volumes.yaml"

_Options = Annotated[list[str], Field(min_length=1)]


class Mount(Spec):
    """Mount options, and who says so."""

    source: str
    as_of: dt.date
    mount_options: _Options


class BlobfuseMount(Mount):
    """Mount options of blobfuse."""

    scratch_share: Annotated[float, Field(gt=0, lt=1)]
    """Share of a node's scratch that the caches of all containers may fill together."""


class ScratchSettings(Spec):
    """What runs on nodes with local NVMe."""

    source: str
    as_of: dt.date
    image: Image
    mount_point: str


class VolumeSettings(Spec):
    """All of the file."""

    lustre: Mount
    nfs: Mount
    blobfuse: BlobfuseMount
    scratch: ScratchSettings


@lru_cache(maxsize=1)
def volume_settings() -> VolumeSettings:
    """The settings."""
    return VolumeSettings.model_validate(read_yaml(_FILE))
