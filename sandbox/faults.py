"""Faults on demand: what the sandbox was told to fail, kept in the store (``fault/<number>``).

A fault strikes the requests whose type, name and verb fit, `times` times over all processes: it is counted down in the
transaction of the request that it strikes.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.table import Row
from sandbox.errors import ArmError, SandboxError
from sandbox.store import Record, Store, Transaction
from sandbox.tables import read_table

FAULTS = "fault/"
VERBS = ("create", "update", "delete", "read")


class Phase(StrEnum):
    """When in a request a fault strikes."""

    REFUSED = "refused"
    """Before anything is done."""
    FAILED = "failed"
    """The request is accepted, its operation fails: the resource stays, in provisioningState Failed."""
    LATE = "late"
    """The work is done and reported ten minutes later."""
    TIMEOUT = "timeout"
    """The operation takes longer than the provider waits; it ends well."""
    LOST = "lost"
    """The work is done, the answer never arrives, the connection stays broken."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is to fail, how, and how often still.

    Attributes:
        id: number, as text.
        type: shell pattern for the type (`AgentPool`, `network:*`, `apps/v1:Deployment`), case-insensitive.
        name: shell pattern for the resource's own name, case-insensitive.
        verbs: what it strikes: create, update, delete, read.
        code: Azure's code (or a Kubernetes reason).
        status: HTTP status.
        message: text, with `{placeholders}`.
        phase: when it strikes.
        times: how often still.
        retry_after: seconds of the header Retry-After, or None.
    """

    id: str
    type: str
    name: str
    verbs: tuple[str, ...]
    code: str
    status: int
    message: str
    phase: Phase
    times: int
    retry_after: float | None = None

    def fits(self, kind: str, name: str, verb: str) -> bool:
        """Whether it strikes a request. ``kind`` is a type without its package (`containerservice:AgentPool`)."""
        return verb in self.verbs and fits(kind, self.type) and fnmatchcase(name.lower(), self.name.lower())

    def error(self, words: Mapping[str, str]) -> ArmError:
        """Azure's error, with the placeholders filled in; one without a word stays as it is."""
        return ArmError(self.status, self.code, _Words().vformat(self.message, (), words), retry_after=self.retry_after)


def fits(kind: str, pattern: str) -> bool:
    """Whether a type (`containerservice:AgentPool`) fits a shell pattern, whole or by its last part alone."""
    kind, pattern = kind.lower(), pattern.lower()
    return fnmatchcase(kind, pattern) or fnmatchcase(kind.rpartition(":")[2], pattern)


class _Words(string.Formatter):
    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, object]) -> object:  # noqa: ARG002
        return kwargs.get(str(key), f"{{{key}}}")


@cache
def known() -> Mapping[str, Row]:
    """The known codes, by code (``sandbox/data/faults.csv``)."""
    columns = ("code", "status", "phase", "retried", "retry_after", "verbs", "message", "source")
    return {row.text("code"): row for row in read_table("faults.csv", columns)}


def make(
    *,
    code: str,
    type_: str = "*",
    name: str = "*",
    verbs: tuple[str, ...] = (),
    times: int = 1,
    status: int | None = None,
    message: str | None = None,
    phase: Phase | None = None,
    retry_after: float | None = None,
) -> Fault:
    """A fault without a number, with what the caller leaves out taken from the table.

    Raises:
        SandboxError: the code is not known and the caller gives no status or message; a value is out of range.
    """
    row = known().get(code)
    if row is None and (status is None or message is None):
        near = nearest_name(code, known())
        hint = f"did you mean '{near}'? Else give" if near else "give"
        raise SandboxError(
            f"the sandbox knows no error code '{code}': {hint} --status and --message for a code of your own "
            "(`gpufleet sandbox fail codes` lists the known ones)"
        )
    if times < 1:
        raise SandboxError(f"a fault strikes at least once, not {times} times")
    if unknown := [verb for verb in verbs if verb not in VERBS]:
        raise SandboxError(f"'{unknown[0]}' is no operation: one of {', '.join(VERBS)}")
    if status is not None and not 400 <= status <= 599:
        raise SandboxError(f"the status of an error is 400 to 599, not {status}")
    if retry_after is not None and retry_after < 0:
        raise SandboxError(f"Retry-After is at least 0 seconds, not {retry_after:g}")
    default = row.optional_number("retry_after") if row else None
    return Fault(
        id="",
        type=type_,
        name=name,
        verbs=verbs or (tuple(row.text("verbs").split()) if row else VERBS[:3]),
        code=code,
        status=status if status is not None else row.integer("status") if row else 0,
        message=message if message is not None else row.text("message") if row else "",
        phase=phase or (Phase(row.text("phase")) if row else Phase.REFUSED),
        times=times,
        retry_after=retry_after if retry_after is not None else default,
    )


def add(store: Store, fault: Fault) -> Fault:
    """Write a fault down; returns it with its number."""
    with store.transaction() as transaction:
        numbers = [int(key.removeprefix(FAULTS)) for key in transaction.under(FAULTS)]
        number = max(numbers, default=0) + 1
        transaction.put(f"{FAULTS}{number}", _record(fault))
    return _fault(str(number), _record(fault))


def listed(store: Store) -> list[Fault]:
    """The faults that still wait, oldest first."""
    return [_fault(key.removeprefix(FAULTS), record) for key, record in store.items(FAULTS)]


def remove(store: Store, ids: list[str] | None = None) -> list[str]:
    """Take faults away, all of them without ``ids``; returns the numbers of those that were there."""
    with store.transaction() as transaction:
        there = [key.removeprefix(FAULTS) for key in transaction.under(FAULTS)]
        gone = [number for number in there if ids is None or number in ids]
        for number in gone:
            transaction.delete(FAULTS + number)
    return gone


def strike(transaction: Transaction, kind: str, name: str, verb: str) -> Fault | None:
    """The oldest fault that fits a request, counted down by one; None when there is none."""
    for key in transaction.under(FAULTS):
        record = transaction.get(key)
        if record is None:
            continue
        fault = _fault(key.removeprefix(FAULTS), record)
        if fault.fits(kind, name, verb):
            if fault.times > 1:
                transaction.put(key, {**record, "times": fault.times - 1})
            else:
                transaction.delete(key)
            return fault
    return None


def _record(fault: Fault) -> Record:
    return {
        "type": fault.type,
        "name": fault.name,
        "verbs": list(fault.verbs),
        "code": fault.code,
        "status": fault.status,
        "message": fault.message,
        "phase": fault.phase.value,
        "times": fault.times,
        "retryAfter": fault.retry_after,
    }


def _fault(number: str, record: Record) -> Fault:
    return Fault(
        id=number,
        type=record["type"],
        name=record["name"],
        verbs=tuple(record["verbs"]),
        code=record["code"],
        status=record["status"],
        message=record["message"],
        phase=Phase(record["phase"]),
        times=record["times"],
        retry_after=record["retryAfter"],
    )
