"""`preview --save` and `up --approved`: what was approved is what happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.git import git
from gpufleet.cli.output import emit, people
from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    from gpufleet.check import Report
    from gpufleet.cli.run import EngineCall, Run
    from gpufleet.engine.approval import Approval, Cost, Git, Given, Target
    from gpufleet.engine.doubts import State

SaveOption = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Save what this preview shows, for up --approved.", dir_okay=False),
]
ApprovedOption = Annotated[
    Path | None,
    typer.Option(
        "--approved",
        metavar="FILE",
        help="Do nothing that this saved preview did not show, and nothing that costs more (exit code 7).",
        dir_okay=False,
    ),
]
MaxAgeOption = Annotated[
    int, typer.Option("--approved-max-age", metavar="DAYS", min=1, max=3650, help="With --approved: how old it may be.")
]
MAX_AGE_DAYS = 7

_MOST = 30
"""Lines of what only makes or changes something; what destroys something is always named."""


def now() -> dt.datetime:
    """This moment, in UTC."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def one_stack_file(run: Run, *, frozen: bool) -> Iterator[tuple[Path, str]]:
    """The stack file to check and what messages call it; frozen, it is the one that every run reads, too."""
    from gpufleet.engine.project import stack_file

    file = stack_file(run.root, run.request.environment)
    with run.stack.frozen() if frozen else nullcontext(file) as path:
        yield path, str(file.relative_to(run.root))


def require_writable(file: Path) -> None:
    """Find out before a preview of minutes that its result has nowhere to go.

    Raises:
        ConfigurationError: there is no such folder.
    """
    if not file.absolute().parent.is_dir():
        raise ConfigurationError(f"--save {file}: there is no folder {file.parent}", hint="Make it first.")


def save(run: Run, file: Path, *, state: State, report: Report) -> None:
    """Write what the preview showed: the whole file, for its owner alone, or none.

    Raises:
        ConfigurationError: there is no price to approve, no subscription is known, or the file can't be written.
    """
    import gpufleet
    from gpufleet.engine.approval import Tools, approve

    assert run.result is not None
    approval = approve(
        run.result.steps,
        target=target_of(run, option="--save"),
        tools=Tools(gpufleet=gpufleet.__version__, engine=run.stack.engine.version),
        git=_checkout(run.root),
        state=state,
        cost=cost_of(report, option="--save"),
        given=given_by(report),
        now=now(),
    )
    emit(approval.text, file, private=True)
    people().print(f"saved {file}: digest {approval.digest}", markup=False)


def opened(run: Run, file: Path, *, days: int) -> Approval:
    """An approval that may be used for this stack today.

    Raises:
        ConfigurationError: the file can't be read, or no subscription is known.
        NotApprovedError: it is damaged, too old or another's.
    """
    from gpufleet.engine.approval import read

    approval = read(file)
    approval.require_for(
        target_of(run, option="--approved"), now=now(), max_age=dt.timedelta(days=days), name=f"--approved {file}"
    )
    return approval


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Holds an `up` to an approval.

    Attributes:
        file: that it is from.
        report: of the check, for what the program gives and what it costs.
        state: before the preview, as `pulumi stack export` gives it.
    """

    run: Run
    approval: Approval
    file: Path
    report: Report
    state: State

    def require_shown(self) -> None:
        """Hold the preview that the run has just made against the approved one.

        Raises:
            NotApprovedError: something was not shown, or costs more.
            ConfigurationError: there is no price to compare.
        """
        from gpufleet.engine.approval import NotApprovedError, StateSeen
        from gpufleet.engine.approved_steps import unshown

        run, approval = self.run, self.approval
        assert run.result is not None
        found = unshown(approval, run.result.steps, given=given_by(self.report), state=self.state)
        dearer = list(cost_of(self.report, option="--approved").above(approval.cost))
        if not found and not dearer:
            return
        loud = [str(one) for one in found if one.destroys]
        others = [str(one) for one in found if not one.destroys]
        more = [f"and {len(others) - _MOST:,} more"] if len(others) > _MOST else []
        moved = "" if StateSeen.of(self.state) == approval.state else "The state has changed since it was saved. "
        flag = " --sandbox" if run.request.sandbox else ""
        raise NotApprovedError(
            "\n".join(
                [
                    f"{run.request.place}: not as approved in {self.file}, so nothing was changed",
                    *(f"  {line}" for line in (*loud, *others[:_MOST], *more, *dearer)),
                ]
            ),
            hint=f"{moved}To have it approved: gpufleet preview {run.request.environment}{flag} --save {self.file}",
            result=run.result,
        )

    def call(self) -> EngineCall:
        """`up` that is stopped when it begins what its own preview did not show.

        Raises:
            NotApprovedError: somebody has changed the state since that preview began.
        """
        from gpufleet.engine.approval import NotApprovedError
        from gpufleet.engine.approved_steps import only

        run = self.run
        assert run.result is not None
        if _held(run.stack.export()) != _held(self.state):
            raise NotApprovedError(
                f"{run.request.place}: another run has changed the state since the preview, so nothing was changed",
                hint="Run the same command again.",
            )
        return only(run.stack.up, run.result.steps)


def target_of(run: Run, *, option: str) -> Target:
    """What this run acts on.

    Raises:
        ConfigurationError: the subscription is not known before a run.
    """
    from gpufleet.engine.approval import Target

    subscription = run.stack.subscription().lower()
    if not subscription:
        raise ConfigurationError(
            f"{option}: which Azure subscription this is about is not known",
            hint="Set ARM_SUBSCRIPTION_ID, or azure-native:subscriptionId in the stack file.",
        )
    return Target(environment=run.request.environment, sandbox=run.request.sandbox, subscription=subscription)


def cost_of(report: Report, *, option: str) -> Cost:
    """What the environment costs.

    Raises:
        ConfigurationError: nobody can tell, for the stack file or the program has mistakes.
    """
    from gpufleet.engine.approval import Cost

    if report.estimate is None:
        raise ConfigurationError(
            f"{option}: what {report.environment} costs can't be told, and there is no approval without it",
            hint=f"gpufleet check {report.environment} says what is wrong.",
        )
    return Cost.of(report.estimate)


def given_by(report: Report) -> Given:
    """The properties that the program gives each resource."""
    return {node.urn: frozenset(node.properties) for node in report.graph or ()}


def _held(state: State) -> tuple[object, object]:
    """What a state holds; the rest of it changes when the preview makes a stack that the backend does not have yet."""
    deployment = state["deployment"]
    return deployment.get("resources") or [], deployment.get("pending_operations") or []


def _checkout(root: Path) -> Git | None:
    from gpufleet.engine.approval import Git

    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
        changed = git(root, "status", "--porcelain")
    except ConfigurationError:  # no git at all: a checkout that was unpacked from an archive
        return None
    return Git(commit=commit.decode().strip(), modified=changed != b"") if commit else None
