"""What every part of the specification shares: strict parsing, camelCase keys, and the field types used in several parts."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Spec(BaseModel):
    """Base of all specification models: immutable, keys in camelCase, an unknown key is an error."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )


class Priority(StrEnum):
    """Capacity a pool is bought at, in Azure's terms (`scaleSetPriority`)."""

    REGULAR = "regular"
    SPOT = "spot"


def _ipv4_network(value: str) -> str:
    network = ipaddress.IPv4Network(value)  # strict: host bits set are an error
    return str(network)


Cidr = Annotated[str, AfterValidator(_ipv4_network)]
"""An IPv4 range in CIDR form with no host bits set, such as `10.0.0.0/16`."""

RegionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]+$", examples=["eastus", "swedencentral"])]
"""An Azure region by its programmatic name (not "East US")."""

SizeName = Annotated[str, Field(pattern=r"^Standard_[A-Za-z0-9_]+$", examples=["Standard_ND96isr_H100_v5"])]
"""An Azure VM size by its ARM name."""

ShortName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,14}$")]
"""Name of a fabric: part of many Azure names, so short, lower case and without separators."""

PoolName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,7}$")]
"""Name of a pool. AKS allows 12 characters (`^[a-z][a-z0-9]{0,11}$`); up to two go to the InfiniBand domain and two to the generation."""

Zone = Annotated[str, Field(pattern=r"^[1-3]$")]
"""An availability zone of the region, as a string like Azure's own APIs have it."""
