"""Long-running operations of Azure, kept in the store: a record says what runs and until when, no thread does.

Under ``operation/<resource id>`` stands what Azure has accepted and not ended: verb, begin, end, the resource as it
will be, and the error it ends with. Whoever looks at the cloud after the end settles it, so an operation goes on when
its client dies, as in Azure. With time scale 0 there are none.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal, TypeAlias

from gpufleet.catalog.table import Row
from sandbox import arm
from sandbox.azure import registry
from sandbox.errors import ArmError
from sandbox.settings import key_of as setting_key
from sandbox.store import Record, Store, Transaction
from sandbox.tables import read_table
from sandbox.values import Properties

Verb: TypeAlias = Literal["create", "update", "delete"]

OPERATIONS = "operation/"
DELETED = "deleted/"
_STATES = {"create": "Creating", "update": "Updating", "delete": "Deleting"}
_NAMESPACE = uuid.UUID("5a4db0c5-0000-4000-8000-0000000000b0")


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a verb takes for a type (Azure's seconds), and whether it is a long-running operation."""

    seconds: float
    asynchronous: bool


@cache
def duration_of(arm_type: str, verb: Verb) -> Duration:
    """The duration by ``sandbox/data/durations.csv``."""
    row = _durations().get(arm_type.lower()) or _durations()["*"]
    return Duration(row.number(verb), verb in row.cells["asynchronous"].split())


def duration_in(get: Callable[[str], Record | None], arm_type: str, verb: Verb) -> Duration:
    """The duration with what ``gpufleet sandbox set duration`` says of creations; ``get`` reads the store."""
    usual = duration_of(arm_type, verb)
    stated = get(setting_key("duration", arm_type)) if verb == "create" else None
    return usual if stated is None else replace(usual, seconds=float(stated["value"]))


@cache
def _durations() -> dict[str, Row]:
    columns = ("type", "create", "update", "delete", "asynchronous", "confidence", "as_of", "source")
    return {row.text("type").lower(): row for row in read_table("durations.csv", columns)}


def state_of(verb: str) -> str:
    """The provisioning state while a verb's operation runs."""
    return _STATES[verb]


def with_state(outputs: Properties, state: str) -> Properties:
    """Outputs with another provisioning state, wherever the type shows it."""
    changed = dict(outputs)
    if "provisioningState" in outputs:
        changed["provisioningState"] = state
    nested = outputs.get("properties")
    if isinstance(nested, dict) and "provisioningState" in nested:
        changed["properties"] = {**nested, "provisioningState": state}
    return changed


def key_of(resource_id: str) -> str:
    """The key of a resource's running operation."""
    return OPERATIONS + resource_id.lower()


def begin(
    transaction: Transaction, record: Record, verb: Verb, *, now: float, until: float, error: ArmError | None
) -> None:
    """Write down an accepted operation.

    Args:
        transaction: the change that accepts it.
        record: the resource as it will be at the end (as it is, for a deletion).
        verb: what is done.
        now: begin, in seconds since the epoch.
        until: end, likewise.
        error: what it ends with, when it fails.
    """
    operation: Record = {"id": record["id"], "verb": verb, "begin": now, "end": until, "result": record}
    if error is not None:
        operation["error"] = {"code": error.code, "message": error.message}
    transaction.put(key_of(record["id"]), operation)


def settle(store: Store, now: float) -> None:
    """End every operation whose time is over (``now`` in seconds since the epoch)."""
    if not any(record["end"] <= now for _, record in store.items(OPERATIONS)):
        return
    with store.transaction() as transaction:
        found = ((key, transaction.get(key)) for key in transaction.under(OPERATIONS))
        due = [(key, record) for key, record in found if record is not None and record["end"] <= now]
        for key, record in sorted(due, key=lambda item: float(item[1]["end"])):
            _finish(transaction, key, record, now)


def _finish(transaction: Transaction, key: str, operation: Record, now: float) -> None:
    if transaction.get(key) is None:  # it went with its parent
        return
    transaction.delete(key)
    result = operation["result"]
    if operation["verb"] != "delete":
        transaction.put(operation["id"], result)
    elif "error" in operation:
        transaction.put(operation["id"], {**result, "outputs": with_state(result["outputs"], "Failed")})
    else:
        remove(transaction, result, now)


def remove(transaction: Transaction, record: Record, now: float) -> None:
    """Take a resource away with all below it and their companions, running operations included.

    Of what comes with its parent only the settings go. A type that Azure deletes softly leaves ``deleted/<resource
    id>`` behind until its days are over.
    """
    if "token" in record and registry.by_token(record["token"]).singleton:
        transaction.delete(record["id"])
        return
    doomed = [record["id"]]
    while doomed:
        resource_id = doomed.pop()
        for key in (*transaction.under(resource_id + "/"), resource_id):
            gone = transaction.get(key)
            if gone is not None:
                doomed += gone.get("companions", ())
                _keep(transaction, gone, now)
            transaction.delete(key)
        for key in (*transaction.under(key_of(resource_id) + "/"), key_of(resource_id)):
            transaction.delete(key)


def _keep(transaction: Transaction, record: Record, now: float) -> None:
    days = registry.by_token(record["token"]).soft_delete_days if "token" in record else 0
    if days:
        kept = {"generation": record["generation"], "created": record["created"], "until": now + days * 86400}
        transaction.put(DELETED + record["id"], kept)


def recover(transaction: Transaction, resource_id: str, now: float) -> Record | None:
    """What Azure kept of a deleted resource (generation, created), given back once; None when there is nothing."""
    kept = transaction.get(DELETED + resource_id)
    transaction.delete(DELETED + resource_id)
    return kept if kept is not None and kept["until"] > now else None


def running(transaction: Transaction, resource_id: str) -> Record | None:
    """The operation that runs on a resource, or None."""
    return transaction.get(key_of(resource_id))


def refusal(transaction: Transaction, resource_id: str, references: Iterable[str]) -> ArmError | None:
    """Azure's error for a request that an operation under way does not allow, or None.

    Args:
        transaction: the change that would accept the request.
        resource_id: what the request is for.
        references: ids in its body.
    """
    if not transaction.under(OPERATIONS):
        return None
    group = arm.resource_group_of(resource_id)
    deleting = running(transaction, "/".join(resource_id.split("/")[:5])) if group else None
    if deleting is not None and deleting["verb"] == "delete":
        text = f"The resource group '{group}' is in deprovisioning state and cannot perform this operation."
        return ArmError(409, "ResourceGroupBeingDeleted", text)
    for rule in _rules(arm.type_of(resource_id)):
        for other in _in_scope(transaction, resource_id, rule.cells["scope"]):
            return _conflict(rule, other)
    return _unprovisioned(transaction, resource_id, references)


def _unprovisioned(transaction: Transaction, resource_id: str, references: Iterable[str]) -> ArmError | None:
    for reference in references:
        operation = running(transaction, reference)
        if operation is not None and "/providers/microsoft.network/" in reference.lower():
            text = (
                f"Cannot proceed with operation because resource {operation['id']} used by resource {resource_id} is "
                f"not in Succeeded state. Resource is in {state_of(operation['verb'])} state."
            )
            # terraform-provider-azurerm#30197 (text), #21293 (a status that clients repeat)
            return ArmError(429, "ReferencedResourceNotProvisioned", text)
    return None


def uri_of(operation: Record) -> str:
    """Where Azure would tell the operation's status."""
    identity = uuid.uuid5(_NAMESPACE, f"{operation['id'].lower()}#{operation['begin']}")
    subscription, namespace = operation["id"].split("/")[2], arm.type_of(operation["id"]).partition("/")[0]
    where = f"subscriptions/{subscription}/providers/{namespace}/operations/{identity}"
    return f"https://management.azure.com/{where}"


def _conflict(rule: Row, other: Record) -> ArmError:
    message = rule.text("message").format(
        name=arm.name_of(other["id"]), state=state_of(other["verb"]), operation=uri_of(other)
    )
    return ArmError(rule.integer("status"), rule.text("code"), message)


@cache
def _rules(arm_type: str) -> tuple[Row, ...]:
    """The rules for a type, for each scope the most exact one."""
    columns = ("type", "scope", "status", "code", "message", "source")
    rows = [
        row for row in read_table("conflicts.csv", columns) if fnmatchcase(arm_type.lower(), row.text("type").lower())
    ]
    chosen: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: -len(row.text("type"))):
        chosen.setdefault(row.choice("scope", "self", "parent", "children", "siblings"), row)
    return tuple(chosen.values())


def _in_scope(transaction: Transaction, resource_id: str, scope: str) -> Iterator[Record]:
    parent = arm.parent_of(resource_id)
    if scope in {"self", "parent"}:
        found = running(transaction, resource_id if scope == "self" else parent)
        if found is not None:
            yield found
        return
    above = resource_id if scope == "children" else parent
    for key in transaction.under(key_of(above) + "/"):
        operation = transaction.get(key)
        direct = arm.parent_of(key.removeprefix(OPERATIONS)) == above.lower()
        if operation is not None and direct and key != key_of(resource_id):
            yield operation
