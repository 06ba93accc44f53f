"""The stack file after a roll-back: the models that run again, put back value by value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from gpufleet.rollout.release import Models
from gpufleet.sizing.advice import Change
from gpufleet.spec.base import Path
from gpufleet.spec.problem import key_text


def back_edits(environment: object, previous: Models, release: Models) -> tuple[list[Change], list[str]]:
    """What puts the previous models back into a stack file that has the release.

    Args:
        environment: the stack file's value, as it is written.
        previous: models that run again.
        release: models that were taken back.

    Returns:
        values to set in place, and in words what has to be done by hand: models and keys that come or go.
    """
    inference = environment.get("inference") if isinstance(environment, Mapping) else None
    models = inference.get("models") if isinstance(inference, Mapping) else None
    entries = {str(entry.get("name")): index for index, entry in enumerate(models or []) if isinstance(entry, Mapping)}
    after = {str(model["name"]): model for model in release}
    edits: list[Change] = []
    by_hand: list[str] = []
    for model in previous:
        name = str(model["name"])
        if name not in entries:
            by_hand.append(f"  inference.models: add {json.dumps(dict(model))}")
            continue
        path: Path = ("inference", "models", entries[name])
        written = (models or [])[entries[name]]
        for found in _differences(model, after.get(name, {}), path):
            if found.value is not None and _holds(written, found.path[len(path) :]):
                edits.append(found)
            elif found.value is None:
                by_hand.append(f"  {key_text(found.path)}: take it out")
            else:
                by_hand.append(f"  {key_text(found.path)}: {json.dumps(found.value)}")
    known = {str(model["name"]) for model in previous}
    by_hand += [
        f"  {key_text(('inference', 'models', index))}: take out {name}"
        for name, index in entries.items()
        if name in after and name not in known
    ]
    return edits, by_hand


def _differences(old: object, new: object, path: Path) -> Iterator[Change]:
    """Values of `old` that `new` has otherwise, at their paths; None where `old` has nothing."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key), new.get(key), (*path, str(key)))
    elif old != new:
        yield Change(path=path, value=old, why="runs again after the roll-back")


def _holds(value: object, path: Path) -> bool:
    """Whether there is a single value to overwrite at a path."""
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return not isinstance(value, Mapping | list)
