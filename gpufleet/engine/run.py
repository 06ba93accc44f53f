"""One operation of the engine on one environment: its program, its events, and what came of it."""

from __future__ import annotations

import os
import threading
import time
import traceback
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

import pulumi.log
from pulumi import RunError
from pulumi.automation import LocalWorkspace, OutputMap, Stack, UpdateSummary
from pulumi.automation._stack import StackInitMode  # `Stack.select` would make a plain Stack, not ours

from gpufleet.engine.command import CommandFailedError, EngineCommand
from gpufleet.engine.drain import drain
from gpufleet.engine.errors import EngineError, StackLockedError, StackMissingError
from gpufleet.engine.events import EventReader
from gpufleet.engine.explain import explain
from gpufleet.engine.locate import Engine
from gpufleet.engine.locks import remove_dead
from gpufleet.engine.results import Diagnostic, OnEvent, RunKind, RunOptions, RunResult, Severity
from gpufleet.engine.sandbox_home import config_file_for, sandbox_environment, tool_environment
from gpufleet.engine.state_guard import StateGuard, state_file
from gpufleet.errors import GpufleetError

if TYPE_CHECKING:
    from pulumi.automation.events import EngineEvent

Program = Callable[[], None]
_Operation = Callable[[Stack], object]
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an operation runs.

    Attributes:
        environment: name of the stack.
        root: folder of `Pulumi.yaml`.
        sandbox: sandbox or Azure.
        engine: the engine to run.
        program: what to run instead of `components.program.main`.
        frozen: a copy of the stack file to read instead.
    """

    environment: str
    root: Path
    sandbox: bool
    engine: Engine
    program: Program | None = None
    frozen: Path | None = None

    @property
    def config_file(self) -> Path:
        """The stack file that the engine reads."""
        if self.frozen is not None:
            return self.frozen
        return config_file_for(self.root, self.environment, sandbox=self.sandbox)


class _Stack(Stack):
    """The SDK's Stack without its extra starts of the CLI: what they ask for is in the events already (0.3 s each)."""

    def outputs(self) -> OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary | None:  # noqa: FBT001, FBT002 the SDK's signature
        del show_secrets
        return UpdateSummary(
            kind="", start_time=datetime.now(UTC), message="", environment={}, config={}, result="succeeded"
        )


class _Workspace(LocalWorkspace):
    """The SDK's workspace that leaves the stack which the person has selected alone: every command names its own."""

    def select_stack(self, stack_name: str) -> None:
        del stack_name


class _Common(TypedDict):
    """The arguments that every operation of the SDK's Stack takes."""

    parallel: int | None
    target: list[str] | None
    target_dependents: bool | None
    config_file: str
    color: str
    on_event: Callable[[EngineEvent], None]


class Run:
    """One operation.

    Args:
        place: where it runs.
        kind: what it is.
        options: how to run.
        on_event: hears what happens.
    """

    def __init__(self, place: Place, kind: RunKind, options: RunOptions, on_event: OnEvent | None) -> None:
        self._place = place
        self._kind = kind
        self._options = options
        self._on_event = on_event
        self._reader = EventReader()
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._program_error: BaseException | None = None
        self._listener_error: BaseException | None = None
        self.common: _Common = {
            "parallel": options.parallel,
            "target": list(options.targets) or None,
            "target_dependents": options.target_dependents or None,
            "config_file": str(place.config_file),
            "color": "never",
            "on_event": self._take,
        }
        changes = (
            sandbox_environment(place.root, place.engine, pulumi_home="engine-home")
            if place.sandbox
            else tool_environment(place.engine)
        )
        backend = changes.applied().get("PULUMI_BACKEND_URL", "")
        self.state_file = state_file(backend, place.environment)
        self._guard = StateGuard(self.state_file)
        self.command = EngineCommand(place.engine, changes, on_stopping=self._stopping)

    def with_program(self, operation: _Operation) -> RunResult:
        """Run an operation that needs the program; make the stack first if the backend does not have it."""
        if self._place.program is None:
            preload()
        try:
            return self._execute(operation, self._program)
        except StackMissingError:
            self.cli(["stack", "init", self._place.environment, "--no-select"])
            return self._execute(operation, self._program)

    def without_program(self, operation: _Operation) -> RunResult:
        """Run an operation that works on the state alone."""
        return self._execute(operation, None)

    def cli(self, arguments: list[str]) -> str:
        """Run another command of the CLI; returns its stdout."""

        def attempt() -> str:
            try:
                with self._guard:
                    return self.command.run(arguments, str(self._place.root), {}).stdout
            except CommandFailedError as failure:
                raise explain(failure, self._result(), None, sandbox=self._place.sandbox) from None

        return self._past_dead_locks(attempt)

    def _past_dead_locks(self, attempt: Callable[[], _T]) -> _T:
        """Try once more when nothing but the locks of dead processes is in the way."""
        try:
            return attempt()
        except StackLockedError as error:
            if not remove_dead(error.locks):
                raise
            holders = "; ".join(lock.holder for lock in error.locks)
            removed = f"a lock of a run that was killed is removed: {holders}"
            self._reader = EventReader()
            said = Diagnostic(severity=Severity.WARNING, message=removed)
            self._reader.diagnostics.append(said)
            self._tell(said)
        return attempt()

    def _take(self, event: EngineEvent) -> None:
        """Take an event from the engine's stream (in a thread of the SDK's)."""
        with self._lock:
            said = self._reader.read(event)
            if said is None or self._on_event is None or self._listener_error is not None:
                return
            try:
                self._on_event(said)
            except Exception as error:  # noqa: BLE001 the SDK would turn it into a warning; it is raised at the end
                self._listener_error = error
                if isinstance(error, EngineError):  # whoever listens wants no more of it; other errors are its own
                    self.command.stop()

    def _execute(self, operation: _Operation, program: Callable[[], Awaitable[None]] | None) -> RunResult:
        # The SDK warns when an engine that was killed breaks off its event stream; the error says so already.
        warnings.filterwarnings("ignore", message="Error in event stream", category=UserWarning)
        workspace = _Workspace(work_dir=str(self._place.root), program=program, pulumi_command=self.command)

        def attempt() -> None:
            try:
                with self._guard:
                    operation(_Stack(self._place.environment, workspace, StackInitMode.SELECT))
            except CommandFailedError as failure:
                if isinstance(self._listener_error, EngineError):
                    return
                error = explain(failure, self._result(), self._program_error, sandbox=self._place.sandbox)
                raise error from (self._program_error if error is not self._program_error else None)

        self._past_dead_locks(attempt)
        if isinstance(self._listener_error, EngineError):
            self._listener_error.result = self._result()
        if self._listener_error is not None:
            raise self._listener_error
        return self._result()

    async def _program(self) -> None:
        if os.environ.get("GPUFLEET_DEBUG") != "1":
            # The SDK sends the engine debug messages for every resource, each a call that blocks the program, and the
            # engine sends them back as events that nobody reads.
            pulumi.log.debug = _silent
        try:
            if self._place.program is None:
                await _start_provider()
            program = self._place.program or _main()
            program()
        except GpufleetError as error:
            self._program_error = error
            raise RunError(str(error)) from None  # the SDK logs a RunError's text alone, others with its own stack
        except Exception as error:  # noqa: BLE001 whatever a program raises is shown to its author
            self._program_error = error
            raise RunError(_trace(error)) from None
        await drain()

    def _stopping(self) -> None:
        message = "stopping: the engine finishes what it has begun; once more to stop at once"
        threading.Thread(target=self._tell, args=(Diagnostic(severity=Severity.INFO, message=message),)).start()

    def _tell(self, diagnostic: Diagnostic) -> None:
        # In a thread of its own: a signal handler must not wait for the lock that the code it interrupted may hold.
        with self._lock:
            if self._on_event is not None and self._listener_error is None:
                self._on_event(diagnostic)

    def _result(self) -> RunResult:
        return RunResult(
            kind=self._kind,
            environment=self._place.environment,
            changes=dict(self._reader.changes),
            steps=tuple(self._reader.steps),
            outputs=dict(self._reader.outputs),
            diagnostics=tuple(self._reader.diagnostics),
            violations=tuple(self._reader.violations),
            failed=tuple(self._reader.failed),
            seconds=time.monotonic() - self._begun,
        )


def preload() -> None:
    """Begin to import the program and the SDKs: they take longer than the engine to start, so do both at once."""
    threading.Thread(target=_main, name="gpufleet-import", daemon=True).start()


def _silent(*_: object, **__: object) -> None:
    """A log function that says nothing."""


def _trace(error: Exception) -> str:
    """Stack trace as the official language host shows it: without the frames that only ran the program."""
    lines = traceback.format_exception(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))
    return "Program failed with an unhandled exception:\n" + "".join(lines)


async def _start_provider() -> None:
    from components.program import start_provider  # noqa: PLC0415 as in _main

    await start_provider()


def _main() -> Program:
    from components.program import main  # noqa: PLC0415 the providers' SDKs take half a second; many commands need none

    return main
