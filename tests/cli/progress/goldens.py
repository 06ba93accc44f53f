"""Golden renderings: `python -m tests.cli.progress.goldens` writes them anew; read the difference before a commit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gpufleet.cli.progress.diagnostics import problems
from gpufleet.cli.progress.plan import plan_lines
from gpufleet.cli.progress.summary import problem_lines, run_title, summary_lines
from gpufleet.cli.progress.text import render
from gpufleet.cli.progress.tree import counts_line, tree_lines
from tests.recordings.streams import recorded

FOLDER = Path(__file__).parent / "golden"
WIDTHS = (80, 120)
PREVIEWS = ("preview", "preview_update", "preview_replace", "policy", "exc")
MOMENTS = (("fail", 8.0), ("fail", 1e9), ("cancel", 5.0), ("cancel", 1e9))
ENDS = ("fail", "nochange", "replace", "delete", "destroy", "destroy_protected", "cancel", "warn", "updfail")
_PLANS = {"fail": "preview", "cancel": "preview", "destroy": "preview_destroy", "destroy_protected": "preview_destroy"}


def renderings() -> Iterator[tuple[str, str]]:
    """File name and text of each."""
    for name in PREVIEWS:
        model = recorded(name).model()
        lines = plan_lines(model, title="Preview of dev (sandbox)")
        yield f"plan-{name}.txt", render([*lines, *problem_lines(problems(model))], colour=False)
    for width in WIDTHS:
        for name, until in MOMENTS:
            plan = recorded(_PLANS[name]).model()
            model = recorded(name).model(plan, until=until)
            lines = tree_lines(model, now=min(until, 12.0), width=width, height=40)
            moment = "end" if until > 100 else f"{until:g}s"
            text = render([*lines, counts_line(model.tally(), width)], colour=False)
            yield f"tree-{name}-{moment}-{width}.txt", text
        for name in ENDS:
            recording = recorded(name)
            model = recording.model(recorded(_PLANS[name]).model() if name in _PLANS else None)
            title = run_title(model, place="dev (sandbox)", seconds=12.5, ended=True)
            lines = summary_lines(model, title=title, outputs=recording.reader.outputs, width=width)
            text = render([*lines, *problem_lines(problems(model))], colour=False)
            yield f"summary-{name}-{width}.txt", text


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in renderings():
        (FOLDER / file).write_text(text, encoding="utf-8")
