"""What runs beside the gateway's charts (data/gateway.yaml), typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec

_FILE = Path(__file__).parent / "data" / "gateway.yaml"

_Port = Annotated[int, Field(ge=1, le=65535)]


class EndpointPickerSettings(Spec):
    """The endpoint picker's image, size and plugins."""

    source: str
    image: str
    replicas: Annotated[int, Field(ge=1)]
    port: _Port
    """External processing (gRPC)."""
    health_port: _Port
    metrics_port: _Port
    cpu: str
    memory: str
    scorers: Mapping[str, int]
    """Plugins that score servers, with their weights."""


class HealthSettings(Spec):
    """The aggregator of the models' health."""

    source: str
    image: str
    user: int
    port: _Port
    cpu: str
    memory: str
    check_seconds: Annotated[int, Field(ge=1)]
    check_failures: Annotated[int, Field(ge=1)]


class ProxySettings(Spec):
    """The size of a proxy."""

    cpu: str
    memory: str
    cpu_utilization_percent: Annotated[int, Field(ge=1, le=100)]


class GatewaySettings(Spec):
    """The whole file."""

    as_of: dt.date
    endpoint_picker: EndpointPickerSettings
    health: HealthSettings
    proxy: ProxySettings


@lru_cache(maxsize=1)
def gateway_settings() -> GatewaySettings:
    """The file's content."""
    return GatewaySettings.model_validate(read_yaml(_FILE))
