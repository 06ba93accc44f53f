"""What a preview says: what would be destroyed first and loudly, then every change under its component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from gpufleet.cli.progress.model import Node, RunModel, Tally
from gpufleet.cli.progress.words import LOUD, VERBS, value
from gpufleet.engine import ChangeKind, PropertyChange
from gpufleet.plural import plural

FOLD_OVER = 150
"""Changes from which on a part of a fabric or region that is all new is one line; `--diff` shows everything."""

FOLD_WHOLE_OVER = 600
"""Changes from which on a whole fabric or region that is all new is one line."""


@dataclass(frozen=True, kw_only=True)
class _Detail:
    """What is folded: components from `depth` on in which nothing but one of `operations` happens."""

    depth: int
    operations: frozenset[str]
    everything: bool


def plan_lines(
    model: RunModel, *, title: str, everything: bool = False, loud: bool = True, pools: Sequence[Text] = ()
) -> list[Text]:
    """The plan of a finished preview.

    Args:
        model: the preview.
        title: first line.
        everything: never fold, and cut no value short.
        loud: list first what would be destroyed; a destroy's own plan has nothing else to list.
        pools: what happens to node pools as a whole, before the resources that they consist of.
    """
    tallies: dict[str, Tally] = {}
    whole = model.tally(into=tallies)
    lines = [Text(title, "bold"), Text()]
    if not whole.total:
        return [*lines, Text(f"No changes: {plural(whole.unchanged, 'resource')} as declared.", "green")]
    lines += pools
    if loud:
        lines += _loud(model, everything=everything)
    detail = _Detail(
        depth=1 if whole.total > FOLD_WHOLE_OVER else 2,
        operations=_foldable(whole, loud=loud, everything=everything),
        everything=everything,
    )
    for root in model.children():
        lines += _component(model, tallies, model.nodes[root], 0, detail)
    return [*lines, Text(), plan_counts(model)]


def plan_counts(model: RunModel) -> Text:
    """`+ 57 to create, ~ 2 to update, 18 unchanged`."""
    whole = model.tally()
    text = Text()
    for op, verb in VERBS.items():
        if whole.planned[op]:
            text.append(", " if text else "")
            text.append(f"{verb.mark} {whole.planned[op]:,} to {verb.base}", verb.style)
    if whole.unchanged:
        text.append(f"{', ' if text else ''}{whole.unchanged:,} unchanged", "dim")
    return text or Text("nothing to do", "dim")


def change_text(change: PropertyChange, *, everything: bool = False) -> str:
    """`maxCount 4 -> 8`, `nodeLabels.a added: "b"`, `zones removed (was ["1"])`."""
    limit = 10_000 if everything else 60
    if change.kind is ChangeKind.ADD:
        said = f"{change.path} added: {value(change.new, limit)}"
    elif change.kind is ChangeKind.DELETE:
        said = f"{change.path} removed (was {value(change.old, limit)})"
    else:
        said = f"{change.path} {value(change.old, limit)} -> {value(change.new, limit)}"
    return f"{said}  [forces replacement]" if change.replaces else said


def _loud(model: RunModel, *, everything: bool) -> list[Text]:
    lines: list[Text] = []
    for op in LOUD:
        nodes = [node for node in model.resources() if node.op == op]
        if not nodes:
            continue
        verb = VERBS[op]
        effect = "destroyed and made again" if op == "replace" else "destroyed"
        lines.append(Text(f"{verb.mark} {plural(len(nodes), 'resource')} will be {effect}:", verb.style))
        for node in nodes:
            lines.append(Text(f"    {node.label} in {model.component_of(node)}{_protection(node)}", verb.style))
            if op == "replace":
                causes = [change for change in node.diffs if change.replaces] or node.diffs
                lines += [Text(f"        {change_text(change, everything=everything)}") for change in causes]
        lines.append(Text())
    return lines


def _component(model: RunModel, tallies: dict[str, Tally], node: Node, depth: int, detail: _Detail) -> Iterator[Text]:
    tally = tallies[node.urn]
    if not tally.total:
        return
    indent = "  " * depth
    children = [model.nodes[child] for child in model.children(node.urn)]
    if node.changes:
        yield from _resource(node, indent, everything=detail.everything)
    elif depth >= detail.depth and (op := _only_operation(tally)) in detail.operations:
        verb = VERBS[op]
        yield Text(f"{indent}{node.label}: ").append(f"{verb.mark} {tally.total:,} to {verb.base}", verb.style)
        return
    else:
        yield Text(f"{indent}{node.label}", "bold")
    for child in children:
        yield from _component(model, tallies, child, depth + 1, detail)


def _resource(node: Node, indent: str, *, everything: bool) -> Iterator[Text]:
    verb = VERBS[node.op]
    head = Text(indent).append(f"{verb.mark} {node.label}{_protection(node)}", verb.style)
    changes = [change_text(change, everything=everything) for change in node.diffs]
    if node.op not in {"update", "replace"} or not changes:
        yield head
    elif len(changes) == 1:
        yield head.append(f": {changes[0]}")
    else:
        yield head
        for change in changes:
            yield Text(f"{indent}      {change}")


def _protection(node: Node) -> str:
    return " (protected)" if node.protected and node.op in LOUD else ""


def _foldable(whole: Tally, *, loud: bool, everything: bool) -> frozenset[str]:
    if everything or whole.total <= FOLD_OVER:
        return frozenset()
    return frozenset({"create"} if loud else {"create", "delete"})


def _only_operation(tally: Tally) -> str:
    """The operation of a subtree that is all new, or goes as a whole; "" when it is mixed."""
    return next(iter(tally.planned)) if not tally.unchanged and len(tally.planned) == 1 else ""
