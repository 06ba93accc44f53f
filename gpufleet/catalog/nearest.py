"""The known name most like a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The member of `known` most like `name`, ignoring case, spaces, `-` and `_`; None when nothing is alike."""
    by_key: dict[str, str] = {}
    for candidate in known:
        by_key.setdefault(_key(candidate), candidate)
    if len(key := _key(name)) >= 3 and len(longer := [known for known in by_key if known.startswith(key)]) == 1:
        return by_key[longer[0]]
    # An overlong name would make difflib quadratic, and no name is that long.
    matches = get_close_matches(_key(name[:80]), by_key, n=1, cutoff=0.6)
    return by_key[matches[0]] if matches else None


def _key(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
