"""Kubelet and kernel settings of a pool: their JSON Schema, and what comes of defaults and specification together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpufleet.catalog import sizes
from gpufleet.catalog.node_settings import Kind, NodeConfiguration, Section, Setting, configuration, settings

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from gpufleet.spec.pool import Pool


@dataclass(frozen=True)
class SettingsSchema:
    """The JSON Schema of one section, from the catalogue: an editor completes its names and knows their ranges."""

    section: Section

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of a block of settings."""
        properties = {name: _schema(setting) for name, setting in settings(self.section).items()}
        return {"type": "object", "additionalProperties": False, "properties": properties}


def node_configuration(pool: Pool) -> NodeConfiguration:
    """What the nodes of `pool` are set to: the defaults of its size, under what the specification says."""
    default = configuration(sizes.find(pool.sku))
    return NodeConfiguration(
        kubelet={**default.kubelet, **pool.kubelet},
        sysctls={**default.sysctls, **pool.sysctls},
        linux_os={**default.linux_os, **pool.linux_os},
    )


def _schema(setting: Setting) -> JsonSchemaValue:
    schema: JsonSchemaValue = {"description": f"{setting.setting}: {setting.form}."}
    match setting.kind:
        case Kind.INTEGER:
            bounds = {"minimum": setting.low, "maximum": setting.high}
            return {"type": "integer", **{key: bound for key, bound in bounds.items() if bound is not None}, **schema}
        case Kind.BOOLEAN:
            return {"type": "boolean", **schema}
        case Kind.CHOICE:
            return {"enum": list(setting.choices), **schema}
        case Kind.SYSCTL_PATTERNS:
            return {"type": "array", "items": {"type": "string"}, **schema}
        case Kind.MILLISECONDS | Kind.PORT_RANGE:
            return {"type": "string", **schema}
