"""The live tree: a run of any size in as many lines as the terminal has.

What is under way or refused is spelt out, what is finished or waiting is folded into counts; the less room there is,
the more is folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.text import Text

from gpufleet.cli.progress.model import Node, RunModel, Status, Tally
from gpufleet.cli.progress.words import VERBS, duration

_ELLIPSIS = "..."


@dataclass(frozen=True, kw_only=True)
class _Fold:
    """How much is folded: components deeper than `depth`, and finished or waiting siblings when `siblings` is set."""

    depth: int
    siblings: bool


_FOLDS = (
    _Fold(depth=99, siblings=False),
    _Fold(depth=99, siblings=True),
    _Fold(depth=3, siblings=True),
    _Fold(depth=2, siblings=True),
    _Fold(depth=1, siblings=True),
)


_OPEN = _FOLDS[1]


@dataclass(frozen=True, kw_only=True)
class _Row:
    depth: int
    mark: str
    left: str
    right: str
    style: str
    running: bool = False
    urn: str = ""


def tree_lines(model: RunModel, *, now: float, width: int, height: int) -> list[Text]:
    """The tree in at most `height` lines of at most `width` cells.

    Args:
        model: the run.
        now: seconds into the run, for the times of what is under way.
        width: columns of the terminal.
        height: lines that the tree may take, at least one.
    """
    tallies: dict[str, Tally] = {}
    model.tally(into=tallies)
    for urn, node in model.nodes.items():  # parents that are not known yet
        if urn not in tallies:
            tallies[urn] = Tally()
            tallies[urn].add(node)
    rows: list[_Row] = []
    for fold in _FOLDS:
        unfolding = _Unfolding(model=model, tallies=tallies, fold=fold, now=now)
        rows = list(unfolding.children(model.children(), 0))
        if len(rows) <= height:
            rows = unfolding.fill(rows, height)
            break
    if len(rows) > height:
        hidden = sum(row.running for row in rows[height - 1 :])
        more = f"{_ELLIPSIS} and {hidden} more under way" if hidden else _ELLIPSIS
        rows = [*rows[: height - 1], _Row(depth=1, mark="", left=more, right="", style="dim")]
    return [_line(row, width) for row in rows]


def counts_line(tally: Tally, width: int) -> Text:
    """`12 created, 2 failed, 3 under way, 40 waiting` for the line under the tree."""
    text = Text(no_wrap=True, overflow="ellipsis")
    parts = [(f"{tally.ops[op]:,} {verb.done}", verb.style) for op, verb in VERBS.items() if tally.ops[op]]
    if tally.failed:
        parts.append((f"{tally.failed:,} failed", "bold red"))
    if tally.running:
        parts.append((f"{tally.running:,} under way", ""))
    if tally.waiting:
        parts.append((f"{tally.waiting:,} waiting", "dim"))
    if tally.unchanged:
        parts.append((f"{tally.unchanged:,} unchanged", "dim"))
    for index, (part, style) in enumerate(parts):
        text.append(", " if index else "")
        text.append(part, style)
    text.truncate(width)
    return text


@dataclass(frozen=True, kw_only=True)
class _Unfolding:
    """One attempt to write the tree down, with one amount of folding."""

    model: RunModel
    tallies: dict[str, Tally]
    fold: _Fold
    now: float

    def fill(self, rows: list[_Row], height: int) -> list[_Row]:
        """Spell out the most urgent of the folded components as long as there is room."""
        spare = height - len(rows)
        closed = [row.urn for row in rows if row.urn and self.tallies[row.urn].active and row.depth >= self.fold.depth]
        opened: dict[str, list[_Row]] = {}
        for urn in sorted(closed, key=lambda urn: _urgency(self.tallies[urn])):
            wider = _Unfolding(model=self.model, tallies=self.tallies, fold=_OPEN, now=self.now)
            inside = list(wider.subtree(self.model.nodes[urn], self.fold.depth))
            if len(inside) - 1 <= spare:
                spare -= len(inside) - 1
                opened[urn] = inside
        return [inner for row in rows for inner in opened.get(row.urn, [row])]

    def children(self, urns: Sequence[str], depth: int) -> Iterable[_Row]:
        shown = [urn for urn in urns if self.tallies[urn].total]
        spelt = shown
        if self.fold.siblings:
            spelt = [urn for urn in shown if self.tallies[urn].active]
            spelt.sort(key=lambda urn: _urgency(self.tallies[urn]))
        for urn in spelt:
            yield from self.subtree(self.model.nodes[urn], depth)
        folded = set(shown) - set(spelt)
        if folded:
            yield _folded([self.tallies[urn] for urn in folded], depth)

    def subtree(self, node: Node, depth: int) -> Iterable[_Row]:
        tally = self.tallies[node.urn]
        if node.custom and not any(self.tallies[child].total for child in node.children):
            yield _leaf(node, depth, self.now)
            return
        yield _component(node, tally, depth, self.now)
        if tally.active and depth < self.fold.depth:
            if node.changes:
                yield _leaf(node, depth + 1, self.now)
            yield from self.children(self.model.children(node.urn), depth + 1)


def _urgency(tally: Tally) -> tuple[bool, bool, float]:
    """Refused first, then what is under way, the longest first."""
    return not tally.failed, not tally.running, tally.started or 0.0


def _leaf(node: Node, depth: int, now: float) -> _Row:
    verb = VERBS[node.op]
    if node.status is Status.FAILED:
        state, style, mark = f"{verb.base} failed", "bold red", "x"
    elif node.status is Status.RUNNING:
        state, style, mark = verb.running, verb.style, verb.mark
    elif node.status is Status.DONE:
        state, style, mark = verb.done, "dim", verb.mark
    else:
        state, style, mark = "waiting", "dim", verb.mark
    time = "" if node.started is None else duration((now if node.ended is None else node.ended) - node.started)
    return _Row(
        depth=depth,
        mark=mark,
        left=node.label,
        right=f"{state} {time:>8}",
        style=style,
        running=node.status is Status.RUNNING,
    )


def _component(node: Node, tally: Tally, depth: int, now: float) -> _Row:
    time = duration(tally.seconds(now)) if tally.started is not None else ""
    if tally.failed:
        state, style, mark = f"{tally.failed:,} failed, {tally.done:,}/{tally.total:,}", "bold red", "x"
    elif tally.finished:
        done = ", ".join(f"{tally.ops[op]:,} {verb.done}" for op, verb in VERBS.items() if tally.ops[op])
        state, style, mark = done, "dim", ""
    elif tally.running or tally.done:
        state, style, mark = f"{tally.done:,}/{tally.total:,}", "bold", ""
    else:
        state, style, mark = f"{tally.total:,} waiting", "dim", ""
    return _Row(
        depth=depth,
        mark=mark,
        left=node.label,
        right=f"{state} {time:>8}",
        style=style,
        running=bool(tally.running),
        urn=node.urn,
    )


def _folded(tallies: list[Tally], depth: int) -> _Row:
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    parts = [f"{whole.ops[op]:,} {verb.done}" for op, verb in VERBS.items() if whole.ops[op]]
    if whole.waiting:
        parts.append(f"{whole.waiting:,} waiting")
    return _Row(
        depth=depth, mark="", left=f"{_ELLIPSIS} {len(tallies):,} more: {', '.join(parts)}", right="", style="dim"
    )


def _line(row: _Row, width: int) -> Text:
    """One row; the left part gives way when there is no room for both."""
    left = Text("  " * row.depth)
    if row.mark:
        left.append(f"{row.mark} ", row.style)
    left.append(row.left, row.style)
    room = max(8, width - len(row.right) - 2) if row.right else width
    if left.cell_len > room:
        left.truncate(room - len(_ELLIPSIS))
        left.append(_ELLIPSIS, row.style)
    if not row.right:
        return left
    left.append(" " * (room - left.cell_len + 2))
    left.append(row.right, row.style)
    left.truncate(width)
    return left
