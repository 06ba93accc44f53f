"""Azure Resource Manager over the store: create, read, update, delete and list, with ARM's own rules and errors."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sandbox import arm
from sandbox.azure import registry
from sandbox.azure.model import (
    SANDBOX_CLIENT,
    SANDBOX_SUBSCRIPTION,
    SANDBOX_TENANT,
    Context,
    ResourceType,
    normalise_location,
)
from sandbox.contract import Contract
from sandbox.errors import SandboxError
from sandbox.store import Record, Store, Transaction
from sandbox.values import Properties, Secret, Value, lookup, reveal

_GROUP = "azure-native:resources:ResourceGroup"
_ARM_ID = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+(/providers/.+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in the cloud: its ARM id (in the case it was created with), its type's token and its outputs."""

    id: str
    pulumi_type: str
    outputs: Properties


class ResourceManager:
    """One subscription's resources. Safe for threads and processes: every change is one transaction of the store."""

    def __init__(
        self,
        store: Store,
        contract_of: Callable[[str], Contract],
        *,
        subscription: str = SANDBOX_SUBSCRIPTION,
        tenant: str = SANDBOX_TENANT,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.store = store
        self.subscription = subscription
        self.tenant = tenant
        self._contract_of = contract_of
        self._now = now

    def id_of(self, kind: ResourceType, inputs: Properties) -> str:
        """The ARM id that these inputs make."""
        names = {name: str(reveal(inputs[name])) for name in kind.path_parameters}
        return arm.format_id(kind.path, {"subscriptionId": self.subscription, **names})

    def find(self, resource_id: str) -> Resource | None:
        """The resource with this id, or None."""
        record = self.store.get(resource_id)
        return None if record is None else _resource(record)

    def require(self, resource_id: str) -> Resource:
        """The resource with this id.

        Raises:
            ArmError: ResourceNotFound or ResourceGroupNotFound.
        """
        found = self.find(resource_id)
        if found is None:
            self._require_group(self.store.get, resource_id)
            raise arm.resource_not_found(resource_id)
        return found

    def all(self) -> Iterator[Resource]:
        """Every Azure resource, in order of creation."""
        for _, record in self.store.items("/subscriptions/"):
            if "token" in record:
                yield _resource(record)

    def create(self, kind: ResourceType, inputs: Properties) -> Resource:
        """Create a resource from checked inputs.

        Raises:
            SandboxError: the id is taken.
            ArmError: a parent, a referenced resource or the resource group does not exist; the service refuses a value.
        """
        resource_id = self.id_of(kind, inputs)
        with self.store.transaction() as transaction:
            if transaction.get(resource_id) is not None:
                raise SandboxError(f"cannot create already existing resource '{resource_id}'")
            self._require_parents(transaction, resource_id)
            self._require_references(transaction, resource_id, inputs)
            record: Record = {
                "id": resource_id,
                "token": kind.pulumi_type,
                "generation": transaction.generation(resource_id) + 1,
                "created": self._now().isoformat(timespec="seconds").replace("+00:00", "Z"),
                "inputs": inputs,
                "references": _references(inputs),
            }
            return self._put(transaction, kind, record)

    def update(self, resource_id: str, kind: ResourceType, inputs: Properties) -> Resource:
        """Replace a resource's properties.

        Raises:
            ArmError: the resource is gone, a property is fixed, or a reference leads nowhere.
        """
        with self.store.transaction() as transaction:
            record = transaction.get(resource_id)
            if record is None:
                self._require_group(transaction.get, resource_id)
                raise arm.resource_not_found(resource_id)
            self._require_same(record["id"], kind, record["inputs"], inputs)
            self._require_references(transaction, resource_id, inputs)
            changed = {**record, "inputs": inputs, "references": _references(inputs)}
            return self._put(transaction, kind, changed, previous=record["inputs"])

    def delete(self, resource_id: str) -> None:
        """Delete a resource with everything below it; one that is gone already is no error, as in ARM (204).

        Raises:
            ArmError: something still uses it.
        """
        with self.store.transaction() as transaction:
            record = transaction.get(resource_id)
            if record is None:
                return
            before_delete = registry.by_token(record["token"]).before_delete
            if before_delete is not None:
                before_delete(self._context(transaction, record))
            for companion in record.get("companions", ()):
                _delete_tree(transaction, companion)
            _delete_tree(transaction, resource_id)

    def context_of(self, resource: Resource) -> Context:
        """What the functions of the resource's type may look at."""
        record = self.store.get(resource.id)
        if record is None:
            raise arm.resource_not_found(resource.id)
        with self.store.transaction() as transaction:
            return self._context(transaction, record)

    def _context(self, transaction: Transaction, record: Record, previous: Properties | None = None) -> Context:
        def find(other: str) -> Properties | None:
            found = transaction.get(other)
            return None if found is None else found.get("outputs")

        def below(prefix: str) -> list[Properties]:
            return [found for key in transaction.under(prefix) if (found := find(key)) is not None]

        def users(other: str) -> list[str]:
            wanted = other.lower()
            found = (transaction.get(key) for key in transaction.under("/subscriptions/"))
            return [user["id"] for user in found if user is not None and wanted in user.get("references", ())]

        return Context(
            id=record["id"],
            inputs=reveal(record["inputs"]),
            generation=record["generation"],
            tenant=self.tenant,
            created=record["created"],
            find=find,
            below=below,
            users=users,
            previous=None if previous is None else reveal(previous),
        )

    def _put(
        self, transaction: Transaction, kind: ResourceType, record: Record, previous: Properties | None = None
    ) -> Resource:
        """Write a resource; ``record`` lacks what follows from the rest: outputs and companions."""
        context = self._context(transaction, record, previous)
        if kind.validate is not None:
            kind.validate(context)
        record["outputs"] = self._outputs(kind, context, record["inputs"])
        if kind.companions is not None:
            record["companions"] = self._put_companions(transaction, kind.companions(context), record["created"])
        transaction.put(record["id"], record)
        return _resource(record)

    @staticmethod
    def _put_companions(
        transaction: Transaction, companions: Iterable[tuple[str, Properties]], created: str
    ) -> list[str]:
        ids = []
        for companion_id, outputs in companions:
            record: Record = {
                "id": companion_id,
                "token": _GROUP,
                "generation": 1,
                "created": created,
                "inputs": {},
                "outputs": outputs,
            }
            transaction.put(companion_id, record)
            ids.append(companion_id)
        return ids

    def _outputs(self, kind: ResourceType, context: Context, inputs: Properties) -> Properties:
        contract = self._contract_of(kind.pulumi_type)
        shape = contract.outputs.properties
        outputs: Properties = dict(kind.defaults)
        outputs.update(
            {
                name: value
                for name, value in inputs.items()
                if name in shape and name not in kind.write_only and value is not None
            }
        )
        for name, defaults in kind.nested_defaults.items():
            if isinstance(outputs.get(name), dict):
                outputs[name] = {**defaults, **outputs[name]}
        if context.location and "location" in outputs:
            outputs["location"] = context.location
        if isinstance(context.inputs.get("identity"), dict):
            outputs["identity"] = _identity(context, context.inputs["identity"])
        outputs.update(self._common(context, kind, contract))
        if kind.outputs is not None:
            outputs.update(kind.outputs(context))
        for name in kind.secret_outputs:
            if name in outputs and not isinstance(outputs[name], Secret):
                outputs[name] = Secret(reveal(outputs[name]))
        return outputs

    def _common(self, context: Context, kind: ResourceType, contract: Contract) -> Properties:
        common: Properties = {
            "name": context.name,
            "type": kind.arm_type,
            "provisioningState": "Succeeded",
            "azureApiVersion": contract.api_version,
            "etag": f'W/"{context.guid("etag")}"',
            "eTag": context.token("etag"),
            "systemData": {
                "createdBy": SANDBOX_CLIENT,
                "createdByType": "Application",
                "createdAt": context.created,
                "lastModifiedBy": SANDBOX_CLIENT,
                "lastModifiedByType": "Application",
                "lastModifiedAt": context.created,
            },
        }
        return {name: value for name, value in common.items() if name in contract.outputs.properties}

    @staticmethod
    def _require_same(resource_id: str, kind: ResourceType, old: Properties, new: Properties) -> None:
        for path in (*kind.immutable, *kind.replace_on):
            if path != "location" and lookup(old, path) != lookup(new, path) and lookup(old, path):
                raise arm.change_not_allowed(f"properties.{path}")
        was, wanted = (normalise_location(str(reveal(inputs.get("location", "")))) for inputs in (old, new))
        if was and wanted and was != wanted:
            raise arm.location_not_allowed(resource_id, was, wanted)

    @staticmethod
    def _require_group(get: Callable[[str], Record | None], resource_id: str) -> None:
        group = arm.resource_group_of(resource_id)
        if group is not None and get("/".join(resource_id.split("/")[:5])) is None:
            raise arm.resource_group_not_found(group)

    def _require_parents(self, transaction: Transaction, resource_id: str) -> None:
        parent = arm.parent_of(resource_id)
        # A level that is no resource of its own (…/blobServices/default/…) stands for what holds it.
        while parent.count("/") > 4 and registry.by_arm_type(arm.type_of(parent)) is None:
            parent = arm.parent_of(parent)
        if parent.count("/") <= 3:  # the subscription
            return
        self._require_group(transaction.get, resource_id)
        if transaction.get(parent) is None:
            raise arm.parent_not_found(resource_id, parent)

    def _require_references(self, transaction: Transaction, resource_id: str, inputs: Properties) -> None:
        for reference in _ids_in(inputs):
            if reference.lower() == resource_id.lower() or transaction.get(reference) is not None:
                continue
            if reference.split("/")[2].lower() != self.subscription.lower():
                continue  # another subscription's resources are out of the sandbox's sight
            if registry.by_arm_type(arm.type_of(reference)) is not None:
                raise arm.reference_not_found(resource_id, reference)


def _resource(record: Record) -> Resource:
    return Resource(record["id"], record["token"], record["outputs"])


def _delete_tree(transaction: Transaction, resource_id: str) -> None:
    for key in transaction.under(resource_id + "/"):
        transaction.delete(key)
    transaction.delete(resource_id)


def _references(inputs: Properties) -> list[str]:
    """The ids in a resource's inputs, lower-case: kept beside it, so that nobody walks all inputs to find its users."""
    return sorted({reference.lower() for reference in _ids_in(inputs)})


def _ids_in(value: Value) -> Iterator[str]:
    """Every ARM id of a resource or resource group in a value."""
    if isinstance(value, Secret):
        value = value.value
    if isinstance(value, str):
        if value.startswith("/subscriptions/") and _ARM_ID.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _ids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _ids_in(item)


def _identity(context: Context, given: Properties) -> Properties:
    """A managed identity as Azure gives it back: principals filled in, user-assigned ones as a map by id."""
    identity: Properties = {**given}
    if "SystemAssigned" in str(given.get("type", "")):
        identity |= {"principalId": context.guid("system-principal"), "tenantId": context.tenant}
    assigned = given.get("userAssignedIdentities")
    if isinstance(assigned, list):
        identity["userAssignedIdentities"] = {
            resource_id: {name: (context.find(resource_id) or {}).get(name) for name in ("clientId", "principalId")}
            for resource_id in assigned
        }
    return identity
