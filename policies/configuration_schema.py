"""The JSON Schema of `policies/config/<environment>.json`, for editors: docs/schemas/policy-config.v1.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policies import own
from policies.configuration import ALL, LEVEL
from policies.rule import AnyRule, Enforcement

_LEVEL = {"type": "string", "enum": [level for level in Enforcement if level is not Enforcement.REMEDIATE]}
_REMEDIABLE = {"type": "string", "enum": [*Enforcement]}


def schema(rules: Iterable[AnyRule]) -> dict[str, Any]:
    """The schema, from the rules' own settings."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What gpufleet's rules allow in one environment",
        "description": "The form of Pulumi's --policy-pack-config. An entry with settings names its level, for Pulumi "
        "refuses it otherwise in a pack that has no such rule.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            ALL: {**_LEVEL, "description": "The level of every rule that has none of its own here."},
            **{policy.name: {**_LEVEL, "description": f"{policy.title}."} for policy in own.OWN},
            **{rule.id: _entry(rule) for rule in rules},
        },
    }


def _entry(rule: AnyRule) -> dict[str, Any]:
    settings = rule.settings.model_json_schema()
    level = _REMEDIABLE if rule.remediates else _LEVEL
    return {
        "description": f"{rule.title()}.",
        "default": rule.enforcement,
        "oneOf": [
            level,
            {
                "type": "object",
                "required": [LEVEL],
                "additionalProperties": False,
                "properties": {LEVEL: level, **settings.get("properties", {})},
                **({"$defs": settings["$defs"]} if "$defs" in settings else {}),
            },
        ],
    }
