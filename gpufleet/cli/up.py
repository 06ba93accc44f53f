"""`gpufleet up ENV`: create or update an environment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from gpufleet.cli import approving
from gpufleet.cli.approving import MAX_AGE_DAYS, ApprovedOption, MaxAgeOption
from gpufleet.cli.gate import NoCheckOption, StrictOption
from gpufleet.cli.output import Format, FormatOption, OutputOption
from gpufleet.cli.policy_packs import PolicyPackConfigOption, PolicyPackOption
from gpufleet.cli.pool_outlook import DespiteJobsOption
from gpufleet.cli.rollout_gate import AllRegionsOption
from gpufleet.cli.run_options import (
    DiffOption,
    EnvironmentArgument,
    ExpectNoChangesOption,
    ParallelOption,
    RefreshOption,
    SandboxOption,
    SkipPreviewOption,
    StopOnErrorOption,
    TargetDependentsOption,
    TargetOption,
    YesOption,
    request,
)

if TYPE_CHECKING:
    from rich.text import Text

    from gpufleet.cli.progress.model import RunModel
    from gpufleet.cli.run import EngineCall, Run
    from gpufleet.engine.doubts import State
    from gpufleet.spec import Environment

app = typer.Typer()


@app.command()
def up(
    environment: EnvironmentArgument,
    *,
    sandbox: SandboxOption = False,
    yes: YesOption = False,
    skip_preview: SkipPreviewOption = False,
    refresh: RefreshOption = False,
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    parallel: ParallelOption = None,
    policy_pack: PolicyPackOption = None,
    policy_pack_config: PolicyPackConfigOption = None,
    expect_no_changes: ExpectNoChangesOption = False,
    stop_on_error: StopOnErrorOption = False,
    despite_jobs: DespiteJobsOption = False,
    all_regions: AllRegionsOption = False,
    approved: ApprovedOption = None,
    approved_max_age: MaxAgeOption = MAX_AGE_DAYS,
    strict: StrictOption = None,
    no_check: NoCheckOption = False,
    diff: DiffOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Create or update an environment: check, preview, question, then the real thing."""
    from gpufleet.cli.gate import ask_check
    from gpufleet.cli.run import reported, require_answerable
    from gpufleet.errors import ConfigurationError

    asked = request(
        "up",
        environment=environment,
        sandbox=sandbox,
        form=form,
        output=output,
        yes=yes,
        skip_preview=skip_preview,
        diff=diff,
        target_dependents=target_dependents,
        parallel=parallel,
        refresh=refresh,
        expect_no_changes=expect_no_changes,
        stop_on_error=stop_on_error,
        target=target,
        policy_pack=policy_pack,
        policy_pack_config=policy_pack_config,
    )
    with reported(asked) as run:
        if approved is not None and skip_preview:
            raise ConfigurationError(
                "--approved needs the preview that --skip-preview leaves out", hint="Leave out one of the two."
            )
        checked = run.check()
        require_answerable(asked)
        approval = None if approved is None else approving.opened(run, approved, days=approved_max_age)
        run.stack.preload()
        with approving.one_stack_file(run, frozen=approval is not None) as (file, label):
            gate = ask_check(
                environment, file, label=label, strict=strict, no_check=no_check, priced=approval is not None
            )
            gate.require()
            state = run.recover()
            hold = None
            if approval is not None and approved is not None and gate.report is not None:
                hold = approving.Hold(run=run, approval=approval, file=approved, report=gate.report, state=state)
            jobs = _Jobs(environment=checked, state=state, despite=despite_jobs, all_regions=all_regions)
            plan = None
            if skip_preview:
                _unseen(run, jobs)
            else:
                plan = _agreed(run, hold, jobs)
            call = run.stack.up if hold is None else hold.call()
            try:
                _update(run, plan, call)
            finally:
                run.emit_text(_summary(run))


@dataclass(frozen=True, kw_only=True)
class _Jobs:
    """What it takes to say whether running jobs stand against a run.

    Attributes:
        environment: as the stack file has it.
        state: of the stack, before the preview.
        despite: `--despite-jobs`.
        all_regions: `--all-regions`.
    """

    environment: Environment
    state: State
    despite: bool
    all_regions: bool


def _update(run: Run, plan: RunModel | None, call: EngineCall) -> None:
    """Let the engine update; again when all that it stumbled over was there, and is in the state by now.

    An engine that goes on after errors deletes, at the end, whatever the program no longer has: an old pool whose
    successor found no capacity. So where pools go, the first failure is the last thing that happens.
    """
    from gpufleet.engine import EngineError
    from gpufleet.engine.approval import NotApprovedError

    options = run.request.options
    if run.pools is not None and run.pools.removes:
        options = replace(options, continue_on_error=False)
    while True:
        try:
            run.phase("Updating", call, options, tree=True, plan=plan)
        except NotApprovedError:
            raise
        except EngineError:
            # Each time the state has more in it, so this ends.
            if not run.found_again:
                raise
        else:
            return


def _unseen(run: Run, jobs: _Jobs) -> None:
    """Without a preview: say what becomes of pools, and go on only when no running job loses its nodes."""
    from gpufleet.cli.pool_outlook import of_program
    from gpufleet.cli.rollout_gate import of_models

    servers = of_models(jobs.environment, jobs.state)
    run.tell(servers.lines())
    servers.require(run, jobs.environment, all_regions=jobs.all_regions)
    run.pools = of_program(run, jobs.environment, jobs.state)
    run.tell(run.pools.lines())
    run.pools.require(run, jobs.environment, despite_jobs=jobs.despite)


def _agreed(run: Run, hold: approving.Hold | None, jobs: _Jobs) -> RunModel | None:
    """Preview, show it, hold it against what was approved and what runs, ask; the plan when the answer is yes."""
    from gpufleet.cli.pool_outlook import of_preview
    from gpufleet.cli.progress.plan import plan_counts, plan_lines
    from gpufleet.cli.rollout_gate import ServerOutlook
    from gpufleet.cli.rollout_gate import of_preview as servers_of_preview
    from gpufleet.cli.run import ask

    request = run.request
    servers = ServerOutlook(servers={})
    try:
        run.phase("Previewing", run.stack.preview, request.options, tree=False)
        run.pools = of_preview(run, jobs.environment, jobs.state)
        servers = servers_of_preview(run, jobs.state)
    finally:
        plan = run.model
        changes = plan.tally().total if plan is not None else 0
        if plan is not None and changes:
            said = [*(run.pools.lines() if run.pools is not None else []), *servers.lines()]
            run.tell(plan_lines(plan, title=f"Preview of {request.place}", everything=request.everything, pools=said))
    run.tell_problems()
    if hold is not None:
        hold.require_shown()
    if run.pools is not None:
        run.pools.require(run, jobs.environment, despite_jobs=jobs.despite)
    servers.require(run, jobs.environment, all_regions=jobs.all_regions)
    if plan is not None and changes and not request.yes:
        ask(f"Do this to {request.place}: {plan_counts(plan).plain}?")
    return plan


def _summary(run: Run) -> list[Text]:
    from gpufleet.cli.output import columns
    from gpufleet.cli.progress.summary import next_lines, run_title, summary_lines

    if run.model is None:
        return []
    ended = run.result is not None and not run.model.tally().failed
    title = run_title(run.model, place=run.request.place, seconds=run.phase_seconds, ended=run.ended_well)
    outputs = run.result.outputs if run.result else {}
    lines = summary_lines(run.model, title=title, outputs=outputs, width=columns())
    return [*lines, *next_lines(run.request.environment, sandbox=run.request.sandbox, up=ended and run.ended_well)]
