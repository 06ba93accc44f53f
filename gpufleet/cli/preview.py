"""`gpufleet preview ENV`: what `up` would do."""

from __future__ import annotations

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption
from gpufleet.cli.run_options import (
    DiffOption,
    EnvironmentArgument,
    ExpectNoChangesOption,
    ParallelOption,
    PolicyPackOption,
    RefreshOption,
    Request,
    SandboxOption,
    TargetDependentsOption,
    TargetOption,
    run_options,
)

app = typer.Typer()


@app.command()
def preview(
    environment: EnvironmentArgument,
    *,
    sandbox: SandboxOption = False,
    refresh: RefreshOption = False,
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    parallel: ParallelOption = None,
    policy_pack: PolicyPackOption = None,
    expect_no_changes: ExpectNoChangesOption = False,
    diff: DiffOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Show what up would do; nothing is changed."""
    from gpufleet.cli.progress.plan import plan_lines
    from gpufleet.cli.run import reported

    options = run_options(
        targets=target,
        target_dependents=target_dependents,
        parallel=parallel,
        refresh=refresh,
        policy_packs=policy_pack,
        expect_no_changes=expect_no_changes,
    )
    request = Request(
        command="preview",
        environment=environment,
        sandbox=sandbox,
        form=form,
        output=output,
        options=options,
        everything=diff,
    )
    with reported(request) as run:
        run.check()
        run.stack.preload()
        run.warn_of_doubts()
        try:
            run.phase("Previewing", run.stack.preview, options, tree=False)
        finally:
            if run.model is not None and run.model.nodes:
                run.emit_text(plan_lines(run.model, title=f"Preview of {request.place}", everything=diff))
