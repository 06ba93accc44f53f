"""What a resource type's own functions see of the cloud, and the resources that Azure makes beside one."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.azure.model import Context
from sandbox.store import Record, Transaction
from sandbox.values import Properties, reveal

_GROUP = "azure-native:resources:ResourceGroup"


def context_in(transaction: Transaction, record: Record, tenant: str, previous: Properties | None = None) -> Context:
    """The context of one resource, seen from inside a transaction.

    Args:
        transaction: the change under way.
        record: the resource; outputs may be missing.
        tenant: the tenant's id.
        previous: the inputs before an update.
    """

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
        tenant=tenant,
        created=record["created"],
        find=find,
        below=below,
        users=users,
        records=lambda prefix: [found for key in transaction.under(prefix) if (found := transaction.get(key))],
        previous=None if previous is None else reveal(previous),
    )


def put_companions(transaction: Transaction, companions: Iterable[tuple[str, Properties]], created: str) -> list[str]:
    """Write what Azure makes with a resource (ids and outputs); returns their ids."""
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
