"""`gpufleet destroy ENV`: delete everything that an environment has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption
from gpufleet.cli.run_options import (
    EnvironmentArgument,
    ParallelOption,
    RefreshOption,
    SandboxOption,
    StopOnErrorOption,
    TargetDependentsOption,
    TargetOption,
    YesOption,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from gpufleet.cli.progress.model import RunModel
    from gpufleet.cli.run import Run
    from gpufleet.cli.run_options import Request
    from gpufleet.engine import Resource

app = typer.Typer()

UnprotectOption = Annotated[
    list[str] | None,
    typer.Option("--unprotect", metavar="NAME", help="Let this protected resource go; repeatable, * as a wildcard."),
]


@app.command()
def destroy(
    environment: EnvironmentArgument,
    *,
    sandbox: SandboxOption = False,
    yes: YesOption = False,
    unprotect: UnprotectOption = None,
    refresh: RefreshOption = False,
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    parallel: ParallelOption = None,
    stop_on_error: StopOnErrorOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Delete every resource of an environment. Protected ones stop it before anything is deleted."""
    from gpufleet.cli.protection import in_state, to_unprotect
    from gpufleet.cli.run import reported, require_answerable

    asked = request(
        "destroy",
        environment=environment,
        sandbox=sandbox,
        form=form,
        output=output,
        yes=yes,
        target_dependents=target_dependents,
        parallel=parallel,
        refresh=refresh,
        stop_on_error=stop_on_error,
        target=target,
    )
    with reported(asked) as run:
        spec = run.check()
        require_answerable(asked)
        resources = in_state(run.recover())
        allowed = to_unprotect(resources, unprotect or [], asked)
        plan = _agreed(run, resources, production=spec.environment_class == "production")
        if plan is None:
            run.emit_text(_nothing(asked))
            return
        run.stack.unprotect(allowed)
        try:
            run.phase("Destroying", run.stack.destroy, asked.options, tree=True, plan=plan)
        finally:
            run.emit_text(_summary(run))


def _agreed(run: Run, resources: Sequence[Resource], *, production: bool) -> RunModel | None:
    """Show what will go, ask; None when there is nothing to destroy."""
    from gpufleet.cli.progress.plan import plan_lines
    from gpufleet.cli.protection import destroy_plan
    from gpufleet.cli.run import ask, ask_for_name
    from gpufleet.plural import plural

    request = run.request
    plan = destroy_plan(resources)
    if request.options.targets:
        run.phase("Looking at", run.stack.preview_destroy, request.options, tree=False)
        plan = run.model or plan
    if not plan.tally().total:
        return None
    run.tell(plan_lines(plan, title=f"To be destroyed in {request.place}", loud=False))
    if not request.yes:
        count = plural(plan.tally().total, "resource")
        if production:
            ask_for_name(f"This destroys {count} of a production environment.", request.environment)
        else:
            ask(f"Destroy {count} of {request.place}?")
    return plan


def _nothing(request: Request) -> list[Text]:
    from rich.text import Text

    return [Text(f"Nothing to destroy: {request.place} has no resources.")]


def _summary(run: Run) -> list[Text]:
    from rich.text import Text

    from gpufleet.cli.output import columns
    from gpufleet.cli.progress.summary import run_title, summary_lines
    from gpufleet.cli.protection import in_state, left_over

    if run.model is None:
        return []
    title = run_title(run.model, place=run.request.place, seconds=run.phase_seconds, ended=run.ended_well)
    lines = summary_lines(run.model, title=title, outputs={}, width=columns())
    if not run.ended_well or run.request.options.targets:
        return lines
    left = left_over(in_state(run.stack.export()))
    if left:
        return [*lines, Text(), Text(f"Left in the state ({len(left)}):"), *(Text(f"  {name}") for name in left[:20])]
    return [*lines, Text(), Text(f"Nothing is left of {run.request.place}; its (empty) stack stays.")]
