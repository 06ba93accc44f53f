"""`gpufleet preview ENV`: what `up` would do."""

from __future__ import annotations

import typer

from gpufleet.cli import approving
from gpufleet.cli.approving import SaveOption
from gpufleet.cli.gate import NoCheckOption, StrictOption
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
    save: SaveOption = None,
    strict: StrictOption = None,
    no_check: NoCheckOption = False,
    diff: DiffOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Show what up would do; nothing is changed.

    It is checked first, as gpufleet check does; when that fails the preview runs all the same, and its exit code is the
    check's.
    """
    from gpufleet.cli.gate import ask_check
    from gpufleet.cli.pool_outlook import of_preview
    from gpufleet.cli.progress.plan import plan_lines
    from gpufleet.cli.rollout_gate import ServerOutlook
    from gpufleet.cli.rollout_gate import of_preview as servers_of_preview
    from gpufleet.cli.run import reported
    from gpufleet.engine import EngineError

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
        if save is not None:
            approving.require_writable(save)
        checked = run.check()
        if save is not None:
            approving.target_of(run, option="--save")
        run.stack.preload()
        with approving.one_stack_file(run, frozen=save is not None) as (file, label):
            gate = ask_check(environment, file, label=label, strict=strict, no_check=no_check, priced=save is not None)
            state = run.warn_of_doubts()
            servers = ServerOutlook(servers={})
            try:
                run.phase("Previewing", run.stack.preview, asked.options, tree=False)
                run.pools = of_preview(run, checked, state)
                servers = servers_of_preview(run, state)
            except EngineError:
                if gate.error is not None:
                    run.tell_error(gate.error)
                raise
            finally:
                if run.model is not None and run.model.nodes:
                    said = [*(run.pools.lines() if run.pools is not None else []), *servers.lines()]
                    run.emit_text(plan_lines(run.model, title=f"Preview of {asked.place}", everything=diff, pools=said))
            gate.require()
            if save is not None and gate.report is not None:
                approving.save(run, save, state=state, report=gate.report)
