"""The known name most like a misspelt one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.6
"""The share of equal characters from which on difflib's own `get_close_matches` calls two words close."""


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The member of `known` most like `name`, ignoring case, spaces, `-` and `_`; None when nothing is alike."""
    by_key: dict[str, str] = {}
    for candidate in known:
        by_key.setdefault(_key(candidate), candidate)
    if len(key := _key(name)) >= 3 and len(longer := [known for known in by_key if known.startswith(key)]) == 1:
        return by_key[longer[0]]
    matcher = SequenceMatcher()
    # An overlong name would make difflib quadratic, and no name is that long.
    matcher.set_seq2(key := key[:80])
    best: tuple[float, int] = (_ALIKE, -1)
    nearest = None
    for candidate, original in by_key.items():
        matcher.set_seq1(candidate)
        if matcher.real_quick_ratio() >= best[0] and matcher.quick_ratio() >= best[0]:
            # Of two that are equally alike (`eastus` and `westus` for `estus`), the one that begins alike.
            rank = (matcher.ratio(), _alike_from_the_start(key, candidate))
            if rank > best:
                best, nearest = rank, original
    return nearest


def _alike_from_the_start(one: str, other: str) -> int:
    return sum(1 for _ in itertools.takewhile(bool, map(str.__eq__, one, other)))


def _key(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
