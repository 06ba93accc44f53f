"""Operations whose end a state does not know: what a killed run, or one that lost its provider, has left.

The engine notes every operation in the state before it begins with it (`pending_operations`) and takes the note away
when it has ended. So after `kill -9` the notes say what was under way. When only the provider dies, or its answer is
lost, the engine goes on and takes the note away all the same, although nobody knows whether the resource exists
(pulumi/pulumi: pkg/engine/update.go, OnResourceStepPost). For those this module puts a mark of ours into the state: the
resource with its id and an `initErrors` entry, which plain Pulumi takes for a resource to be updated.

And a destroy drops what goes with its owner (`deletedWith`: a cluster's pools and objects) from the state before the
owner is deleted. One that ends in between leaves them in the cloud alone, so that the next create finds them there.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpufleet.catalog import arm_ids
from gpufleet.engine.azure_errors import existing_id, outcome_is_known
from gpufleet.engine.results import FailedOperation

Record = dict[str, Any]
"""A resource as the state's JSON has it (apitype.ResourceV3)."""

State = Mapping[str, Any]
"""`{"version": 3, "deployment": {…}}` as `pulumi stack export` gives it."""

_MARK = "gpufleet does not know how this operation ended: "
CREATING, UPDATING, DELETING = "creating", "updating", "deleting"
LEFT = "leaving behind"
"""What a run that was cut off deleted from the state and not from the cloud."""
_OPERATIONS = {
    "create": CREATING,
    "create-replacement": CREATING,
    "update": UPDATING,
    "delete": DELETING,
}
_KUBERNETES = "kubernetes:"
_RELEASE = "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One operation whose end is unknown.

    Attributes:
        operation: creating, updating, deleting, reading or importing (Pulumi's words), or `LEFT`.
        id: id of the resource in the cloud; "" when it cannot be told from its inputs.
        record: the resource as it was noted down; the state itself may lack it.
        checkable: whether the cloud could know it: not a component, and not a provider.
    """

    urn: str
    operation: str
    id: str
    record: Record

    @property
    def type(self) -> str:
        """Pulumi type token."""
        return str(self.record["type"])

    @property
    def name(self) -> str:
        """Logical name in the program."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def label(self) -> str:
        """`AgentPool h100`."""
        return f"{self.type.rsplit(':', 1)[-1]} {self.name}"

    @property
    def is_new(self) -> bool:
        """Whether the state may lack the resource."""
        return self.operation in {CREATING, LEFT}

    @property
    def checkable(self) -> bool:
        """Whether there is something in the cloud to look for: components and providers exist in the state only."""
        return bool(self.record.get("custom")) and not self.type.startswith("pulumi:")


def doubts(state: State, *, subscription: str) -> tuple[Doubt, ...]:
    """What is in doubt in a state: its pending operations and our own marks.

    Args:
        state: as exported.
        subscription: GUID to take where the state itself tells none.
    """
    deployment = state.get("deployment") or {}
    resources: list[Record] = deployment.get("resources") or []
    found = [*_pending(deployment), *_marked(resources)]
    known = {urn: _subscription(resources, subscription) for urn in {str(record["urn"]) for _, record in found}}
    return tuple(
        Doubt(
            urn=str(record["urn"]),
            operation=operation,
            id=str(record.get("id") or "") or cloud_id(record, subscription=known[str(record["urn"])]),
            record=record,
        )
        for operation, record in found
    )


def cloud_id(record: Record, *, subscription: str) -> str:
    """The id that a resource has, or will have, in the cloud.

    Azure: the ARM id. Kubernetes: `namespace/name`, or `name` without a namespace; for a Helm release the same
    (pulumi-kubernetes provider/pkg/provider: fqName, fqObjName). All names are in the inputs, also those that the
    provider chose itself, for the engine notes down what the provider's check returned.

    Returns:
        the id, "" when it does not follow from the inputs.
    """
    kind, inputs = str(record["type"]), record.get("inputs") or {}
    if kind == _RELEASE:
        return _namespaced(inputs)
    if kind.startswith(_KUBERNETES):
        metadata = inputs.get("metadata")
        return _namespaced(metadata) if isinstance(metadata, Mapping) else ""
    return arm_ids.resource_id(kind, inputs, subscription=subscription)


def lost(failed: Sequence[FailedOperation], state: State, *, subscription: str) -> tuple[Doubt, ...]:
    """Failed operations of a run that nobody knows the end of: the provider died, or its answer did not arrive.

    Also creates of what is there already inside something that the state has: a cut-off destroy may have left it.

    Args:
        failed: what failed in a run that has ended.
        state: exported after that run.
        subscription: see `doubts`.
    """
    resources: list[Record] = (state.get("deployment") or {}).get("resources") or []
    subscription = _subscription(resources, subscription)
    found = []
    for failure in failed:
        operation = _OPERATIONS.get(failure.op, "")
        if operation == CREATING and existing_id(failure.message) is not None:
            operation = LEFT
        elif outcome_is_known(failure.message):
            continue
        if not operation or not failure.resource.custom or failure.recorded:
            continue
        record = (
            _noted(failure, resources, subscription)
            if operation in {CREATING, LEFT}
            else _current(resources, failure.resource.urn)
        )
        if record is None:
            continue
        identity = str(record.get("id") or "") or cloud_id(record, subscription=subscription)
        doubt = Doubt(urn=failure.resource.urn, operation=operation, id=identity, record=record)
        if doubt.checkable and identity and (operation != LEFT or _has_owner(doubt, resources)):
            found.append(doubt)
    return tuple(found)


def marked(state: State, found: Sequence[Doubt]) -> State:
    """A copy of a state in which some doubts stand as marks; `doubts` finds them there again."""
    edited = copy.deepcopy(dict(state))
    resources: list[Record] = edited["deployment"].setdefault("resources", [])
    for doubt in found:
        record = _current(resources, doubt.urn)
        if doubt.is_new:
            record = place(resources, doubt)
        if record is not None:
            record["initErrors"] = [f"{_MARK}{doubt.operation}"]
    return edited


def place(resources: list[Record], doubt: Doubt) -> Record:
    """Put a resource that was being created where the engine would have put it, and return its entry.

    One that was deleted before its replacement is made waits in the state (`pendingReplacement`): it gives way. One
    that lives until its replacement is made becomes the one to delete, as the engine would have marked it.
    """
    record = {**copy.deepcopy(doubt.record), "id": doubt.id}
    record.setdefault("outputs", {})
    for index, other in enumerate(resources):
        if other["urn"] != doubt.urn or other.get("delete"):
            continue
        if other.get("pendingReplacement") or str(other.get("id", "")).lower() == doubt.id.lower():
            resources[index] = record
            return record
        # The engine wants a resource before what is still to be deleted under its URN.
        other["delete"] = True
        resources.insert(index, record)
        return record
    resources.append(record)
    return record


def is_marked(record: Record) -> bool:
    """Whether an entry carries our mark."""
    return any(str(text).startswith(_MARK) for text in record.get("initErrors") or ())


def _pending(deployment: Mapping[str, Any]) -> Iterator[tuple[str, Record]]:
    for operation in deployment.get("pending_operations") or ():
        yield str(operation["type"]), operation["resource"]


def _marked(resources: Sequence[Record]) -> Iterator[tuple[str, Record]]:
    for record in resources:
        for text in record.get("initErrors") or ():
            if str(text).startswith(_MARK):
                yield str(text).removeprefix(_MARK), record


def _subscription(resources: Sequence[Record], fallback: str) -> str:
    """The one subscription of an environment: what its other resources, or its provider, say."""
    for record in resources:
        if str(record["type"]).startswith("azure-native:") and (
            found := arm_ids.subscription_of(str(record.get("id")))
        ):
            return found
        if record["type"] == "pulumi:providers:azure-native":
            given = (record.get("inputs") or {}).get("subscriptionId")
            if isinstance(given, str) and given:
                return given
    return fallback


def _current(resources: Sequence[Record], urn: str) -> Record | None:
    return next((record for record in resources if record["urn"] == urn and not record.get("delete")), None)


def _noted(failure: FailedOperation, resources: Sequence[Record], subscription: str) -> Record:
    """What the state would say of a resource had its create succeeded.

    The engine's events tell neither dependencies nor options. The next `up` writes them; until then what the inputs
    point to is enough to destroy in the right order.
    """
    inputs = dict(failure.inputs)
    kubernetes = failure.resource.type.startswith(_KUBERNETES)
    record: Record = {
        "urn": failure.resource.urn,
        "custom": True,
        "type": failure.resource.type,
        "inputs": inputs,
        "parent": failure.resource.parent,
        "provider": failure.provider,
        "protect": failure.resource.protected,
    }
    identity = cloud_id(record, subscription=subscription)
    words = {text.lower() for text in _texts(inputs)}
    below = identity.lower()
    record["dependencies"] = [
        other["urn"]
        for other in resources
        if other.get("custom") and (id_ := str(other.get("id") or "").lower())
        # Another cluster has namespaces of the same name.
        if other.get("provider") == failure.provider or not kubernetes
        if id_ in words or below.startswith(f"{id_}/")
    ]
    return record


def _has_owner(doubt: Doubt, resources: Sequence[Record]) -> bool:
    """Whether it belongs to a resource of the state: to its cluster, for what is in a cluster."""
    if doubt.type.startswith(_KUBERNETES):
        urn, _, _ = str(doubt.record["provider"]).rpartition("::")
        return _current(resources, urn) is not None
    below = doubt.id.lower()
    owners = (str(other.get("id") or "").lower() for other in resources if other.get("custom"))
    return any("/providers/" in owner and below.startswith(f"{owner}/") for owner in owners)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _namespaced(names: Mapping[str, Any]) -> str:
    name, namespace = names.get("name"), names.get("namespace")
    if not isinstance(name, str) or not name:
        return ""
    return f"{namespace}/{name}" if isinstance(namespace, str) and namespace else name
