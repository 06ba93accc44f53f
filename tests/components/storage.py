"""A fabric with every part of its storage on, for graphs and golden manifests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from tests.components.graphs import ROOT, Graph, build, whole_numbers
from tests.spec.environments import DATA, changed

STORAGE = ("training", 0, "storage")
PROVIDER = "00000000-0000-4000-8000-00000000000a"
"""Object id of the HPC Cache Resource Provider in a tenant of the tests."""
HSM = {
    "container": "corpus",
    "loggingContainer": "corpus-logs",
    "importPrefixes": ["/text", "/code"],
    "autoExportPrefix": "/checkpoints",
    "resourceProviderPrincipalId": PROVIDER,
}
CONTAINERS: list[object] = [
    "datasets",
    {
        "name": "checkpoints",
        "mount": "blobfuse",
        "cache": "nvme",
        "lifecycle": {"prefix": "runs/", "coolAfterDays": 7, "deleteAfterDays": 30},
    },
    {"name": "shared", "mount": "nfs"},
    {"name": "tokens", "mount": "blobfuse"},
    {"name": "last-good", "immutableDays": 14},
]
LUSTRE = {
    "sku": "AMLFS-Durable-Premium-250",
    "capacityTiB": 16,
    "rootSquash": {"noSquashNids": "10.0.64.[4-20]@tcp"},
    "hsm": HSM,
}


def everything_on() -> dict[str, Any]:
    """The tests' environment, its fabric with all that `storage` and pools can ask of storage."""
    return changed(
        {
            (*STORAGE, "lustre"): LUSTRE,
            (*STORAGE, "blob"): {"containers": CONTAINERS},
            (*DATA, "role"): "data-preparation",
            ("training", 0, "queue"): {
                "teams": [
                    {"name": "language", "nominalNodes": {"h100": 6}},
                    {"name": "vision", "nominalNodes": {"h100": 2}},
                ]
            },
        }
    )


GOLDEN = ROOT / "tests" / "components" / "golden" / "storage"
_OURS = ("lab-storage-", "lab-scratch-", "lab-volumes-")
# Of the private endpoint and its zone the network's own tests tell.
_ELSEWHERE = ("privatedns:", "network:", "authorization:")


@cache
def graph() -> Graph:
    """The program's graph of the fabric; built once a process, so read it only."""
    return build(everything_on())


def azure_bodies() -> dict[str, dict[str, Any]]:
    """Type, properties and what comes before, of every Azure resource of the storage, by logical name."""
    by_urn = {one.urn: one.name for one in graph().resources}
    found: dict[str, dict[str, Any]] = {}
    for one in graph().resources:
        type_ = one.type.removeprefix("azure-native:")
        if type_ == one.type or not one.name.startswith(_OURS) or type_.startswith(_ELSEWHERE):
            continue
        properties = {key: value for key, value in one.inputs.items() if key != "tags"}
        after = sorted(by_urn[urn] for urn in one.dependencies if urn in by_urn)
        found[one.name] = {"type": type_, "after": after, "properties": whole_numbers(properties)}
    return found


def manifests() -> list[dict[str, Any]]:
    """Every Kubernetes object and Helm release of the storage."""
    return [
        {key: whole_numbers(value) for key, value in sorted(one.inputs.items()) if key not in {"compat", "type"}}
        for one in graph().resources
        if one.type.startswith("kubernetes:") and one.name.startswith(_OURS)
    ]


def documents() -> dict[str, str]:
    """File name and content of each golden file."""
    return {
        "azure.yaml": yaml.safe_dump(azure_bodies(), sort_keys=False, width=140),
        "manifests.yaml": yaml.safe_dump_all(manifests(), sort_keys=False, width=140),
    }


# One line of a table of the guide: `field` | value | why | source.
_ROW = re.compile(r"^\| `(?P<field>[^`]+)` \| (?P<value>.+?) \| .+? \| .+? \|$", re.MULTILINE)


@cache
def _rows() -> dict[str, str]:
    """Value cells of the guide by field."""
    rows: dict[str, str] = {}
    for found in _ROW.finditer((ROOT / "docs" / "guides" / "training-storage.md").read_text(encoding="utf-8")):
        rows[found["field"]] = f"{rows.get(found['field'], '')} {found['value']}"
    return rows


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is no list or mapping, with its path; `[]` for an item of a list."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, f"{path}[]")
    else:
        yield path, value


def told(field: str, value: object) -> bool:
    """Whether the guide has a row for the field, with the value; a row in words alone tells where values come from."""
    cell = _rows().get(field)
    if cell is None:
        return False
    values = re.findall(r"`([^`]*)`", cell)
    return not values or _text(value) in values


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
