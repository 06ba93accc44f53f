"""How objects go: finalizers, owners, namespaces and definitions.

Source: Kubernetes documentation, "Garbage Collection", "Finalizers" and "Namespaces"; pkg/controller/garbagecollector.
The controllers that do this in a cluster are done as soon as the request is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from sandbox.kubernetes.definitions import of_object
from sandbox.kubernetes.fields import as_map, listed, mapped
from sandbox.store import Record, Transaction
from sandbox.values import Properties, reveal

Propagation: TypeAlias = Literal["foreground", "background", "orphan"]

_NAMESPACE = "/namespace/"
_DEFINITION = "apiextensions.k8s.io/customresourcedefinition/"
_RELEASE = "helm.sh/release/"


class Lifecycle:
    """The deletion of objects of one cluster inside one transaction; ``prefix`` is what their keys start with."""

    def __init__(self, transaction: Transaction, prefix: str, now: str) -> None:
        self._transaction = transaction
        self._prefix = prefix.lower()
        self._now = now

    def delete(self, key: str, propagation: Propagation) -> None:
        """Mark an object and what goes with it as deleted, and remove what nothing holds."""
        self._mark(key.lower(), propagation)
        self.settle()

    def settle(self) -> None:
        """Remove every marked object that nothing holds any more, until none is left."""
        while True:
            free = [
                key
                for key, record in self._records()
                if is_terminating(record["object"]) and not self._held(key, record)
            ]
            if not free:
                return
            for key in free:
                self._transaction.delete(key)

    def _records(self) -> Iterator[tuple[str, Record]]:
        for key in self._transaction.under(self._prefix):
            record = self._transaction.get(key)
            if record is not None:
                yield key, record

    def _mark(self, key: str, propagation: Propagation) -> None:
        record = self._transaction.get(key)
        if record is None or is_terminating(record["object"]):
            return
        if key.startswith(self._prefix + _RELEASE):
            self._transaction.delete(key)
            return
        live = dict(record["object"])
        live["metadata"] = {
            **reveal(live.get("metadata") or {}),
            "deletionTimestamp": self._now,
            "deletionGracePeriodSeconds": 0,
        }
        if key.startswith(self._prefix + _NAMESPACE):
            live["status"] = {**as_map(live.get("status")), "phase": "Terminating"}
        self._transaction.put(key, {**record, "object": live})
        for dependent in self._contents(key, record):
            self._mark(dependent, "background")
        if propagation != "orphan":
            for dependent, _ in self._dependents(record):
                self._mark(dependent, propagation)

    def _contents(self, key: str, record: Record) -> list[str]:
        """What is in a namespace, or is an object of a definition."""
        path = key.removeprefix(self._prefix)
        if path.startswith(_NAMESPACE):
            inside = path.rpartition("/")[2]
            # group/kind/namespace/name: the namespace is the last but one segment.
            return [other for other, _ in self._records() if other.rsplit("/", 2)[1] == inside]
        if path.startswith(_DEFINITION):
            definition = of_object(record["object"])
            kind = f"{self._prefix}{definition.group}/{definition.kind}/".lower()
            return [other for other, _ in self._records() if other.startswith(kind)]
        return []

    def _dependents(self, record: Record) -> list[tuple[str, bool]]:
        """Objects that this one owns, and whether each blocks its deletion."""
        uid = mapped(record["object"], "metadata").get("uid")
        found = []
        for key, other in self._records():
            owners = listed(mapped(other["object"], "metadata"), "ownerReferences")
            blocks = [
                as_map(owner).get("blockOwnerDeletion") is True for owner in owners if as_map(owner).get("uid") == uid
            ]
            found += [(key, any(blocks))] if uid and blocks else []
        return found

    def _held(self, key: str, record: Record) -> bool:
        if listed(mapped(record["object"], "metadata"), "finalizers") or self._contents(key, record):
            return True
        return any(blocks for _, blocks in self._dependents(record))


def is_terminating(live: Properties) -> bool:
    """Whether an object was deleted and something still holds it."""
    return bool(mapped(live, "metadata").get("deletionTimestamp"))
