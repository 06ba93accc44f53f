"""What is in the sandbox's cloud, for people and tests: Azure resources and Kubernetes objects in one list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox import arm
from sandbox.azure.operations import settle
from sandbox.faults import fits
from sandbox.store import RESOURCES, Record, Store
from sandbox.values import Properties, mask


@dataclass(frozen=True, kw_only=True)
class Item:
    """One resource or object.

    Attributes:
        key: its key in the store.
        id: ARM id; for a Kubernetes object the cluster's ARM id, `//`, and group, version, kind, namespace and name.
        type: the provider's type token without the package (`containerservice:AgentPool`, `apps/v1:Deployment`).
        name: its own name.
        place: the resource group, with the parent for a child, or the subscription; for a Kubernetes object cluster and
            namespace.
        location: Azure location, normalised; empty for Kubernetes objects and global resources without one.
        created: ISO time.
        properties: outputs (Azure) or the live object (Kubernetes), secrets replaced by `[secret]`.
    """

    key: str
    id: str
    type: str
    name: str
    place: str
    location: str
    created: str
    properties: Properties

    def matches(self, type_pattern: str, name_pattern: str) -> bool:
        """Whether type and name fit shell patterns, case-insensitively; a type also by its last part alone."""
        return fits(self.type, type_pattern) and fnmatchcase(self.name.lower(), name_pattern.lower())


def items(store: Store) -> Iterator[Item]:
    """Everything in the cloud, in order of creation; operations whose time is over have ended."""
    settle(store, time.time())
    for key, record in store.items(RESOURCES):
        yield _azure(key, record) if "token" in record else _kubernetes(key, record)


def find(store: Store, wanted: str) -> list[Item]:
    """What has this id or, failing that, this name; both case-insensitive."""
    everything = list(items(store))
    exact = [item for item in everything if item.id.lower() == wanted.lower()]
    return exact or [item for item in everything if item.name.lower() == wanted.lower()]


def _azure(key: str, record: Record) -> Item:
    outputs = record["outputs"]
    return Item(
        key=key,
        id=record["id"],
        type=record["token"].partition(":")[2],
        name=arm.name_of(record["id"]),
        place=_place(record["id"]),
        location=str(outputs.get("location", "")),
        created=record["created"],
        properties=mask(outputs),
    )


def _place(resource_id: str) -> str:
    """`rg-a` for a resource of a group, `rg-a/aks-a` for a child of one, `(subscription)` above groups."""
    group = arm.resource_group_of(resource_id)
    if group is None or arm.type_of(resource_id) == "Microsoft.Resources/resourceGroups":
        return "(subscription)"
    parent = arm.parent_of(resource_id)
    return f"{group}/{arm.name_of(parent)}" if "/providers/" in parent else group


def _kubernetes(key: str, record: Record) -> Item:
    cluster, _, path = record["id"].partition("//")
    version, kind, address = _split(path)
    namespace, _, name = address.rpartition("/")
    return Item(
        key=key,
        id=record["id"],
        type=f"{version}:{kind}",
        name=name,
        place=f"{arm.name_of(cluster)}/{namespace}".rstrip("/"),
        location="",
        created=record["created"],
        properties=mask(record["object"]),
    )


def _split(path: str) -> tuple[str, str, str]:
    """`apps/v1/Deployment/namespace/name` and `v1/Namespace/name` as version, kind and address."""
    parts = path.split("/")
    # A kind starts with a capital; groups and versions do not.
    index = next(number for number, part in enumerate(parts) if part[:1].isupper())
    return "/".join(parts[:index]), parts[index], "/".join(parts[index + 1 :])
