"""What differs between two versions of an environment, in the stack file's words, by the component it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gpufleet.spec.environment import Environment

EVERYWHERE: Final = ""
"""Component of a difference that may touch any part of the bill."""

_NAMED_ITEMS = {
    "pools": "pool",
    "models": "model",
    "regions": "inference",
    "training": "training",
    "assumed": "planning price of",
}
_QUIET = frozenset({"nodes", "usage", "cluster", "network", "storage"})
"""Keys left out of the words: `pool h100: max 4 → 8` is clear without `nodes`."""
_LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """One changed value: `pool h100: max 4 → 8` of `training lab`."""

    component: str
    text: str


def differences(before: Environment, after: Environment) -> list[Difference]:
    """Every difference, in the order of the stack file's keys."""
    return list(_of(_plain(before), _plain(after), (), EVERYWHERE))


def _plain(environment: Environment) -> dict[str, object]:
    return environment.model_dump(mode="json", by_alias=True)


def _of(before: object, after: object, path: tuple[str, ...], component: str) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _of(before.get(key), after.get(key), (*path, key), component)
    elif (lists := _named_lists(before, after)) is not None:
        for key, (gone, new) in lists.items():
            yield from _of(gone, new, (*path, key), component)
    elif (old := _by_name(before)) is not None and (new := _by_name(after)) is not None:
        kind = _NAMED_ITEMS.get(path[-1], path[-1])
        for name in dict.fromkeys([*old, *new]):
            label = f"{kind} {name}"
            holder = label if kind in {"inference", "training"} else component
            inside = () if holder == label else (*_words(path[:-1]), f"{label}:")
            if name not in old or name not in new:
                what = f"{_said(path[:-1], component)}{label}"
                yield Difference(holder, f"{what} {'added' if name not in old else 'removed'}")
            else:
                yield from _of(old[name], new[name], inside, holder)
    else:
        yield Difference(component, " ".join([*_words(path), f"{_short(before)} → {_short(after)}"]))


def _named_lists(before: object, after: object) -> dict[str, tuple[object, object]] | None:
    """Of a block that came or went, the lists of things with names: these are what is worth telling."""
    block = after if before is None else before
    if (before is not None and after is not None) or not isinstance(block, Mapping):
        return None
    lists = {key: value for key, value in block.items() if value and _by_name(value) is not None}
    return {key: ([], value) if before is None else (value, []) for key, value in lists.items()} or None


def _by_name(value: object) -> dict[str, object] | None:
    """A list of things that have names, or of planning prices, by name; None for anything else."""
    if not isinstance(value, list):
        return None
    names = [_name(one) for one in value]
    if None in names or len(set(names)) < len(names):
        return None
    plain = [{key: inner for key, inner in one.items() if key != "name"} for one in value]
    return dict(zip(map(str, names), plain, strict=True))


def _name(one: object) -> str | None:
    if not isinstance(one, Mapping):
        return None
    if "name" in one:
        return str(one["name"])
    if "usd" not in one:
        return None
    subject = f"{one['sku']} {one['priority']}" if one.get("sku") else f"{one.get('service')}, {one.get('meter')}"
    return " in ".join([subject, *([", ".join(one["regions"])] if one.get("regions") else [])])


def _said(path: tuple[str, ...], component: str) -> str:
    words = _words(path)
    return f"{' '.join(words)} " if component != EVERYWHERE and words else ""


def _words(path: tuple[str, ...]) -> list[str]:
    return [*(part for part in path[:-1] if part not in _QUIET), *path[-1:]]


def _short(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case {"min": least, "max": most, **rest} if not rest:
            return f"{least} to {most}"
        case float() if value.is_integer():
            return str(int(value))
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            text = str(value)
        case list() if not value:
            return "nothing"
        case {**members}:
            text = ", ".join(f"{key} {_short(one)}" for key, one in members.items() if one is not None)
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
