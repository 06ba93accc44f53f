"""The kinds of the Gateway API and its Inference Extension, from plain resources (data/gateway_api.yaml)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import pulumi
from pulumi_kubernetes import apiextensions, meta
from pydantic import Field

from components.in_cluster import ClusterAccess
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec

_FILE = Path(__file__).parent / "data" / "gateway_api.yaml"
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class _Names(Spec):
    kind: str
    list_kind: str
    plural: str
    singular: str
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()


class _Definition(Spec):
    group: str
    names: _Names
    scope: str
    approved: Annotated[str, Field(pattern=r"^https://")]
    """The API server takes no definition of a *.k8s.io group without the address of its review
    (`api-approved.kubernetes.io`)."""
    annotations: Mapping[str, str]
    version: str
    spec: Mapping[str, Any]
    """Structural schema of the kind's `spec`."""


class _File(Spec):
    as_of: dt.date
    definitions: Sequence[_Definition]


@lru_cache(maxsize=1)
def _definitions() -> Sequence[_Definition]:
    content: dict[str, Any] = read_yaml(_FILE)
    return _File.model_validate({key: value for key, value in content.items() if not key.startswith("_")}).definitions


def add_definitions(parent: pulumi.Resource, name: str, access: ClusterAccess) -> list[pulumi.Resource]:
    """Define the kinds in the cluster. Returns the definitions, for whatever is of such a kind to come after."""
    return [
        apiextensions.CustomResource(
            f"{name}-definition-{one.names.singular}",
            api_version="apiextensions.k8s.io/v1",
            kind="CustomResourceDefinition",
            metadata=meta.v1.ObjectMetaArgs(
                name=f"{one.names.plural}.{one.group}",
                annotations={"api-approved.kubernetes.io": one.approved, **one.annotations},
            ),
            spec=definition_spec(one),
            opts=access.child(parent),
        )
        for one in _definitions()
    ]


def definition_spec(one: _Definition) -> dict[str, object]:
    """The `spec` of a CustomResourceDefinition; the status is the controllers' and left open."""
    return {
        "group": one.group,
        "names": one.names.model_dump(by_alias=True, mode="json", exclude_defaults=True),
        "scope": one.scope,
        "versions": [
            {
                "name": one.version,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "apiVersion": {"type": "string"},
                            "kind": {"type": "string"},
                            "metadata": {"type": "object"},
                            "spec": dict(one.spec),
                            "status": _OPEN,
                        },
                    }
                },
            }
        ],
    }
