"""How model servers run vLLM (data/vllm.yaml), typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec
from gpufleet.spec.model import KvPrecision, Precision

_FILE = Path(__file__).parent / "data" / "vllm.yaml"

_Seconds = Annotated[int, Field(ge=1, le=86_400)]


class _Sourced(Spec):
    source: str
    as_of: dt.date


class Release(_Sourced):
    """What vLLM must be able to do."""

    oldest_version: str


class Argument(Spec):
    """One argument of `vllm serve`."""

    name: Annotated[str, Field(pattern=r"^--[a-z0-9-]+$")]
    value: str | None = None
    """Which figure of the plan it takes; None is a switch."""
    source: str
    why: str


class ServerVariables(_Sourced):
    """Environment variables of a server."""

    variables: Mapping[str, str]


class PodSettings(_Sourced):
    """What the pods of servers have in common."""

    user: Annotated[int, Field(ge=1)]
    group: Annotated[int, Field(ge=1)]
    shared_memory_gib: Annotated[int, Field(ge=1)]
    cache_gib: Annotated[int, Field(ge=1)]
    temporary_gib: Annotated[int, Field(ge=1)]
    node_share: Annotated[float, Field(gt=0, le=1)]
    """Of what a node has for pods, the part that servers ask for."""
    amd_groups: list[int]
    """Groups that own AMD's devices on a node."""


class StartSettings(_Sourced):
    """How long a start may take."""

    engine_seconds: _Seconds
    slack: Annotated[float, Field(ge=1)]
    period_seconds: _Seconds
    node_seconds: _Seconds


class DrainSettings(_Sourced):
    """How a server ends."""

    lead_seconds: _Seconds
    end_seconds: _Seconds


class MultiNodeSettings(_Sourced):
    """What is added for a server over several nodes."""

    master_port: Annotated[int, Field(ge=1, le=65_535)]
    arguments: list[str]
    """Of all of its processes."""
    worker_arguments: list[str]
    look_seconds: _Seconds


class VllmSettings(Spec):
    """All of the file."""

    vllm: Release
    arguments: list[Argument]
    dtypes: Mapping[Annotated[Precision, Field(strict=False)], str]
    kv_cache_dtypes: Mapping[Annotated[KvPrecision, Field(strict=False)], str]
    environment: ServerVariables
    pod: PodSettings
    start: StartSettings
    drain: DrainSettings
    multi_node: MultiNodeSettings


@lru_cache(maxsize=1)
def vllm_settings() -> VllmSettings:
    """The settings."""
    return VllmSettings.model_validate(read_yaml(_FILE))
