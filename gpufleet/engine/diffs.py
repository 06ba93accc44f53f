"""Which properties a step changes, with their values: the engine's detailed diff made readable.

Azure Native often reports an empty diff for an agent pool (pulumi/pulumi-azure-native#3546), so where the provider
names nothing, the old and the new inputs are compared here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gpufleet.engine.results import SECRET, UNKNOWN, ChangeKind, PropertyChange
from gpufleet.graph.wire import SECRET_SIGNATURE, SIGNATURE, UNKNOWN_TEXTS

_SEGMENT = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.\[]+)')
_ABSENT = object()


def plain(value: object) -> object:
    """A value of the engine as a person may see it: secrets as `SECRET`, values not known yet as `UNKNOWN`."""
    if isinstance(value, Mapping):
        signature = value.get(SIGNATURE)
        if signature == SECRET_SIGNATURE:
            return SECRET
        if signature is not None and "value" in value:  # an output value that carries its dependencies
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items() if key != "__defaults"}
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWN_TEXTS else value
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value


def property_changes(
    *,
    detailed: Mapping[str, tuple[str, bool]] | None,
    old_inputs: Mapping[str, object],
    old_outputs: Mapping[str, object],
    new_inputs: Mapping[str, object],
) -> tuple[PropertyChange, ...]:
    """The properties that a step changes, sorted by path.

    Args:
        detailed: the engine's `detailedDiff`: property path to its kind (`update`, `add-replace`, …) and whether old
            inputs (True) or the old state (False) were compared. Empty or None when the provider named nothing.
        old_inputs: inputs of the last run.
        old_outputs: state after the last run or refresh.
        new_inputs: inputs of this run.
    """
    if not detailed:
        return tuple(_compare(plain(old_inputs), plain(new_inputs), ""))
    changes = []
    for path, (kind, input_diff) in sorted(detailed.items()):
        first, second = (old_inputs, old_outputs) if input_diff else (old_outputs, old_inputs)
        old = _at(plain(first), path)
        if old is _ABSENT:
            old = _at(plain(second), path)
        new = _at(plain(new_inputs), path)
        changes.append(
            PropertyChange(
                path=path,
                kind=ChangeKind(kind.removesuffix("-replace")),
                replaces=kind.endswith("-replace"),
                old=None if old is _ABSENT else old,
                new=None if new is _ABSENT else new,
            )
        )
    return tuple(changes)


def _at(value: object, path: str) -> object:
    for index, quoted, name in _SEGMENT.findall(path):
        if index:
            if not isinstance(value, list) or int(index) >= len(value):
                return _ABSENT
            value = value[int(index)]
        else:
            key = re.sub(r"\\(.)", r"\1", quoted) if quoted else name
            if not isinstance(value, dict) or key not in value:
                return _ABSENT
            value = value[key]
    return value


def _compare(old: object, new: object, path: str) -> list[PropertyChange]:
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        changes = []
        for key in sorted(old.keys() | new.keys()):
            if key.startswith("__"):  # the engine's and the SDK's own bookkeeping
                continue
            below = _join(path, key)
            if key not in old:
                changes.append(PropertyChange(path=below, kind=ChangeKind.ADD, new=new[key]))
            elif key not in new:
                changes.append(PropertyChange(path=below, kind=ChangeKind.DELETE, old=old[key]))
            else:
                changes.extend(_compare(old[key], new[key], below))
        return changes
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            change
            for index, pair in enumerate(zip(old, new, strict=True))
            for change in _compare(*pair, f"{path}[{index}]")
        ]
    return [PropertyChange(path=path, kind=ChangeKind.UPDATE, old=old, new=new)]


def _join(path: str, key: str) -> str:
    if re.fullmatch(r"[A-Za-z_$][\w$]*", key):
        return f"{path}.{key}" if path else key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{escaped}"]'
