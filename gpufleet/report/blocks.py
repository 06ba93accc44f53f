"""Parts of a document that has a largest size: what comes first stays, what doesn't fit is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class Block:
    """One part: a head, items and a tail. It is shown whole, or with its first items, or not at all.

    Attributes:
        name: how a reader is told that it is missing.
        items: may be left out from the end; without items the block is whole or missing.
    """

    name: str
    head: str = ""
    items: tuple[str, ...] = ()
    tail: str = ""

    def text(self, items: int | None = None) -> str:
        """The block with its first items, and how many are missing."""
        shown = self.items[:items]
        left = len(self.items) - len(shown)
        return "".join((self.head, *shown, f"\n*… and {left:,} more*\n" if left else "", self.tail))


def fitted(blocks: Sequence[Block], foot: str, *, advice: str, max_bytes: int) -> str:
    """The blocks within the size.

    Args:
        blocks: the most important first; the first one is the summary and is always there.
        foot: comes last, whatever is left out.
        advice: where to find what is left out, a sentence.
        max_bytes: in UTF-8.
    """
    whole = "".join(block.text() for block in blocks) + foot
    if _bytes(whole) <= max_bytes:
        return whole
    room = max_bytes - _bytes(foot) - _bytes(_missing(_longest(blocks), advice, len(blocks)))
    shown, missing = [blocks[0].text()], list[str]()
    room -= _bytes(shown[0])
    for block in blocks[1:]:
        cut = block.text() if not missing else ""
        if missing or _bytes(cut) > room:
            cut = "" if missing else _cut(block, room)
            missing.append(block.name)
        shown.append(cut)
        room -= _bytes(cut)
    names = list(dict.fromkeys(name for name in missing if name))
    return "".join((*shown, _missing(names[:_NAMED], advice, len(names)), foot))


def _cut(block: Block, room: int) -> str:
    """As many of its first items as fit, "" when that is none."""
    least, most = 0, len(block.items)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if _bytes(block.text(middle)) <= room else (least, middle - 1)
    return block.text(least) if least else ""


def _missing(names: Sequence[str], advice: str, number: int) -> str:
    more = f" and {number - _NAMED:,} more parts" if number > _NAMED else ""
    return f"\n> **Cut to size.** Not whole here: {', '.join(names)}{more}. {advice}\n\n"


def _longest(blocks: Sequence[Block]) -> list[str]:
    return sorted((block.name for block in blocks), key=_bytes)[-_NAMED:]


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))
