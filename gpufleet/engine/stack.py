"""The one door to Pulumi: preview, up, destroy and refresh of one environment, on Azure or in the sandbox."""

from __future__ import annotations

import json
import os
import threading
import time
import traceback
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import pulumi.log
from pulumi import RunError
from pulumi.automation import LocalWorkspace, OutputMap, Stack, UpdateSummary
from pulumi.automation._stack import StackInitMode  # `Stack.select` would make a plain Stack, not ours

from gpufleet.engine.command import CommandFailedError, EngineCommand
from gpufleet.engine.drain import drain
from gpufleet.engine.errors import StackMissingError
from gpufleet.engine.events import EventReader
from gpufleet.engine.explain import explain
from gpufleet.engine.install import ensure_engine
from gpufleet.engine.project import stack_file
from gpufleet.engine.results import Diagnostic, OnEvent, RunKind, RunOptions, RunResult, Severity
from gpufleet.engine.sandbox_home import (
    CLOUD_VARIABLE,
    config_file_for,
    prepare_home,
    prepare_stacks,
    sandbox_environment,
    tool_environment,
)
from gpufleet.errors import ConfigurationError, GpufleetError

if TYPE_CHECKING:
    from pulumi.automation.events import EngineEvent

Program = Callable[[], None]
_Operation = Callable[[Stack], object]


class EnvironmentStack:
    """One environment's Pulumi stack.

    The program runs inline (`components.program.main`), in this process: no language host to start. `pulumi up` in a
    shell runs the same program through `__main__.py` and leaves the same state.

    Args:
        environment: name of the stack, as in `stacks/Pulumi.<environment>.yaml`.
        root: folder of `Pulumi.yaml`.
        sandbox: use the sandbox's home, state and providers instead of Azure and the person's own backend.
        program: what to run instead of `components.program.main`.

    Raises:
        StackMissingError: there is no stack file of that name.
        EngineUnavailableError: there is no Pulumi engine, and none can be had.
        ConfigurationError: this shell is set for the sandbox, but `sandbox` is false.
    """

    def __init__(self, environment: str, *, root: Path, sandbox: bool, program: Program | None = None) -> None:
        stack_file(root, environment)
        if not sandbox and CLOUD_VARIABLE in os.environ:
            raise ConfigurationError(
                "this shell is set for the sandbox (by `gpufleet env --sandbox`), but the run is meant for Azure",
                hint='Add --sandbox, or leave the sandbox: eval "$(gpufleet env ENV)" or a new shell.',
            )
        self.environment = environment
        self.root = root
        self.sandbox = sandbox
        self.engine = ensure_engine()
        self.program = program
        if sandbox:
            prepare_home(root)
            prepare_stacks(root, (environment,), self.engine)

    def preview(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Say what `up` would do.

        Raises:
            EngineError: see `gpufleet.engine.errors`; `error.result` holds what had happened until then.
            GpufleetError: what the program itself raised, for example a stack file's mistakes.
        """
        run = _Run(self, RunKind.PREVIEW, options, on_event)
        return run.with_program(
            lambda stack: stack.preview(
                **run.common,
                message=options.message or None,
                policy_packs=list(options.policy_packs) or None,
                policy_pack_configs=list(options.policy_pack_configs) or None,
                expect_no_changes=options.expect_no_changes or None,
                refresh=options.refresh or None,
            )
        )

    def up(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Create or update the environment; the stack is made when the backend does not have it yet.

        Raises:
            EngineError: see `preview`.
            GpufleetError: see `preview`.
        """
        run = _Run(self, RunKind.UP, options, on_event)
        return run.with_program(
            lambda stack: stack.up(
                **run.common,
                message=options.message or None,
                policy_packs=list(options.policy_packs) or None,
                policy_pack_configs=list(options.policy_pack_configs) or None,
                expect_no_changes=options.expect_no_changes or None,
                continue_on_error=options.continue_on_error or None,
                refresh=options.refresh or None,
            )
        )

    def preview_destroy(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Say what `destroy` would delete (`pulumi destroy --preview-only`); nothing is touched.

        Raises:
            EngineError: see `preview`.
        """
        run = _Run(self, RunKind.DESTROY, options, on_event)
        return run.without_program(
            lambda stack: stack.preview_destroy(
                **run.common,
                refresh=options.refresh or None,
            )
        )

    def destroy(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Delete every resource of the environment; protected ones stop it. The (empty) stack stays.

        Raises:
            EngineError: see `preview`.
        """
        run = _Run(self, RunKind.DESTROY, options, on_event)
        return run.without_program(
            lambda stack: stack.destroy(
                **run.common,
                message=options.message or None,
                continue_on_error=options.continue_on_error or None,
                refresh=options.refresh or None,
            )
        )

    def refresh(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Read every resource from the cloud into the state.

        Raises:
            EngineError: see `preview`.
        """
        run = _Run(self, RunKind.REFRESH, options, on_event)
        return run.without_program(
            lambda stack: stack.refresh(
                **run.common,
                message=options.message or None,
                expect_no_changes=options.expect_no_changes or None,
            )
        )

    def outputs(self) -> Mapping[str, object]:
        """Outputs of the last `up`, secrets as `results.SECRET`; empty before the first one.

        Raises:
            EngineError: see `preview`.
        """
        return self._json(["stack", "output", "--json"])

    def export(self) -> Mapping[str, object]:
        """The state as `pulumi stack export` gives it (secrets encrypted): `{"version": 3, "deployment": {…}}`.

        Raises:
            EngineError: see `preview`.
        """
        return self._json(["stack", "export"])

    def unprotect(self, urns: Sequence[str]) -> None:
        """Take the protection off some resources, in the state (the next `up` puts back what the program says).

        Raises:
            EngineError: see `preview`.
        """
        if urns:
            run = _Run(self, RunKind.DESTROY, RunOptions(), None)
            run.cli(["state", "unprotect", *urns, "--yes", "--stack", self.environment])

    def _json(self, arguments: list[str]) -> Mapping[str, object]:
        run = _Run(self, RunKind.REFRESH, RunOptions(), None)
        answer = run.cli([*arguments, "--stack", self.environment])
        parsed: Mapping[str, object] = json.loads(answer)
        return parsed


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


class _Run:
    """One operation: its program, its events and what came of it."""

    def __init__(self, owner: EnvironmentStack, kind: RunKind, options: RunOptions, on_event: OnEvent | None) -> None:
        self._owner = owner
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
            "config_file": str(config_file_for(owner.root, owner.environment, sandbox=owner.sandbox)),
            "color": "never",
            "on_event": self._take,
        }
        changes = (
            sandbox_environment(owner.root, owner.engine, pulumi_home="engine-home")
            if owner.sandbox
            else tool_environment(owner.engine)
        )
        self._command = EngineCommand(owner.engine, changes, on_stopping=self._stopping)

    def with_program(self, operation: _Operation) -> RunResult:
        """Run an operation that needs the program; make the stack first if the backend does not have it."""
        if self._owner.program is None:
            # The SDKs take longer to import than the engine to start: do both at once.
            threading.Thread(target=_main, name="gpufleet-import", daemon=True).start()
        try:
            return self._execute(operation, self._program)
        except StackMissingError:
            self.cli(["stack", "init", self._owner.environment, "--no-select"])
            return self._execute(operation, self._program)

    def without_program(self, operation: _Operation) -> RunResult:
        """Run an operation that works on the state alone."""
        return self._execute(operation, None)

    def cli(self, arguments: list[str]) -> str:
        """Run another command of the CLI; returns its stdout."""
        try:
            return self._command.run(arguments, str(self._owner.root), {}).stdout
        except CommandFailedError as failure:
            raise explain(failure, self._result(), None) from None

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

    def _execute(self, operation: _Operation, program: Callable[[], Awaitable[None]] | None) -> RunResult:
        # The SDK warns when an engine that was killed breaks off its event stream; the error says so already.
        warnings.filterwarnings("ignore", message="Error in event stream", category=UserWarning)
        workspace = _Workspace(work_dir=str(self._owner.root), program=program, pulumi_command=self._command)
        try:
            operation(_Stack(self._owner.environment, workspace, StackInitMode.SELECT))
        except CommandFailedError as failure:
            error = explain(failure, self._result(), self._program_error)
            raise error from (self._program_error if error is not self._program_error else None)
        if self._listener_error is not None:
            raise self._listener_error
        return self._result()

    async def _program(self) -> None:
        if os.environ.get("GPUFLEET_DEBUG") != "1":
            # The SDK sends the engine debug messages for every resource, each a call that blocks the program, and the
            # engine sends them back as events that nobody reads.
            pulumi.log.debug = _silent
        try:
            if self._owner.program is None:
                await _start_provider()
            program = self._owner.program or _main()
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
            environment=self._owner.environment,
            changes=dict(self._reader.changes),
            steps=tuple(self._reader.steps),
            outputs=dict(self._reader.outputs),
            diagnostics=tuple(self._reader.diagnostics),
            violations=tuple(self._reader.violations),
            seconds=time.monotonic() - self._begun,
        )


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
