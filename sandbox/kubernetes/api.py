"""One cluster's API server over the store: objects by kind, namespace and name, with the API's own rules and errors."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.errors import KubernetesError
from sandbox.kubernetes import cloud_provider, controllers, definitions, ownership
from sandbox.kubernetes.addons import definitions_of_cluster
from sandbox.kubernetes.admission import admit, pod_security_warnings
from sandbox.kubernetes.charts import Definition
from sandbox.kubernetes.fields import FieldError, forbidden, listed, mapped
from sandbox.kubernetes.immutable import check_update
from sandbox.kubernetes.kinds import CLUSTER_SCOPED, INITIAL_NAMESPACES, Kind
from sandbox.kubernetes.lifecycle import Lifecycle, Propagation, is_terminating
from sandbox.kubernetes.ownership import Manager
from sandbox.kubernetes.rules import check_object
from sandbox.kubernetes.schema import check_schema
from sandbox.store import Record, Store, Transaction
from sandbox.values import Properties, Secret, Value, reveal

_UIDS = uuid.UUID("5a4db0c5-0000-4000-8000-0000000000b8")
RELEASE = Kind("helm.sh", "v3", "Release")
NAMESPACE = Kind("", "v1", "Namespace")
DEFINITION = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
# NamespaceLifecycle admission: immortalNamespaces.
_IMMORTAL = frozenset({"default", "kube-public", "kube-system"})
_NAME_LABEL = "kubernetes.io/metadata.name"


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
    """The API server of one cluster.

    Every method may raise KubernetesError with the API's reason (NotFound, AlreadyExists, Invalid, Forbidden, Conflict,
    NoKindMatch) and words. ``dry_run`` does everything but write. ``manager`` is the field manager of the request.
    """

    def __init__(
        self,
        store: Store,
        cluster_id: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        types: Callable[[Kind, Properties], list[FieldError]] = lambda _kind, _body: [],
    ) -> None:
        """Open the API server of a cluster.

        Args:
            store: the cloud.
            cluster_id: the cluster's ARM id.
            now: the clock.
            types: what is wrong with the types of a built-in kind's object; the SDK's contract knows.
        """
        self._store = store
        self._types = types
        self._cluster = cluster_id
        self._cluster_id = cluster_id
        self._prefix = objects_prefix(cluster_id)
        self._now = now

    # ---- reading

    def address(self, kind: Kind, metadata: Properties) -> Address:
        """Where an object with this metadata belongs."""
        namespace = (metadata.get("namespace") or "default") if self.is_namespaced(kind) else ""
        return Address(kind, namespace, str(metadata.get("name", "")))

    def is_namespaced(self, kind: Kind) -> bool:
        """Whether objects of the kind have a namespace; an unknown custom kind is taken for namespaced."""
        definition = self.definition(kind)
        return definition.namespaced if definition else kind.kind not in CLUSTER_SCOPED

    def get(self, address: Address) -> Properties | None:
        """The live object, or None."""
        record = self._store.get(self._key(address)) or _initial(address)
        return None if record is None else record["object"]

    def observed(self, address: Address) -> Properties | None:
        """The live object with what controllers say of it, or None."""
        live = self.get(address)
        if live is None:
            return None
        status = controllers.status_of(self._store, self._cluster, self._prefix, address.kind, live)
        return live if status is None else {**live, "status": status}

    def require(self, address: Address) -> Properties:
        """The live object; KubernetesError NotFound when it is gone."""
        live = self.get(address)
        if live is None:
            raise KubernetesError("NotFound", f'{address.kind.resource} "{address.name}" not found')
        return live

    def definitions(self) -> Iterator[Definition]:
        """Every custom resource definition: from AKS's add-ons, releases of known charts, and objects."""
        cluster = self._store.get(self._cluster)
        if cluster is not None:
            yield from definitions_of_cluster(cluster.get("inputs") or {})
        for _, record in self._store.items(f"{self._prefix}{RELEASE.key}/"):
            yield from definitions.of_release(record["object"])
        for _, record in self._store.items(f"{self._prefix}{DEFINITION.key}/"):
            if not is_terminating(record["object"]):
                yield definitions.of_object(record["object"])

    def definition(self, kind: Kind) -> Definition | None:
        """The definition of a custom kind, in whatever versions; None for others."""
        for definition in self.definitions():
            if (definition.group, definition.kind) == (kind.group, kind.kind):
                return definition
        return None

    def require_kind(self, kind: Kind) -> None:
        """A custom kind must be served in its version."""
        definition = self.definition(kind)
        if definition is None or kind.version not in definition.versions:
            raise KubernetesError("NoKindMatch", f'no matches for kind "{kind.kind}" in version "{kind.api_version}"')

    # ---- writing

    def create(
        self, address: Address, body: Properties, *, manager: str = "pulumi-kubernetes", dry_run: bool = False
    ) -> Properties:
        """Create an object."""
        with self._transaction(dry_run=dry_run) as transaction:
            record = transaction.get(self._key(address)) or _initial(address)
            if record is not None:
                raise KubernetesError("AlreadyExists", f'{address.kind.resource} "{address.name}" already exists')
            content = _without_null(body)
            self._validate(transaction, address, content)
            fields = ownership.update(
                {}, content, [], name=manager, api_version=address.kind.api_version, schema=self._schema(address)
            )
            return self._put(transaction, address, content, fields, None)

    def update(
        self, address: Address, body: Properties, *, manager: str = "kubectl-edit", dry_run: bool = False
    ) -> Properties:
        """Replace an object's content, as ``kubectl edit`` and ``kubectl replace`` do."""
        with self._transaction(dry_run=dry_run) as transaction:
            record = self._require(transaction, address)
            live, content = record["object"], _without_null(body)
            version = mapped(content, "metadata").get("resourceVersion")
            if version not in (None, mapped(live, "metadata").get("resourceVersion")):
                text = (
                    f'Operation cannot be fulfilled on {address.kind.resource} "{address.name}": the object has been '
                    "modified; please apply your changes to the latest version and try again"
                )
                raise KubernetesError("Conflict", text)
            self._validate(transaction, address, content, live)
            managers = ownership.update(
                live,
                content,
                _managers(record),
                name=manager,
                api_version=address.kind.api_version,
                schema=self._schema(address),
            )
            return self._put(transaction, address, content, managers, record)

    def apply(
        self, address: Address, body: Properties, *, manager: str, force: bool = False, dry_run: bool = False
    ) -> Properties:
        """Server-side apply: create the object, or make these fields of it ``manager``'s."""
        with self._transaction(dry_run=dry_run) as transaction:
            record = transaction.get(self._key(address)) or _initial(address)
            live: Properties = record["object"] if record else {}
            content, managers = ownership.apply(
                live,
                _without_null(body),
                _managers(record) if record else [],
                name=manager,
                api_version=address.kind.api_version,
                force=force,
                schema=self._schema(address),
            )
            self._validate(transaction, address, content, live if record else None)
            return self._put(transaction, address, content, managers, record)

    def managers(self, address: Address) -> list[Manager]:
        """Who owns which fields of an object; empty when it is gone."""
        record = self._store.get(self._key(address))
        return _managers(record) if record else []

    def hand_over(self, address: Address, to: str, prefixes: Mapping[str, tuple[str, ...]]) -> None:
        """Give ``to`` the fields of every manager of an operation (``Apply``, ``Update``) whose name starts so."""
        with self._transaction(dry_run=False) as transaction:
            record = self._require(transaction, address)
            managers = _managers(record)
            given = [item for item in managers if item.name.startswith(prefixes.get(item.operation, ()) or ("\0",))]
            if not given:
                return
            own = [item for item in managers if (item.name, item.operation) == (to, "Apply")]
            fields = frozenset[str]().union(*(item.fields for item in (*given, *own)))
            mine = Manager(name=to, operation="Apply", api_version=address.kind.api_version, fields=fields)
            rest = [item for item in managers if item not in given and item not in own]
            transaction.put(self._key(address), {**record, "managers": [item.to_json() for item in (*rest, mine)]})

    def delete(self, address: Address, propagation: Propagation = "foreground") -> Properties | None:
        """Delete an object and what goes with it.

        Returns:
            The object while something still holds it (a finalizer, content, a dependent), else None. One that is gone
            already is no error.
        """
        if address.kind == NAMESPACE and address.name in _IMMORTAL:
            text = f'namespaces "{address.name}" is forbidden: this namespace may not be deleted'
            raise KubernetesError("Forbidden", text)
        with self._transaction(dry_run=False) as transaction:
            Lifecycle(transaction, self._prefix, self._time()).delete(self._key(address), propagation)
            cloud_provider.sweep(transaction, self._prefix)
            record = transaction.get(self._key(address))
            return None if record is None else record["object"]

    def warnings(self, address: Address, body: Properties) -> list[str]:
        """What the API server warns of in its answer to a request that it takes."""
        namespace = self.get(Address(NAMESPACE, "", address.namespace)) if address.namespace else None
        return pod_security_warnings(address.kind, body, namespace or {})

    # ---- releases, which Helm keeps in the cluster

    def put_release(self, address: Address, body: Properties, *, create: bool) -> Properties:
        """Install or upgrade a release."""
        with self._transaction(dry_run=False) as transaction:
            record = transaction.get(self._key(address))
            if create and record is not None:
                raise KubernetesError(
                    "AlreadyExists", f'release "{address.name}" already exists in namespace "{address.namespace}"'
                )
            if not create and record is None:
                raise KubernetesError("NotFound", f'release "{address.name}" not found')
            self._require_namespace(transaction, address)
            return self._put(transaction, address, body, [], record)

    # ---- inside

    @contextlib.contextmanager
    def _transaction(self, *, dry_run: bool) -> Iterator[Transaction]:
        with self._store.transaction() as transaction:
            yield transaction
            if dry_run:
                transaction.puts.clear()
                transaction.deletes.clear()

    def _key(self, address: Address) -> str:
        # An object is the same under every version of its group.
        return f"{self._prefix}{address.kind.key}/{address.namespace}/{address.name}"

    def _time(self) -> str:
        return self._now().isoformat(timespec="seconds").replace("+00:00", "Z")

    def _schema(self, address: Address) -> Mapping[str, Value] | None:
        definition = self.definition(address.kind)
        return (definitions.schema_of(definition, address.kind) or {}) if definition else None

    def _require(self, transaction: Transaction, address: Address) -> Record:
        record = transaction.get(self._key(address)) or _initial(address)
        if record is None:
            raise KubernetesError("NotFound", f'{address.kind.resource} "{address.name}" not found')
        return record

    def _require_namespace(self, transaction: Transaction, address: Address) -> Properties:
        """The live namespace of an object, empty for one that has none."""
        if not address.namespace:
            return {}
        place = Address(NAMESPACE, "", address.namespace)
        record = transaction.get(self._key(place)) or _initial(place)
        if record is None:
            raise KubernetesError("NamespaceNotFound", f'namespaces "{address.namespace}" not found')
        return record["object"]  # type: ignore[no-any-return]

    def _validate(
        self, transaction: Transaction, address: Address, body: Properties, live: Properties | None = None
    ) -> None:
        """What an API server checks of a request, in its order: namespace, admission, validation."""
        namespace = self._require_namespace(transaction, address)
        if live is None and is_terminating(namespace):
            text = (
                f'{address.kind.resource} "{address.name}" is forbidden: unable to create new content in namespace '
                f"{address.namespace} because it is being terminated"
            )
            raise KubernetesError("Forbidden", text)
        definition = self.definition(address.kind)
        wrong_types = self._types(address.kind, body)
        told = {error.path for error in wrong_types}
        errors = wrong_types + [error for error in check_object(address.kind, body) if error.path not in told]
        if not address.namespace and mapped(body, "metadata").get("namespace"):
            errors.append(forbidden("metadata.namespace", "not allowed on this type"))
        if definition is not None:
            errors += check_schema(definitions.schema_of(definition, address.kind) or _OPEN, body)
        if live is not None:
            errors += check_update(address.kind, live, body)
        else:
            errors += self._owner_errors(transaction, address, body)
        if errors:
            raise invalid_object(address, errors)
        objects = (
            (key.removeprefix(self._prefix.lower()), record["object"])
            for key in transaction.under(self._prefix)
            if (record := transaction.get(key)) is not None
        )
        admit(address.kind, namespace, body, objects, creates=live is None)

    def _owner_errors(self, transaction: Transaction, address: Address, body: Properties) -> Iterator[FieldError]:
        """Owners that are not there: the garbage collector would delete the object at once."""
        for index, owner in enumerate(listed(mapped(body, "metadata"), "ownerReferences")):
            group, _, version = str(owner.get("apiVersion")).rpartition("/")
            kind = Kind(group, version, str(owner.get("kind")))
            namespace = address.namespace if self.is_namespaced(kind) else ""
            found = transaction.get(self._key(Address(kind, namespace, str(owner.get("name")))))
            if found is None or mapped(found["object"], "metadata").get("uid") != owner.get("uid"):
                yield FieldError(
                    f"metadata.ownerReferences[{index}]",
                    f'Not found: {kind.qualified} "{owner.get("name")}" with uid "{owner.get("uid")}" in namespace '
                    f'"{namespace}": the garbage collector would delete this object',
                )

    def _put(
        self,
        transaction: Transaction,
        address: Address,
        body: Properties,
        managers: list[Manager],
        record: Record | None,
    ) -> Properties:
        key = self._key(address)
        created = (record["created"] if record else "") or self._time()
        generation = record["generation"] if record else transaction.generation(key) + 1
        version = record["version"] + 1 if record else 1
        live = dict(body)
        if address.kind != RELEASE:
            live["metadata"] = self._metadata(
                address, body, record, generation=generation, version=version, created=created
            )
            if address.kind == NAMESPACE:
                live["status"] = mapped(record["object"], "status") if record else {"phase": "Active"}
        new: Record = {
            "id": f"{self._prefix}{address.kind.api_version}/{address.kind.kind}/{address.id}",
            "generation": generation,
            "version": version,
            "created": created,
            "object": live,
            "managers": [manager.to_json() for manager in managers],
        }
        transaction.put(key, new)
        cloud_provider.reconcile(transaction, self._cluster_id, key, address.kind.kind, live)
        if record is not None and is_terminating(record["object"]):
            Lifecycle(transaction, self._prefix, self._time()).settle()
        return live

    def _metadata(
        self, address: Address, body: Properties, record: Record | None, *, generation: int, version: int, created: str
    ) -> Properties:
        given: Properties = reveal(body.get("metadata") or {})
        live = mapped(record["object"], "metadata") if record else {}
        deletion: Properties = {
            name: live[name] for name in ("deletionTimestamp", "deletionGracePeriodSeconds") if name in live
        }
        metadata: Properties = {
            **given,
            "name": address.name,
            **({"namespace": address.namespace} if address.namespace else {}),
            "uid": live.get("uid") or str(uuid.uuid5(_UIDS, f"{self._key(address).lower()}#{generation}")),
            "creationTimestamp": created,
            "generation": version,
            "resourceVersion": str(version),
            **deletion,
        }
        if address.kind == NAMESPACE:
            metadata["labels"] = {**(given.get("labels") or {}), _NAME_LABEL: address.name}
        return metadata


_OPEN: Mapping[str, Value] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _initial(address: Address) -> Record | None:
    """The record of a namespace that every cluster has; nothing is stored of it before somebody changes it."""
    if address.kind != NAMESPACE or address.name not in INITIAL_NAMESPACES:
        return None
    metadata = {"name": address.name, "labels": {_NAME_LABEL: address.name}}
    live = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "status": {"phase": "Active"}}
    return {"generation": 1, "version": 1, "created": "", "object": live, "managers": []}


def _managers(record: Record) -> list[Manager]:
    return [Manager.from_json(item) for item in record.get("managers", ())]


def _without_null(value: Value) -> Value:
    """The value without nulls, which stand for absent fields."""
    if isinstance(value, Secret):
        return Secret(_without_null(value.value))
    if isinstance(value, Mapping):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


def invalid_object(address: Address, errors: list[FieldError]) -> KubernetesError:
    """The error of an object that breaks rules (apimachinery pkg/api/errors: NewInvalid)."""
    listed_errors = str(errors[0]) if len(errors) == 1 else f"[{', '.join(str(error) for error in errors)}]"
    return KubernetesError("Invalid", f'{address.kind.qualified} "{address.name}" is invalid: {listed_errors}')
