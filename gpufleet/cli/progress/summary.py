"""What is said when a run is over: what was done to which component, what took long, what comes next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rich.text import Text

from gpufleet.cli.progress.diagnostics import Problem
from gpufleet.cli.progress.model import Node, RunModel, Tally
from gpufleet.cli.progress.words import VERBS, duration
from gpufleet.engine import UNKNOWN, Severity

_SLOWEST = 5
_ROWS = 40


def summary_lines(model: RunModel, *, title: str, outputs: Mapping[str, object], width: int) -> list[Text]:
    """The summary of a finished run.

    Args:
        model: the run.
        title: first line.
        outputs: stack outputs, secrets masked.
        width: columns; names give way to fit.
    """
    tallies: dict[str, Tally] = {}
    whole = model.tally(into=tallies)
    lines = [Text(title, "bold")]
    if whole.total:
        lines += [Text(), *_table(model, tallies, whole, width)]
        lines += _slowest(model, width)
    if outputs:
        lines += [Text(), Text("Outputs", "bold"), *_outputs(outputs)]
    return lines


def run_title(model: RunModel, *, place: str, seconds: float, ended: bool) -> str:
    """`dev (sandbox): 57 created, 2 updated in 1m 02s`."""
    whole = model.tally()
    parts = [f"{whole.ops[op]:,} {verb.done}" for op, verb in VERBS.items() if whole.ops[op]]
    if whole.failed:
        parts.append(f"{whole.failed:,} failed")
    if left := whole.waiting + whole.running:
        parts.append(f"{left:,} not done")
    if not parts:
        parts = ["no changes" if ended else "nothing was done"]
    return f"{place}: {', '.join(parts)} in {duration(seconds)}"


def next_lines(environment: str, *, sandbox: bool, up: bool) -> list[Text]:
    """What to type next, after an `up`.

    Args:
        environment: its name.
        sandbox: whether it lives in the sandbox.
        up: whether everything is there now.
    """
    flag = " --sandbox" if sandbox else ""
    if up:
        commands = [
            (f"gpufleet preview {environment}{flag}", "see what an edit of its stack file would do"),
            (f'eval "$(gpufleet env {environment}{flag})"', "use plain pulumi on the same stack"),
            (f"gpufleet destroy {environment}{flag}", "take it all down"),
        ]
        if sandbox:
            commands.insert(0, ("gpufleet sandbox list", "look at the sandbox's cloud"))
    else:
        commands = [(f"gpufleet up {environment}{flag}", "go on from here: what was made is kept")]
    width = max(len(command) for command, _ in commands)
    return [Text(), Text("Next", "bold"), *(Text(f"  {command:<{width}}  {why}") for command, why in commands)]


def problem_lines(found: list[Problem], *, limit: int = 50) -> list[Text]:
    """Problems, each with Azure's code first and the hint last."""
    lines: list[Text] = []
    for problem in found[:limit]:
        error = problem.severity is Severity.ERROR
        head = Text("error: " if error else "warning: ", "bold red" if error else "yellow")
        text_lines = problem.text.splitlines() or [""]
        if problem.title:
            lines.append(head.append(problem.title, "bold" if error else ""))
        else:
            lines.append(head.append(text_lines[0], "default"))
            text_lines = text_lines[1:]
        lines += [Text(f"  {line}") for line in text_lines]
        if problem.hint:
            lines.append(Text(f"  hint: {problem.hint}", "cyan"))
    if len(found) > limit:
        lines.append(Text(f"... and {len(found) - limit:,} more; --format json has them all", "dim"))
    return lines


def _table(model: RunModel, tallies: dict[str, Tally], whole: Tally, width: int) -> Iterator[Text]:
    titles = list(_cells(whole, whole))
    widths = [max(8, len(title)) for title in titles]
    room = max(20, min(60, width - sum(widths) - 2 * len(widths)))
    yield _table_row("", titles, widths, room, "dim")
    rows = list(_rows(model, tallies, model.children(), 0, 2))
    if len(rows) > _ROWS:
        rows = list(_rows(model, tallies, model.children(), 0, 1))
    for depth, node in rows[:_ROWS]:
        tally = tallies[node.urn]
        cells = list(_cells(tally, whole).values())
        yield _table_row("  " * depth + node.label, cells, widths, room, "red" if tally.failed else "")
    if len(rows) > _ROWS:
        yield Text(f"... and {len(rows) - _ROWS:,} more components", "dim")


def _cells(tally: Tally, whole: Tally) -> dict[str, str]:
    """Column title to cell; a column exists when the whole run has something in it."""
    counts = {VERBS[op].done: tally.ops[op] for op in VERBS if whole.ops[op]}
    if whole.failed:
        counts["failed"] = tally.failed
    if whole.waiting + whole.running:
        counts["not done"] = tally.waiting + tally.running
    time = "" if tally.started is None else duration(tally.seconds(tally.ended or tally.started))
    return {title: f"{count:,}" if count else "" for title, count in counts.items()} | {"time": time}


def _table_row(name: str, cells: list[str], widths: list[int], room: int, style: str) -> Text:
    if len(name) > room:
        name = f"{name[: room - 3]}..."
    return Text(f"{name:<{room}}" + "".join(f"  {c:>{w}}" for c, w in zip(cells, widths, strict=True)), style)


def _rows(
    model: RunModel, tallies: dict[str, Tally], urns: list[str], depth: int, deepest: int
) -> Iterator[tuple[int, Node]]:
    for urn in urns:
        node = model.nodes[urn]
        if not tallies[urn].total or node.custom:
            continue
        yield depth, node
        if depth < deepest:
            yield from _rows(model, tallies, model.children(node.urn), depth + 1, deepest)


def _slowest(model: RunModel, width: int) -> Iterator[Text]:
    nodes = sorted((n for n in model.resources() if n.changes and n.seconds >= 1), key=lambda n: -n.seconds)
    if not nodes:
        return
    yield Text()
    yield Text("Slowest", "bold")
    for node in nodes[:_SLOWEST]:
        name = f"{node.label} in {model.component_of(node)}"
        yield Text(f"  {duration(node.seconds):>8}  {name[: max(20, width - 12)]}")


def _outputs(outputs: Mapping[str, object], indent: str = "  ") -> Iterator[Text]:
    for key, thing in outputs.items():
        if isinstance(thing, Mapping) and thing:
            yield Text(f"{indent}{key}")
            yield from _outputs(thing, f"{indent}  ")
        elif thing == UNKNOWN:
            yield Text(f"{indent}{key}: known after apply")
        elif isinstance(thing, str):
            yield Text(f"{indent}{key}: {thing}")
        else:
            yield Text(f"{indent}{key}: {json.dumps(thing, ensure_ascii=False)}")
