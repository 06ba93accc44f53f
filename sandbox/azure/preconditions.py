"""What Resource Manager asks of every request before a service sees it: group, parent, references, fixed properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sandbox import arm
from sandbox.azure import registry
from sandbox.azure.model import ResourceType, normalise_location
from sandbox.store import Record, Transaction
from sandbox.values import Properties, Secret, Value, lookup, reveal

_ARM_ID = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+(/providers/.+)?", re.IGNORECASE)


def require_same(resource_id: str, kind: ResourceType, old: Properties, new: Properties) -> None:
    """Raise ArmError when an update changes what is fixed at creation."""
    for path in (*kind.immutable, *kind.replace_on):
        if path != "location" and lookup(old, path) != lookup(new, path) and lookup(old, path):
            raise kind.change_refused(resource_id, path)
    was, wanted = (normalise_location(str(reveal(inputs.get("location", "")))) for inputs in (old, new))
    if was and wanted and was != wanted:
        raise arm.location_not_allowed(resource_id, was, wanted)


def require_group(get: Callable[[str], Record | None], resource_id: str) -> None:
    """Raise ArmError when the id's resource group does not exist."""
    group = arm.resource_group_of(resource_id)
    if group is not None and get("/".join(resource_id.split("/")[:5])) is None:
        raise arm.resource_group_not_found(group)


def require_parents(transaction: Transaction, resource_id: str) -> None:
    """Raise ArmError when what the id lies in does not exist."""
    parent = arm.parent_of(resource_id)
    # A level that is no resource of its own, or comes with its parent (…/blobServices/default/…), stands for that.
    while parent.count("/") > 4 and ((kind := registry.by_arm_type(arm.type_of(parent))) is None or kind.singleton):
        parent = arm.parent_of(parent)
    if parent.count("/") <= 3:  # the subscription
        return
    require_group(transaction.get, resource_id)
    if transaction.get(parent) is None:
        raise arm.parent_not_found(resource_id, parent)


def require_references(transaction: Transaction, resource_id: str, inputs: Properties, subscription: str) -> None:
    """Raise ArmError when an id in the inputs leads nowhere."""
    for reference in ids_in(inputs):
        if reference.lower() == resource_id.lower() or transaction.get(reference) is not None:
            continue
        if reference.split("/")[2].lower() != subscription.lower():
            continue  # another subscription's resources are out of the sandbox's sight
        if registry.by_arm_type(arm.type_of(reference)) is not None:
            raise arm.reference_not_found(resource_id, reference)


def references_of(inputs: Properties) -> list[str]:
    """The ids in a resource's inputs, lower-case: kept beside it, so that nobody walks all inputs to find its users."""
    return sorted({reference.lower() for reference in ids_in(inputs)})


def ids_in(value: Value) -> Iterator[str]:
    """Every ARM id of a resource or resource group in a value."""
    if isinstance(value, Secret):
        value = value.value
    if isinstance(value, str):
        if value.startswith("/subscriptions/") and _ARM_ID.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from ids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from ids_in(item)
