"""One cluster's API server over the store: objects by kind, namespace and name, with the API's own rules and errors."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.errors import KubernetesError
from sandbox.kubernetes.charts import CHARTS, Definition, definitions_of
from sandbox.kubernetes.kinds import CLUSTER_SCOPED, IMMUTABLE, INITIAL_NAMESPACES, Kind
from sandbox.store import Record, Store, Transaction
from sandbox.values import Properties, lookup, reveal

_NAMESPACE = uuid.UUID("5a4db0c5-0000-4000-8000-0000000000b8")
RELEASE = Kind("helm.sh", "v3", "Release")
_DEFINITION = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an object is: its kind, namespace (empty when it has none) and name."""

    kind: Kind
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """The id that the provider gives it: ``namespace/name`` or ``name``."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def objects_prefix(cluster_id: str) -> str:
    """What the keys of a cluster's objects start with: below the cluster's id, so that they go when it goes."""
    return f"{cluster_id}//"


class KubernetesApi:
    """The API server of one cluster."""

    def __init__(
        self,
        store: Store,
        cluster_id: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._store = store
        self._prefix = objects_prefix(cluster_id)
        self._now = now

    def _key(self, address: Address) -> str:
        # An object is the same under every version of its group.
        return f"{self._prefix}{address.kind.group}/{address.kind.kind}/{address.namespace}/{address.name}"

    def address(self, kind: Kind, metadata: Properties) -> Address:
        """Where an object with this metadata belongs."""
        namespaced = self.is_namespaced(kind)
        return Address(
            kind, metadata.get("namespace") or "default" if namespaced else "", str(metadata.get("name", ""))
        )

    def is_namespaced(self, kind: Kind) -> bool:
        """Whether objects of the kind have a namespace; an unknown custom kind is taken for namespaced."""
        for definition in self.definitions():
            if (definition.group, definition.kind) == (kind.group, kind.kind):
                return definition.namespaced
        return kind.kind not in CLUSTER_SCOPED

    def get(self, address: Address) -> Properties | None:
        """The live object, or None."""
        record = self._store.get(self._key(address))
        return None if record is None else record["object"]

    def definitions(self) -> Iterator[Definition]:
        """Every custom resource definition: from releases of known charts and from objects."""
        for key, record in self._store.items(f"{self._prefix}{RELEASE.group}/{RELEASE.kind}/".lower()):
            chart = CHARTS.get(str(reveal(record["object"].get("chart"))).rpartition("/")[2])
            if chart is not None and key:
                yield from definitions_of(chart, reveal(record["object"].get("values") or {}))
        for _, record in self._store.items(f"{self._prefix}{_DEFINITION.group}/{_DEFINITION.kind}/".lower()):
            spec = reveal(record["object"].get("spec") or {})
            yield Definition(
                group=spec.get("group", ""),
                kind=spec.get("names", {}).get("kind", ""),
                versions=tuple(version.get("name", "") for version in spec.get("versions", ())),
                namespaced=spec.get("scope") == "Namespaced",
            )

    def require_kind(self, kind: Kind) -> None:
        """A custom kind must be served.

        Raises:
            KubernetesError: no definition brings it, or not in this version.
        """
        for definition in self.definitions():
            if (definition.group, definition.kind) == (kind.group, kind.kind) and kind.version in definition.versions:
                return
        raise KubernetesError("NoKindMatch", f'no matches for kind "{kind.kind}" in version "{kind.api_version}"')

    def create(self, address: Address, body: Properties, *, upsert: bool = False) -> Properties:
        """Create an object.

        Raises:
            KubernetesError: it exists (unless ``upsert``), or its namespace does not.
        """
        with self._store.transaction() as transaction:
            key = self._key(address)
            existing = transaction.get(key)
            if existing is not None and not upsert:
                raise KubernetesError("AlreadyExists", f'{address.kind.resource} "{address.name}" already exists')
            self._require_namespace(transaction, address)
            generation = transaction.generation(key) + (existing is None)
            created = (
                existing["created"] if existing else self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
            )
            version = existing["version"] + 1 if existing else 1
            return self._put(transaction, address, body, generation=generation, version=version, created=created)

    def update(self, address: Address, body: Properties) -> Properties:
        """Replace an object's content.

        Raises:
            KubernetesError: it is gone, or an immutable field changes.
        """
        with self._store.transaction() as transaction:
            record = transaction.get(self._key(address))
            if record is None:
                raise KubernetesError("NotFound", f'{address.kind.resource} "{address.name}" not found')
            self._require_same(address, record["object"], body)
            return self._put(
                transaction,
                address,
                body,
                generation=record["generation"],
                version=record["version"] + 1,
                created=record["created"],
            )

    def delete(self, address: Address) -> None:
        """Delete an object; a namespace goes with everything in it. Absent objects are no error."""
        with self._store.transaction() as transaction:
            if address.kind.kind == "Namespace" and not address.kind.group:
                inside = f"/{address.name}/".lower()
                for key in transaction.under(self._prefix):
                    # prefix//group/kind/namespace/name: the namespace is the last but one segment.
                    if inside == "/" + key.rsplit("/", 2)[1] + "/":
                        transaction.delete(key)
            transaction.delete(self._key(address))

    def _require_namespace(self, transaction: Transaction, address: Address) -> None:
        if not address.namespace or address.namespace in INITIAL_NAMESPACES:
            return
        if transaction.get(self._key(Address(Kind("", "v1", "Namespace"), "", address.namespace))) is None:
            raise KubernetesError("NotFound", f'namespaces "{address.namespace}" not found')

    @staticmethod
    def _require_same(address: Address, old: Properties, new: Properties) -> None:
        invalid = f'{address.kind.kind} "{address.name}" is invalid'
        if reveal(old.get("immutable")) is True and address.kind.kind in {"ConfigMap", "Secret"}:
            for field in ("data", "binaryData", "stringData"):
                if reveal(old.get(field)) != reveal(new.get(field)):
                    text = f"{invalid}: {field}: Forbidden: field is immutable when `immutable` is set"
                    raise KubernetesError("Invalid", text)
        for path in IMMUTABLE.get(address.kind.kind, ()):
            if lookup(old, path) and lookup(old, path) != lookup(new, path):
                raise KubernetesError("Invalid", f"{invalid}: {path}: Forbidden: updates to {path} are forbidden.")

    def _put(
        self,
        transaction: Transaction,
        address: Address,
        body: Properties,
        *,
        generation: int,
        version: int,
        created: str,
    ) -> Properties:
        key = self._key(address)
        live = dict(body)
        if address.kind != RELEASE:
            metadata = reveal(body.get("metadata") or {})
            live["metadata"] = {
                **metadata,
                "name": address.name,
                **({"namespace": address.namespace} if address.namespace else {}),
                "uid": str(uuid.uuid5(_NAMESPACE, f"{key.lower()}#{generation}")),
                "creationTimestamp": created,
                "generation": version,
                "resourceVersion": str(version),
            }
            if address.kind.kind == "Namespace":
                live["status"] = {"phase": "Active"}
                live["metadata"]["labels"] = {**metadata.get("labels", {}), "kubernetes.io/metadata.name": address.name}
        record: Record = {
            "id": f"{self._prefix}{address.kind.api_version}/{address.kind.kind}/{address.id}",
            "generation": generation,
            "version": version,
            "created": created,
            "object": live,
        }
        transaction.put(key, record)
        return live
