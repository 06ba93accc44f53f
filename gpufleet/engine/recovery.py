"""Making a state whole again after a run that was cut off: what is in doubt is looked up in the cloud.

Nothing is changed until everything is known: the looking up happens in a copy of the state, and its result takes the
state's place in one step. So a repair may be cut off itself, at any moment.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gpufleet.engine.doubts import LEFT, Doubt, Record, State, is_marked, place
from gpufleet.engine.errors import PendingOperationsError

Read = Callable[[State, Sequence[str]], State]
"""Reads resources, named by URN, from the cloud into a copy of a state; what is not there is not in the copy either."""

_SETTLED = frozenset({"", "succeeded", "failed", "canceled", "cancelled"})
_BROKEN = frozenset({"failed", "canceled", "cancelled"})
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_PATIENCE_SECONDS = 3 * 3600.0


class Outcome(StrEnum):
    """What became of an operation whose end was unknown."""

    ADOPTED = "adopted"
    """It was made: now it is in the state."""
    DROPPED = "dropped"
    """It was not made: the note is gone."""
    REFRESHED = "refreshed"
    """It is there: the state says what it is like now."""
    GONE = "gone"
    """It is not there any more: neither in the state."""
    FOREIGN = "foreign"
    """Something is there under its id that this run did not make: not taken into the state."""


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """One doubt, and what the cloud said."""

    doubt: Doubt
    outcome: Outcome


def repair(
    state: State,
    found: Sequence[Doubt],
    *,
    environment: str,
    read: Read,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[State, tuple[Repaired, ...]]:
    """Settle every doubt.

    Args:
        state: as exported.
        found: what is in doubt in it.
        environment: name of the stack, for messages.
        read: looks resources up.
        sleep: waits for an operation that the cloud is still busy with.
        clock: monotonic seconds.

    Returns:
        the repaired state, and what was found, in the order of `found`.

    Raises:
        PendingOperationsError: an id cannot be told from the inputs, or the cloud does not come to an end.
    """
    edited = copy.deepcopy(dict(state))
    edited["deployment"].pop("pending_operations", None)
    resources: list[Record] = edited["deployment"].setdefault("resources", [])
    _require_ids(found, resources, environment)
    for doubt in found:
        if doubt.is_new and doubt.checkable and not _is_recorded(doubt, resources):
            _fit(place(resources, doubt), resources)
    there = {str(record["urn"]) for record in resources}
    targets = list(dict.fromkeys(doubt.urn for doubt in found if doubt.checkable and doubt.urn in there))
    known = (
        _read_until_settled(edited, targets, environment, read=read, sleep=sleep, clock=clock) if targets else edited
    )
    result = copy.deepcopy(dict(known))
    result["deployment"].pop("pending_operations", None)
    settled = tuple(
        Repaired(doubt=doubt, outcome=_settle(doubt, result["deployment"].setdefault("resources", []), state))
        for doubt in found
    )
    return result, settled


def _settle(doubt: Doubt, resources: list[Record], before: State) -> Outcome:
    """Write what the cloud said about one doubt into the state."""
    record = _find(resources, doubt, before)
    if not doubt.is_new or (_is_recorded(doubt, _resources(before)) and not is_marked(doubt.record)):
        if record is None:
            return Outcome.GONE if doubt.checkable and _find(_resources(before), doubt, before) else Outcome.DROPPED
        _note_breakage(record)
        return Outcome.REFRESHED
    is_ours = _is_as_sent if doubt.operation == LEFT else _is_ours
    if record is not None and not is_ours(doubt.record, record):
        resources.remove(record)
        _keep_the_old_one(doubt, resources, before)
        return Outcome.FOREIGN
    if record is None:
        _keep_the_old_one(doubt, resources, before)
        return Outcome.DROPPED
    # A read brings the cloud's defaults along as inputs, as an import does; with those the next run would see changes
    # that nobody made, some of them replacements. What was sent is what a finished create would have left.
    record["inputs"] = copy.deepcopy(doubt.record.get("inputs") or {})
    _note_breakage(record)
    return Outcome.ADOPTED


def _is_ours(sent: Record, live: Record) -> bool:
    """Whether something carries what we sent to have made: every tag or label, and the location.

    A run may be killed between its note and the provider's own look whether the name is free; then what is there was
    there before.
    """
    wanted, outputs = sent.get("inputs") or {}, live.get("outputs") or {}
    location, actual = wanted.get("location"), outputs.get("location")
    if isinstance(location, str) and isinstance(actual, str) and _place_name(location) != _place_name(actual):
        return False
    pairs = [(wanted.get("tags"), outputs.get("tags"))]
    metadata, live_metadata = wanted.get("metadata"), outputs.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(live_metadata, Mapping):
        pairs.append((metadata.get("labels"), live_metadata.get("labels")))
    return all(_contains(sent_tags, live_tags) for sent_tags, live_tags in pairs)


def _is_as_sent(sent: Record, live: Record) -> bool:
    """Whether what nobody noted down is what we would have made: ours by its tags, else alike in all that it shows.

    A cluster's objects and maintenance windows carry no tags that tell an environment.
    """
    wanted, outputs = sent.get("inputs") or {}, live.get("outputs") or {}
    return _is_ours(sent, live) and (bool(wanted.get("tags")) or _agrees(wanted, outputs))


def _agrees(sent: object, live: object) -> bool:
    """Whether two values agree in all that both have; the cloud adds defaults and leaves out names that make the id."""
    if isinstance(sent, Mapping) and isinstance(live, Mapping):
        return all(_agrees(value, live[key]) for key, value in sent.items() if key in live)
    if isinstance(sent, list) and isinstance(live, list):
        return len(sent) == len(live) and all(map(_agrees, sent, live))
    return sent == live


def _contains(sent: object, live: object) -> bool:
    if not isinstance(sent, Mapping):
        return True
    values = live if isinstance(live, Mapping) else {}
    return all(values.get(key) == value for key, value in sent.items() if isinstance(value, str))


def _place_name(location: str) -> str:
    return location.replace(" ", "").lower()


def _note_breakage(record: Record) -> None:
    """Take our mark off; say so where the cloud itself calls the resource broken, and the next `up` updates it."""
    record.pop("initErrors", None)
    provisioning = str((record.get("outputs") or {}).get("provisioningState") or "")
    if provisioning.lower() in _BROKEN:
        record["initErrors"] = [f"provisioningState is {provisioning}"]


def _keep_the_old_one(doubt: Doubt, resources: list[Record], before: State) -> None:
    """A replacement that was not made: the one it was to replace is not to be deleted."""
    kept = {str(r.get("id")) for r in _resources(before) if r["urn"] == doubt.urn and not r.get("delete")}
    for record in resources:
        if record["urn"] == doubt.urn and str(record.get("id")) in kept:
            record.pop("delete", None)


def _read_until_settled(
    state: State,
    targets: Sequence[str],
    environment: str,
    *,
    read: Read,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> State:
    """Read; wait for what the cloud is still making, changing or deleting, for it may end either way."""
    begun, pause = clock(), _FIRST_PAUSE_SECONDS
    state = read(state, targets)
    while busy := [record for record in _resources(state) if record["urn"] in targets and _is_busy(record)]:
        if clock() - begun > _PATIENCE_SECONDS:
            names = ", ".join(str(record.get("id")) for record in busy)
            raise PendingOperationsError(
                f"{environment}: Azure is still busy with {names}", hint="Look there, and run the same command later."
            )
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        state = read(state, [str(record["urn"]) for record in busy])
    return state


def _is_busy(record: Record) -> bool:
    if not str(record["type"]).startswith("azure-native:"):
        return False
    return str((record.get("outputs") or {}).get("provisioningState") or "").lower() not in _SETTLED


def _require_ids(found: Sequence[Doubt], resources: Sequence[Record], environment: str) -> None:
    providers = {str(record["urn"]) for record in resources if str(record["type"]).startswith("pulumi:providers:")}
    unknown = [
        doubt
        for doubt in found
        if doubt.is_new
        and doubt.checkable
        and (not doubt.id or str(doubt.record.get("provider")).rpartition("::")[0] not in providers)
    ]
    if not unknown:
        return
    commands = "\n".join(
        f"  pulumi import '{doubt.type}' {doubt.name} ID --stack {environment}   # if it exists" for doubt in unknown
    )
    raise PendingOperationsError(
        f"{environment}: an earlier run was cut off while it made something whose id cannot be told from its inputs: "
        + ", ".join(doubt.label for doubt in unknown),
        hint=f"Look whether it exists; take it into the state if so, and then remove the note:\n{commands}\n"
        f"  pulumi refresh --clear-pending-creates --yes --skip-preview --stack {environment}",
    )


def _fit(record: Record, resources: Sequence[Record]) -> None:
    """Make a noted resource fit a state that has moved on: what it hung on may be gone, or have another id."""
    ids = {str(other["urn"]): str(other.get("id") or "") for other in resources}
    urn, _, _ = str(record["provider"]).rpartition("::")
    record["provider"] = f"{urn}::{ids[urn]}"
    record["dependencies"] = [other for other in record.get("dependencies") or () if other in ids]
    wired: Mapping[str, Any] = record.get("propertyDependencies") or {}
    record["propertyDependencies"] = {
        name: [other for other in others or () if other in ids] for name, others in wired.items()
    }
    for single in ("parent", "deletedWith"):
        if record.get(single) and record[single] not in ids:
            record.pop(single)


def _resources(state: State) -> list[Record]:
    return (state.get("deployment") or {}).get("resources") or []


def _is_recorded(doubt: Doubt, resources: Sequence[Record]) -> bool:
    """Whether the state has the resource already: marked by us, or made by a later run that left the old note alone."""
    return any(
        record["urn"] == doubt.urn
        and str(record.get("id", "")).lower() == doubt.id.lower()
        and not record.get("delete")
        and not record.get("pendingReplacement")
        for record in resources
    )


def _find(resources: Sequence[Record], doubt: Doubt, before: State) -> Record | None:
    """The entry that a doubt is about: by id, or the one that is new under its URN (a read may spell the id anew)."""
    entries = [record for record in resources if record["urn"] == doubt.urn]
    same = [record for record in entries if str(record.get("id", "")).lower() == doubt.id.lower()]
    old = {str(record.get("id")) for record in _resources(before) if record["urn"] == doubt.urn}
    fresh = [record for record in entries if str(record.get("id")) not in old]
    return next(iter([*same, *fresh]), None)
