"""`gpufleet preview ENV`: what `up` would do."""

from __future__ import annotations

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption
from gpufleet.cli.policy_packs import PolicyPackConfigOption, PolicyPackOption
from gpufleet.cli.run_options import (
    DiffOption,
    EnvironmentArgument,
    ExpectNoChangesOption,
    ParallelOption,
    RefreshOption,
    SandboxOption,
    TargetDependentsOption,
    TargetOption,
    request,
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
    policy_pack_config: PolicyPackConfigOption = None,
    expect_no_changes: ExpectNoChangesOption = False,
    diff: DiffOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Show what up would do; nothing is changed."""
    from gpufleet.cli.progress.plan import plan_lines
    from gpufleet.cli.run import reported

    asked = request(
        "preview",
        environment=environment,
        sandbox=sandbox,
        form=form,
        output=output,
        diff=diff,
        target_dependents=target_dependents,
        parallel=parallel,
        refresh=refresh,
        expect_no_changes=expect_no_changes,
        target=target,
        policy_pack=policy_pack,
        policy_pack_config=policy_pack_config,
    )
    with reported(asked) as run:
        run.check()
        run.stack.preload()
        run.warn_of_doubts()
        try:
            run.phase("Previewing", run.stack.preview, asked.options, tree=False)
        finally:
            if run.model is not None and run.model.nodes:
                run.emit_text(plan_lines(run.model, title=f"Preview of {asked.place}", everything=diff))
