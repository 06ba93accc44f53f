"""`gpufleet rollout start|back|status`: a new release of the models, region by region, and back again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from gpufleet.cli.gate import NoCheckOption, StrictOption
from gpufleet.cli.output import Format, FormatOption, OutputOption, people
from gpufleet.cli.run_options import (
    EnvironmentArgument,
    ParallelOption,
    SandboxOption,
    YesOption,
    request,
)
from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gpufleet.cli.rollout_platform import EnginePlatform
    from gpufleet.cli.rollout_regions import Source
    from gpufleet.cli.run import Run
    from gpufleet.cli.run_options import Request
    from gpufleet.engine.doubts import State
    from gpufleet.rollout.driver import Clock, Driver
    from gpufleet.rollout.journal import Journal
    from gpufleet.spec import Environment

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(
    help="A new release of the models, region by region, watched, and back again.", no_args_is_help=True
)
app.add_typer(group, name="rollout")

JournalOption = Annotated[
    Path | None,
    typer.Option("--journal", metavar="PATH", help="Where the roll-out notes what it has done.", dir_okay=False),
]


@group.command()
def start(
    environment: EnvironmentArgument,
    *,
    sandbox: SandboxOption = False,
    yes: YesOption = False,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", metavar="NAME", help="Only this model; repeatable.")
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", metavar="REGIONS", help="Regions to go to first, with commas between.")
    ] = None,
    bake: Annotated[
        float | None, typer.Option("--bake", min=0, metavar="MINUTES", help="Watch each region for so long.")
    ] = None,
    max_error_percent: Annotated[
        float | None, typer.Option("--max-error-percent", min=0, max=100, help="Failed requests a region may have.")
    ] = None,
    max_latency_increase_percent: Annotated[
        float | None,
        typer.Option("--max-latency-increase-percent", min=0, help="How much longer the first token may take."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the one that was cut off or stopped.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change and whether regions are ready; change nothing.")
    ] = False,
    journal: JournalOption = None,
    parallel: ParallelOption = None,
    strict: StrictOption = None,
    no_check: NoCheckOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Bring the models of the stack file to every region, one after the other.

    A region gets them once it is ready, serves them under watch, and has the previous ones back when it does badly.
    Nothing but the models changes: the rest of the stack file is for up.
    """
    from gpufleet.cli.gate import ask_check
    from gpufleet.cli.rollout_files import journal_file, keeper, only_one
    from gpufleet.cli.rollout_output import emit_rollout, require_ready, tell
    from gpufleet.cli.run import ask, reported, require_answerable
    from gpufleet.engine.project import stack_file
    from gpufleet.rollout.journal import read

    asked = _request("rollout start", environment, sandbox=sandbox, yes=yes or dry_run, parallel=parallel)
    with reported(asked) as run:
        checked = run.check()
        if checked.inference is None:
            raise ConfigurationError(f"{environment} has no inference platform", hint="Only models are rolled out.")
        require_answerable(asked)
        file = journal_file(environment, root=run.root, sandbox=sandbox, named=journal)
        with only_one(file):
            found = read(file)
            _require_usable(found, environment, sandbox=sandbox, resume=resume)
            path = stack_file(run.root, environment)
            ask_check(
                environment, path, label=str(path.relative_to(run.root)), strict=strict, no_check=no_check, priced=False
            ).require()
            state = run.warn_of_doubts() if dry_run else run.recover()
            platform = _platform(run, state)
            if resume and found is not None:
                going = found
            else:
                made = _new(
                    checked,
                    platform,
                    names=model or [],
                    order=order,
                    settings=_settings(checked, bake, max_error_percent, max_latency_increase_percent),
                    sandbox=sandbox,
                    environment=environment,
                )
                if made is None:
                    people().print(f"{asked.place}: every region has the models of the stack file", markup=False)
                    emit_rollout(None, form, output)
                    return
                going = made
            platform.environment(going.release)
            tell(run, going)
            if dry_run:
                require_ready(platform, going)
                emit_rollout(going, form, output)
                return
            if not asked.yes:
                ask(f"Roll this out to {asked.place}?")
            kept = [going]
            save = keeper(file)

            def keep(one: Journal) -> None:
                save(one)
                kept[:] = [one]

            try:
                _driver(platform, keep).forward(going)
            finally:
                emit_rollout(kept[0], form, output)


@group.command()
def back(
    environment: EnvironmentArgument,
    *,
    sandbox: SandboxOption = False,
    yes: YesOption = False,
    write: Annotated[
        bool, typer.Option("--write", help="Put the previous models back into the stack file too.")
    ] = False,
    journal: JournalOption = None,
    parallel: ParallelOption = None,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Return every region that the latest roll-out reached to the models that ran before it."""
    from gpufleet.cli.rollout_files import journal_file, keeper, only_one
    from gpufleet.cli.rollout_output import emit_rollout, name_stack_file
    from gpufleet.cli.run import ask, reported, require_answerable
    from gpufleet.rollout.journal import Stage, Status, read

    asked = _request("rollout back", environment, sandbox=sandbox, yes=yes, parallel=parallel)
    with reported(asked) as run:
        run.check()
        require_answerable(asked)
        file = journal_file(environment, root=run.root, sandbox=sandbox, named=journal)
        with only_one(file):
            found = read(file)
            if found is None or found.status is Status.BACK:
                raise ConfigurationError(
                    f"{asked.place}: there is no roll-out to return from ({file})",
                    hint="A roll-out of another machine is in that machine's journal: --journal PATH.",
                )
            _require_usable(found, environment, sandbox=sandbox, resume=True)
            platform = _platform(run, run.recover())
            reached = [one.name for one in found.regions if one.stage not in {Stage.WAITING, Stage.RETURNED}]
            if reached and not asked.yes:
                ask(f"Return {', '.join(reached)} of {asked.place} to the previous models?")
            emit_rollout(_driver(platform, keeper(file)).back(found), form, output)
            name_stack_file(run, found, write=write)


@group.command()
def status(
    environment: EnvironmentArgument,
    *,
    sandbox: SandboxOption = False,
    journal: JournalOption = None,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Show where the latest roll-out stands, as its journal says."""
    from gpufleet.cli.rollout_files import journal_file
    from gpufleet.cli.rollout_output import emit_rollout
    from gpufleet.engine.project import ROOT, stack_file
    from gpufleet.rollout.journal import read

    stack_file(ROOT, environment)
    file = journal_file(environment, root=ROOT, sandbox=sandbox, named=journal)
    found = read(file)
    if found is None:
        people().print(f"{environment}: there was no roll-out ({file})", markup=False)
    emit_rollout(found, form, output)


def _request(command: str, environment: str, *, sandbox: bool, yes: bool, parallel: int | None) -> Request:
    return request(
        command, environment=environment, sandbox=sandbox, form=Format.TEXT, output=None, yes=yes, parallel=parallel,
        target=None, target_dependents=False,
    )  # fmt: skip


def _require_usable(found: Journal | None, environment: str, *, sandbox: bool, resume: bool) -> None:
    """Make sure that the journal is this environment's, and that nothing unfinished is overwritten."""
    from gpufleet.rollout.journal import Status

    if found is not None and (found.environment, found.sandbox) != (environment, sandbox):
        where = f"{found.environment}{' (sandbox)' if found.sandbox else ''}"
        raise ConfigurationError(f"the journal is that of {where}", hint="Name another file with --journal PATH.")
    if not resume and found is not None and found.status is Status.RUNNING:
        flag = " --sandbox" if sandbox else ""
        raise ConfigurationError(
            f"a roll-out of {environment} was cut off, or nobody could tell how a region did",
            hint=f"gpufleet rollout start {environment}{flag} --resume goes on, gpufleet rollout back "
            f"{environment}{flag} returns what it reached.",
        )
    if resume and (found is None or found.status not in {Status.RUNNING, Status.STOPPED, Status.FINISHED}):
        raise ConfigurationError(f"there is no roll-out of {environment} to go on with", hint="Leave out --resume.")


def _platform(run: Run, state: State) -> EnginePlatform:
    """What is deployed, ready to be changed.

    Raises:
        ConfigurationError: nothing is, or it serves nothing.
    """
    from gpufleet.cli.rollout_platform import EnginePlatform
    from gpufleet.cli.rollout_regions import AzureSource, SandboxSource
    from gpufleet.cli.sandbox_items import make_cloud
    from gpufleet.graph.state import read
    from gpufleet.rollout.places import places
    from gpufleet.rollout.release import deployed

    recorded = deployed(read(state)) if state["deployment"].get("resources") else None
    if recorded is None:
        flag = " --sandbox" if run.request.sandbox else ""
        raise ConfigurationError(
            f"{run.request.place} is not deployed: the first release comes with it",
            hint=f"gpufleet up {run.request.environment}{flag}",
        )
    found = places(state)
    source: Source
    if run.request.sandbox:
        source = SandboxSource(store=make_cloud(), places=found)
    else:
        from gpufleet.rollout.azure_api import AzureApi, credential

        source = AzureSource(stack=run.stack, places=found, api=AzureApi(credential()))
    return EnginePlatform(
        run=run, specification=recorded, source=source, clock=_clock(sandbox=run.request.sandbox),
        login_server=found.login_server,
    )  # fmt: skip


def _clock(*, sandbox: bool) -> Clock:
    from gpufleet.cli.rollout_platform import WallClock

    if not sandbox:
        return WallClock()
    from sandbox.errors import SandboxError
    from sandbox.pace import pace_from

    try:
        return WallClock(pace_from().scale)
    except SandboxError as error:
        raise ConfigurationError(str(error)) from None


def _driver(platform: EnginePlatform, keep: Callable[[Journal], None]) -> Driver:
    from gpufleet.rollout.driver import Driver

    return Driver(
        platform=platform, watch=platform.source, clock=platform.clock, save=keep,
        say=lambda text: people().print(text, markup=False),
    )  # fmt: skip


def _new(
    checked: Environment, platform: EnginePlatform, *, names: Sequence[str], order: str | None, settings: Settings,
    sandbox: bool, environment: str,
) -> Journal | None:  # fmt: skip
    """The roll-out that the stack file asks for; None when every region has it."""
    from gpufleet.rollout.journal import Journal, RegionRecord
    from gpufleet.rollout.regions import ordered
    from gpufleet.rollout.release import changes, models_of, selected

    previous = platform.previous
    release = selected(previous, models_of(checked), names)
    deployed = platform.environment(release).inference
    if checked.inference is None or deployed is None or not changes(previous, release):
        return None
    regions = [region.name for region in deployed.regions]
    first = [name.strip() for name in order.split(",")] if order else checked.inference.rollout.order
    if unknown := [name for name in first if name not in regions]:
        raise ConfigurationError(
            f"{'--order' if order else 'inference.rollout.order'}: {unknown[0]} is no region that serves",
            hint=f"Regions: {', '.join(regions)}.",
        )
    return Journal(
        environment=environment,
        sandbox=sandbox,
        began=platform.clock.now(),
        previous=[dict(model) for model in previous],
        release=[dict(model) for model in release],
        regions=[RegionRecord(name=name) for name in ordered(regions, first)],
        **settings,
    )


class Settings(TypedDict):
    """How a roll-out goes; see `gpufleet.rollout.journal.Journal`."""

    bake_minutes: float
    max_error_percent: float
    max_latency_increase_percent: float


def _settings(
    checked: Environment, bake: float | None, max_error_percent: float | None, max_latency_increase: float | None
) -> Settings:
    """The stack file's, but for what the command line says."""
    assert checked.inference is not None
    own = checked.inference.rollout
    return Settings(
        bake_minutes=own.bake_minutes if bake is None else bake,
        max_error_percent=own.max_error_percent if max_error_percent is None else max_error_percent,
        max_latency_increase_percent=(
            own.max_latency_increase_percent if max_latency_increase is None else max_latency_increase
        ),
    )
