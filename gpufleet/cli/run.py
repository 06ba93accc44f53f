"""What `up`, `preview`, `refresh` and `destroy` do alike.

They check first, repair what an earlier run left in doubt, run the engine with its progress shown, and report the end.
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from gpufleet.cli.output import Format, emit, emit_json, is_terminal, people, wants_colour
from gpufleet.cli.progress.diagnostics import of_error, problems
from gpufleet.cli.progress.document import Document, Outcome
from gpufleet.cli.progress.live import Progress
from gpufleet.cli.progress.model import RunModel
from gpufleet.cli.progress.summary import problem_lines
from gpufleet.cli.progress.text import render
from gpufleet.cli.run_options import Request
from gpufleet.engine import EngineError, RunOptions, RunResult
from gpufleet.engine.command import stops_noted
from gpufleet.errors import ConfigurationError, ExitCode, GpufleetError, StoppedError

if TYPE_CHECKING:
    from gpufleet.cli.pool_outlook import PoolOutlook
    from gpufleet.engine import OnEvent
    from gpufleet.engine.doubts import State
    from gpufleet.engine.recovery import Repaired
    from gpufleet.engine.stack import EnvironmentStack
    from gpufleet.spec import Environment

EngineCall = Callable[..., RunResult]


class DeclinedError(GpufleetError):
    """The person said no."""

    exit_code = ExitCode.CANCELLED

    def __init__(self) -> None:
        super().__init__("not confirmed, so nothing was changed")


class Run:
    """One command from the first check to the last line; see `reported`.

    Attributes:
        model: what the engine said in its latest phase, None before it ran.
        result: what came of it.
        phase_seconds: how long the latest phase took.
        repaired: what earlier operations, or the latest phase's own, turned out to have done.
        ended_well: whether the latest phase came to its end without an error.
        found_again: whether all that failed in the latest phase turned out to be there, and is in the state now.
        pools: what the run does to node pools, None before that is known.
    """

    def __init__(self, request: Request, root: Path) -> None:
        self.request = request
        self.root = root
        self.model: RunModel | None = None
        self.result: RunResult | None = None
        self.ended_well = False
        self.found_again = False
        self.phase_seconds = 0.0
        self.repaired: list[Repaired] = []
        self.pools: PoolOutlook | None = None
        self._began = time.monotonic()
        self._stack: EnvironmentStack | None = None

    def check(self) -> Environment:
        """Everything that can be known to be wrong before an engine starts, the cheapest first.

        Returns:
            the environment's specification.

        Raises:
            StackMissingError: no such environment.
            SpecError: the stack file has mistakes.
            AuthenticationError: on Azure, no credentials or no state backend.
        """
        from gpufleet.cli.sign_in import require_azure, require_backend
        from gpufleet.engine.project import stack_file
        from gpufleet.spec import StackFile, load

        request = self.request
        file = stack_file(self.root, request.environment)
        today = dt.datetime.now(tz=dt.UTC).date()
        loaded = load(StackFile.read(file, name=str(file.relative_to(self.root))), today=today)
        for warning in loaded.warnings:
            people().print(str(warning), markup=False)
        if not request.sandbox:
            command = f"gpufleet {request.command} {request.environment}"
            require_azure(os.environ, home=Path.home(), stack_file=file, command=command)
            require_backend(os.environ, home=Path.home(), project_file=self.root / "Pulumi.yaml")
        return loaded.environment

    @property
    def stack(self) -> EnvironmentStack:
        """The environment's stack, opened when first needed."""
        if self._stack is None:
            from gpufleet.engine.stack import EnvironmentStack

            self._stack = EnvironmentStack(self.request.environment, root=self.root, sandbox=self.request.sandbox)
        return self._stack

    def recover(self) -> State:
        """Find out what became of operations that an earlier run was cut off in, and repair the state.

        Returns:
            the state to work with.

        Raises:
            DeclinedError: the person does not want that.
            EngineError: it cannot be found out; nothing was changed.
        """
        from gpufleet.cli.recovery import doubt_lines, repaired_lines

        state = self.stack.export()
        found = self.stack.in_doubt(state)
        if not found:
            return state
        self.tell(doubt_lines(found, place=self.request.place))
        if not self.request.yes:
            ask("Look in the cloud what became of that, and repair the state?")
        settled = self.stack.repair(state, found)
        self.repaired.extend(settled)
        self.tell(repaired_lines(settled))
        return self.stack.export()

    def warn_of_doubts(self) -> State:
        """Say what an earlier run left in doubt, and change nothing: a preview never does.

        Returns:
            the state as it is.
        """
        from gpufleet.cli.recovery import doubt_lines

        state = self.stack.export()
        found = self.stack.in_doubt(state)
        if found:
            flag = " --sandbox" if self.request.sandbox else ""
            self.tell(doubt_lines(found, place=self.request.place))
            command = f"gpufleet refresh {self.request.environment}{flag}"
            self.tell([Text(f"  This preview knows nothing of that. To find out first: {command}", "yellow")])
        return state

    def phase(
        self, title: str, call: EngineCall, options: RunOptions, *, tree: bool, plan: RunModel | None = None
    ) -> RunResult:
        """Let the engine run, and show it.

        Args:
            title: `Updating`.
            call: a method of the stack.
            options: how to run.
            tree: show every resource, not just how many there are.
            plan: what the preview before it said.

        Raises:
            EngineError: with what was said until then already shown.
        """
        model = RunModel(plan)
        self.model, self.result, self.ended_well, self.found_again = model, None, False, False
        failure: EngineError | None = None
        with ExitStack() as afterwards:
            with Progress(model, f"{title} {self.request.place}", tree=tree) as progress:
                on_event: OnEvent = progress.take
                try:
                    self.result = call(options, on_event=on_event)
                except EngineError as error:
                    afterwards.enter_context(stops_noted())
                    self.result = error.result
                    model.finish(cancelled=error.exit_code is ExitCode.CANCELLED)
                    failure = error
                else:
                    model.finish()
                finally:
                    self.phase_seconds = progress.elapsed
            if failure is not None:
                self._settle(call, look=failure.exit_code is not ExitCode.CANCELLED)
                raise failure
        assert self.result is not None
        self.ended_well = True
        return self.result

    def _settle(self, call: EngineCall, *, look: bool) -> None:
        """After a phase that failed: find out now what only the cloud knows, while everything is at hand.

        Someone who has pressed Ctrl-C does not want to wait for Azure: then the next run finds out.
        """
        from gpufleet.cli.recovery import adopted, repaired_lines

        failed = self.result.failed if self.result else ()
        if not failed or call in {self.stack.preview, self.stack.preview_destroy, self.stack.preview_refresh}:
            return
        try:
            settled = self.stack.settle(failed, look=look)
        except EngineError as error:
            self.tell_error(error)
            return
        self.repaired.extend(settled)
        if settled:
            self.tell(repaired_lines(settled))
        self.found_again = adopted(settled) == {operation.resource.urn for operation in failed}

    def tell(self, lines: list[Text]) -> None:
        """Say something to the person, on stderr."""
        sys.stderr.write(render(lines, colour=wants_colour(sys.stderr)))
        sys.stderr.flush()

    def tell_problems(self) -> None:
        """What the engine, Azure and the policies objected to in the latest phase, on stderr."""
        traces = os.environ.get("GPUFLEET_DEBUG") == "1"
        if self.model is not None and (found := problems(self.model, traces=traces)):
            self.tell(problem_lines(found))

    def tell_error(self, error: GpufleetError) -> None:
        """An error that does not end the command: another one does already."""
        self.tell(problem_lines([of_error(error)]))

    def emit_text(self, lines: list[Text]) -> None:
        """The command's result for people: stdout or `--output`; nothing when the result is JSON."""
        request = self.request
        if request.form is Format.TEXT:
            emit(render(lines, colour=request.output is None and wants_colour(sys.stdout)), request.output)

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return time.monotonic() - self._began

    def document(self, outcome: Outcome, exit_code: ExitCode, error: GpufleetError | None = None) -> Document:
        """The run as JSON."""
        result = self.result
        found = problems(self.model) if self.model else []
        if error is not None:
            found.append(of_error(error))
        return Document(
            command=self.request.command,
            environment=self.request.environment,
            sandbox=self.request.sandbox,
            outcome=outcome,
            exit_code=exit_code,
            seconds=self.seconds,
            model=self.model,
            changes=result.changes if result else {},
            outputs=result.outputs if result else {},
            problems=found,
            repaired=self.repaired,
            pools=() if self.pools is None else self.pools.document(),
            operators=() if self.pools is None else self.pools.operators_document(),
            engine=self._engine(),
        )

    def _engine(self) -> Mapping[str, str] | None:
        if self._stack is None:
            return None
        engine = self._stack.engine
        return {"version": engine.version, "source": engine.origin.value}


@contextmanager
def reported(request: Request) -> Iterator[Run]:
    """Around a command: whatever happens inside, its problems reach people and its document reaches programs.

    Raises:
        GpufleetError: what went wrong inside, for `main` to name and to turn into the exit code.
    """
    from gpufleet.engine.project import ROOT

    # What is imported from here on lives as long as the process: at Python's default the collector walks all of it
    # again and again, a tenth of the time to import the SDKs.
    gc.set_threshold(50_000, 20, 100)
    run = Run(request, ROOT)
    try:
        yield run
    except (GpufleetError, KeyboardInterrupt) as caught:
        error = caught if isinstance(caught, GpufleetError) else StoppedError()
        run.tell_problems()
        outcome = Outcome.CANCELLED if error.exit_code is ExitCode.CANCELLED else Outcome.FAILED
        _emit_document(run, outcome, error.exit_code, error)
        raise error from None
    finally:
        # The process is about to end: collecting and freeing what the SDKs brought would take it another half second.
        gc.freeze()
    run.tell_problems()
    changed = run.result.changed if run.result else 0
    _emit_document(run, Outcome.SUCCEEDED if changed else Outcome.NO_CHANGES, ExitCode.OK, None)


def require_answerable(request: Request) -> None:
    """Make sure that a question can be asked, or need not be.

    Raises:
        ConfigurationError: nobody sits at a terminal, and there is no `--yes`.
    """
    if request.yes:
        return
    if request.skip_preview:
        raise ConfigurationError("--skip-preview needs --yes", hint="Without a preview there is nothing to agree to.")
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise ConfigurationError(
            f"gpufleet {request.command} asks before it changes anything, and there is no terminal to ask on",
            hint="Pass --yes to go ahead without being asked, or run gpufleet preview to look only.",
        )


def ask(question: str) -> None:
    """Go on after a yes only.

    Raises:
        DeclinedError: the answer was no.
    """
    with _interruptible():
        agreed = typer.confirm(question, default=False, err=True)
    if not agreed:
        raise DeclinedError


def ask_for_name(warning: str, name: str) -> None:
    """Go on only when the person types the environment's name.

    Raises:
        DeclinedError: something else was typed.
    """
    with _interruptible():
        typed = typer.prompt(f"{warning}\nType its name ({name}) to go on", default="", show_default=False, err=True)
    if typed != name:
        raise DeclinedError


@contextmanager
def _interruptible() -> Iterator[None]:
    """Around a question: Ctrl-C and the end of input leave with our code, not with click's 1."""
    try:
        yield
    except typer.Abort:
        people().print()
        raise DeclinedError from None


def _emit_document(run: Run, outcome: Outcome, code: ExitCode, error: GpufleetError | None) -> None:
    if run.request.form is Format.JSON:
        emit_json("run", run.document(outcome, code, error).body(), run.request.output)
