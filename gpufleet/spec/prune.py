"""An environment without its faulty parts, so that the checks can still judge the rest in the same run.

An unknown key or a faulty value with a default is left out; what cannot be without the faulty part goes with it, up to the list item
that holds it. Positions stay right, for the way back from the shortened lists to the places in the file is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.messages import path_of, target_of
from gpufleet.spec.problem import ITEMS, Problem

_REMOVED = object()


@dataclass(frozen=True)
class Pruned:
    """What is left of a faulty environment."""

    environment: Environment | None
    """None when nothing is left that could be judged."""
    removed: frozenset[Path]
    """Paths, in the file, of what was left out, and of the keys that misspelt ones were probably meant to be."""
    indices: dict[Path, list[int]]
    """For each list that got shorter (by its path in the file): the index in the file of every item that is left."""

    def path_in_file(self, path: Path) -> Path:
        """The path in the file of a path in what is left."""
        result: Path = ()
        for part in path:
            if isinstance(part, int) and result in self.indices:
                result = (*result, self.indices[result][part])
            else:
                result = (*result, part)
        return result

    def undecided(self, problem: Problem) -> bool:
        """Whether a problem (its paths in the file's terms) rests on something that was left out."""
        if any(problem.path[: len(removed)] == removed for removed in self.removed):
            return True
        reads = problem.reads or (() if problem.lower_bound else (problem.path,))
        return any(_touches(removed, read) for read in reads for removed in self.removed)


def whole(environment: Environment) -> Pruned:
    """A faultless environment: nothing removed."""
    return Pruned(environment, frozenset(), {})


def prune(value: object, errors: list[ErrorDetails]) -> Pruned:
    """Leave out what `errors` (of validating `value`) are about until the models accept the rest."""
    tree = _copy(value)
    removed = {target for error in errors if (target := target_of(error))}
    while True:
        indices: dict[Path, list[int]] = {}
        rest = _compact(tree, (), indices)
        try:
            return Pruned(Environment.model_validate(rest), frozenset(removed), indices)
        except ValidationError as error:
            way_back = Pruned(None, frozenset(), indices)
            for detail in error.errors(include_url=False):
                path = way_back.path_in_file(path_of(detail))
                # A missing key can't be left out; what lacks it can.
                victim = path[:-1] if detail["type"] == "missing" else path
                if not victim:  # the environment as a whole lacks something
                    return Pruned(None, frozenset(removed), indices)
                removed.add(victim)
                _remove(tree, victim)


def _touches(removed: Path, read: Path) -> bool:
    if read[-1:] == (ITEMS,):
        items = read[:-1]
        return items[: len(removed)] == removed or removed[:-1] == items
    shorter = min(len(removed), len(read))
    return removed[:shorter] == read[:shorter]


def _copy(value: object) -> object:
    match value:
        case dict():
            return {key: _copy(item) for key, item in value.items()}
        case list():
            return [_copy(item) for item in value]
    return value


def _compact(value: object, path: Path, indices: dict[Path, list[int]]) -> object:
    match value:
        case dict():
            return {key: _compact(item, (*path, key), indices) for key, item in value.items() if item is not _REMOVED}
        case list():
            kept = [index for index, item in enumerate(value) if item is not _REMOVED]
            if len(kept) < len(value):
                indices[path] = kept
            return [_compact(value[index], (*path, index), indices) for index in kept]
    return value


def _remove(tree: object, path: Path) -> None:
    holder: object = tree
    for part in path[:-1]:
        match holder:
            case dict() if part in holder:
                holder = holder[part]
            case list() if isinstance(part, int) and part < len(holder):
                holder = holder[part]
            case _:
                return
    if isinstance(holder, dict | list):
        holder[path[-1]] = _REMOVED  # type: ignore[index]
