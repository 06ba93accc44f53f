"""The JSON Schema of a stack file, for editors."""

from __future__ import annotations

from gpufleet.spec.environment import Environment
from gpufleet.spec.stack_file import ENVIRONMENT_KEY


def stack_file_schema() -> dict[str, object]:
    """The schema (draft 2020-12) of a whole `Pulumi.<env>.yaml`, the environment inside it typed.

    It knows what the models know: keys, types, choices, bounds. What rests on several values, or on Azure's catalogue,
    only loading a file can tell.
    """
    environment = Environment.model_json_schema()
    definitions = environment.pop("$defs")
    for definition in (environment, *definitions.values()):
        definition.pop("title", None)
        for field in definition.get("properties", {}).values():
            # pydantic's titles are the keys again; docstrings are wrapped for the source, not for an editor.
            field.pop("title", None)
            field["description"] = " ".join(field.get("description", "").split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:gpufleet:stack-file",
        "title": "gpufleet stack file",
        "description": f"A Pulumi stack file whose `{ENVIRONMENT_KEY}` describes one GPU environment on Azure.",
        "type": "object",
        "required": ["config"],
        "additionalProperties": False,
        "properties": {
            "config": {
                "description": "Pulumi configuration of the stack; other namespaces are left to their providers.",
                "type": "object",
                "required": [ENVIRONMENT_KEY],
                "properties": {ENVIRONMENT_KEY: {"$ref": "#/$defs/Environment"}},
            },
            "encryptionsalt": {"type": "string", "description": "Pulumi's salt of the passphrase."},
            "encryptedkey": {"type": "string", "description": "Pulumi's data key, encrypted by the secrets provider."},
            "secretsprovider": {"type": "string", "description": "Pulumi's secrets provider of the stack."},
            "environment": {"description": "Pulumi ESC environments to import."},
        },
        "$defs": {"Environment": environment, **definitions},
    }
