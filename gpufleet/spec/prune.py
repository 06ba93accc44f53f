"""An environment without its faulty parts, so that the checks can still judge the rest in the same run.

An unknown key, or a faulty value that may be absent, is left out. A faulty value that must be there gets a stand-in, so
that a misspelt name hides nothing else about its pool. What was left out or stood in for is remembered: a check whose
verdict rests on it is not heard. Positions stay right, for the way back from shortened lists to the places in the file
is kept.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.messages import faults, path_of, target_of
from gpufleet.spec.problem import ITEMS, Problem

_REMOVED: Final = object()

# Valid, and unknown to the catalogue or as small as can be: a check that doesn't know the value finds nothing to say.
_POOL: Final = {"name": "zz", "sku": "Standard_unknown", "nodes": 1}
_BUDGET: Final = {"monthlyUsd": 1.0, "start": dt.date(2100, 1, 1), "contacts": ["unknown@example.com"]}
_STAND_INS: Final[dict[str, object]] = {
    "class": "standard",
    "owner": "unknown",
    "costCenter": "unknown",
    "allowedRegions": ["unknown"],
    "budget": _BUDGET,
    **_BUDGET,
    "kind": "actual",
    "percent": 1.0,
    "name": "zz",
    "region": "unknown",
    "pools": [_POOL],
    "sku": "Standard_unknown",
    "nodes": 1,
    "min": 0,
    "max": 1,
    "maxNodes": 300,
    "supportRequest": "unknown",
    "parametersB": 1e-6,
    "tokensB": 1e-6,
    "datasetTiB": 1e-6,
    "maxLossPercent": 5.0,
    "precision": "fp8",
    "contextTokens": 1,
    "demandTokensPerSecond": 1e-6,
    "layers": 1,
    "kvHeads": 1,
    "headDim": 1,
    "share": 1.0,
    "days": ["Monday"],
    "from": "00:00",
    "to": "01:00",
    "timeZone": "UTC",
    "regions": [{"name": "unknown", "pools": [_POOL]}],
}


@dataclass(frozen=True)
class Pruned:
    """What is left of a faulty environment."""

    environment: Environment | None
    """None when nothing is left that could be judged."""
    removed: frozenset[Path]
    """Paths, in the file, of what was left out or stood in for, and of the keys that misspelt ones were probably meant
    to be."""
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
    """Leave out or stand in for what `errors` (of validating `value`) are about, until the models accept the rest."""
    removed = {target for error in errors if (target := target_of(error))}
    if not isinstance(value, dict):
        return Pruned(None, frozenset(removed), {})
    tree = _copy(value)
    tried: set[tuple[Path, bool]] = set()
    while True:
        indices: dict[Path, list[int]] = {}
        rest = _compact(tree, (), indices)
        try:
            return Pruned(Environment.model_validate(rest), frozenset(removed), indices)
        except ValidationError as error:
            details = faults(error)
        way_back = Pruned(None, frozenset(), indices)
        # All of a round at once: two faults at one place are one remedy.
        remedies = {
            _remedy(detail["type"], way_back.path_in_file(path_of(detail)), tried): detail for detail in details
        }
        for (victim, stands_in), detail in remedies.items():
            if not victim:
                return Pruned(None, frozenset(removed), indices)
            tried.add((victim, stands_in))
            if detail["type"] != "extra_forbidden":  # that bears on nothing but what it may have been meant to be
                removed.add(victim)
            _put(tree, victim, _stand_in(victim) if stands_in else _REMOVED)


def _remedy(kind: str, path: Path, tried: set[tuple[Path, bool]]) -> tuple[Path, bool]:
    """What to change, and whether a stand-in takes its place: the faulty value, or what is around it if that was tried.

    Each is tried once, so pruning ends, even where pydantic's path leads nowhere (a key with half a surrogate pair).
    """
    if kind == "missing":
        if path[-1] in _STAND_INS and (path, True) not in tried:
            return path, True
        path = path[:-1]
    while path and (path, False) in tried:
        path = path[:-1]
    return path, False


def _stand_in(path: Path) -> object:
    if path[-2:] == ("lustre", "sku"):
        return "AMLFS-Durable-Premium-40"
    if path[-1] == "name" and isinstance(path[-2], int):
        return f"zz{path[-2]}"
    return _STAND_INS[str(path[-1])]


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


def _put(tree: object, path: Path, value: object) -> None:
    holder: object = tree
    for part in path[:-1]:
        if isinstance(holder, dict):
            holder = holder.get(part)
        elif isinstance(holder, list) and isinstance(part, int):
            holder = holder[part]
    if isinstance(holder, dict) or (isinstance(holder, list) and isinstance(path[-1], int)):
        holder[path[-1]] = value  # type: ignore[index]
