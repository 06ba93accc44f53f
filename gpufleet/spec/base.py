"""What every part of the specification shares: strict parsing, camelCase keys, and common field types."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Path = tuple[str | int, ...]
"""Where a value stands in the environment, in the keys of the file: `("training", 0, "pools", 1, "nodes", "max")`."""


GLOBAL_SCOPE = "global"
"""What an environment has once is named as if it were a fabric of this name, so none can have it."""


class Documented(BaseModel):
    """A model whose JSON Schema has each field's docstring as its description."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The model's schema, described."""
        from gpufleet.spec.field_docs import field_docs  # noqa: PLC0415 only the JSON Schema shows them

        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in field_docs(cls).items():
            properties[cls.model_fields[name].alias or name].setdefault("description", text)
        return schema


class Spec(Documented):
    """Base of all specification models: immutable, keys in camelCase, an unknown key is an error."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        # The environment's validator has all others in it; one for each model would be made at every start for nothing.
        defer_build=True,
    )


class Priority(StrEnum):
    """Capacity a pool is bought at, in Azure's terms (`scaleSetPriority`)."""

    REGULAR = "regular"
    SPOT = "spot"


def _ipv4_network(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        raise ValueError("is not an IPv4 range such as 10.0.0.0/16") from None
    if "/" not in value:
        raise ValueError(f"has no prefix length; write {value}/32 for one address")
    if str(network) != value:
        raise ValueError(f"is not the start of a range; write {network}")
    return value


def number_as_text(value: object) -> object:
    """Accept a plain YAML number where Azure's API has digits in a string (zones, surge)."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Cidr = Annotated[str, AfterValidator(_ipv4_network)]
"""An IPv4 range in CIDR form with no host bits set, such as `10.0.0.0/16`."""

RegionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]+$", examples=["eastus", "swedencentral"])]
"""An Azure region by its programmatic name (not "East US")."""

SizeName = Annotated[str, Field(pattern=r"^Standard_[A-Za-z0-9_]+$", examples=["Standard_ND96isr_H100_v5"])]
"""An Azure VM size by its ARM name."""

ShortName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,14}$")]
"""Name of a fabric: part of many Azure names, so short, lower case and without separators."""

PoolName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,7}$")]
"""Name of a pool. AKS allows 12 characters (`^[a-z][a-z0-9]{0,11}$`); up to two go to the InfiniBand domain and two to
the generation."""

HostName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$",
        max_length=253,
        examples=["chat.example.com"],
    ),
]
"""A fully qualified DNS name in lower case (RFC 1123), without a wildcard."""

Zone = Annotated[
    str,
    BeforeValidator(number_as_text, json_schema_input_type=Literal["1", "2", "3", 1, 2, 3]),
    Field(pattern=r"^[1-3]$"),
]
"""An availability zone of the region; 1 and "1" are the same."""

EntraObjectId = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
"""Object id of a user, group or service principal in Entra."""

ImageDigest = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$", max_length=512, examples=["vllm/vllm-openai@sha256:…"]
    ),
]
"""A container image by digest; a tag can be moved to another image."""

ArtifactDigest = Annotated[str, Field(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*@sha256:[0-9a-f]{64}$", max_length=512)]
"""An OCI artifact of the environment's own registry by digest: repository without the registry's name."""
