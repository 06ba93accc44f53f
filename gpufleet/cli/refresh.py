"""`gpufleet refresh ENV`: bring the state up to date with what really exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption
from gpufleet.cli.run_options import (
    DiffOption,
    EnvironmentArgument,
    ExpectNoChangesOption,
    ParallelOption,
    SandboxOption,
    TargetDependentsOption,
    TargetOption,
    YesOption,
    request,
)

if TYPE_CHECKING:
    from rich.text import Text

    from gpufleet.cli.progress.model import RunModel
    from gpufleet.cli.run import Run

app = typer.Typer()

PreviewOnlyOption = Annotated[
    bool, typer.Option("--preview-only", help="Say what differs in the cloud; the state stays as it is.")
]


@app.command()
def refresh(
    environment: EnvironmentArgument,
    *,
    sandbox: SandboxOption = False,
    yes: YesOption = False,
    preview_only: PreviewOnlyOption = False,
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    parallel: ParallelOption = None,
    expect_no_changes: ExpectNoChangesOption = False,
    diff: DiffOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Read every resource from the cloud into the state; the cloud itself is not changed."""
    from gpufleet.cli.run import ask, reported, require_answerable

    asked = request(
        "refresh",
        environment=environment,
        sandbox=sandbox,
        form=form,
        output=output,
        yes=yes,
        diff=diff,
        target_dependents=target_dependents,
        parallel=parallel,
        expect_no_changes=expect_no_changes,
        target=target,
    )
    with reported(asked) as run:
        run.check()
        if preview_only:
            run.warn_of_doubts()
        else:
            require_answerable(asked)
            run.recover()
        try:
            run.phase("Comparing", run.stack.preview_refresh, asked.options, tree=False)
        finally:
            lines = _lines(run)
            if preview_only or not _differs(run.model):
                run.emit_text(lines)
            else:
                run.tell(lines)
        if preview_only or not _differs(run.model):
            return
        if not yes:
            ask(f"Write this into the state of {asked.place}?")
        try:
            run.phase("Refreshing", run.stack.refresh, asked.options, tree=False)
        finally:
            run.emit_text(_summary(run))


def _differs(model: RunModel | None) -> bool:
    return model is not None and bool(model.tally().total)


def _lines(run: Run) -> list[Text]:
    """What is not as the state says."""
    from rich.text import Text

    from gpufleet.cli.progress.plan import change_text
    from gpufleet.plural import plural

    model = run.model
    if model is None or not model.nodes:
        return []
    lines = [Text(f"{run.request.place}: the cloud against the state", "bold"), Text()]
    for node in (node for node in model.resources() if node.changes):
        gone = node.op == "delete"
        said = "is not there any more" if gone else "was changed"
        where = f"{node.label} in {model.component_of(node)}"
        lines.append(Text(f"  {where} {said}", "bold red" if gone else "yellow"))
        lines += [Text(f"      {change_text(change, everything=run.request.everything)}") for change in node.diffs]
    same = plural(model.tally().unchanged, "resource")
    return [*lines, Text(f"  {same} as the state says", "dim")]


def _summary(run: Run) -> list[Text]:
    from rich.text import Text

    from gpufleet.cli.progress.words import duration
    from gpufleet.plural import plural

    if run.model is None or not run.ended_well:
        return []
    flag = " --sandbox" if run.request.sandbox else ""
    changed = plural(run.model.tally().total, "resource")
    return [
        Text(
            f"{run.request.place}: {changed} of the state brought up to date in {duration(run.phase_seconds)}", "bold"
        ),
        Text(),
        Text("Next", "bold"),
        Text(f"  gpufleet preview {run.request.environment}{flag}  what `up` would do to make it as declared again"),
    ]
