"""Run the Pulumi CLI so that Ctrl-C stops it politely and nothing of its answer is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

from pulumi.automation import CommandResult, OnOutput, PulumiCommand
from semver import VersionInfo

from gpufleet.engine.install import engine_folder
from gpufleet.engine.locate import Engine
from gpufleet.engine.sandbox_home import Environment

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CommandFailedError(Exception):
    """The CLI ended with another code than 0.

    Attributes:
        result: code, stdout and stderr.
        stops: how often the person had asked it to stop.
    """

    def __init__(self, result: CommandResult, *, stops: int = 0) -> None:
        super().__init__(f"pulumi ended with code {result.code}")
        self.result = result
        self.stops = stops

    @property
    def cancelled(self) -> bool:
        """Whether the person had asked it to stop."""
        return self.stops > 0


class EngineCommand(PulumiCommand):
    """The SDK's PulumiCommand with three differences.

    - The CLI runs in a process group of its own. The SDK's own way loses it on Ctrl-C: the terminal interrupts both,
      Python waits a quarter of a second for its child and leaves, and the engine goes on unseen.
    - The version is known already, so it is not asked for again (0.2 s).
    - A failure keeps its exit code: the SDK's `CommandError` has it in a text only.

    Args:
        engine: what to run.
        environment: changes to this process's environment for the CLI, its providers and language host.
        on_stopping: called once when the person has asked to stop.
    """

    def __init__(self, engine: Engine, environment: Environment, *, on_stopping: Callable[[], None]) -> None:
        # Where its language host lies beside it: elsewhere the engine warns about the one on PATH.
        self.command = str(engine_folder(engine) / "pulumi")
        self.version = VersionInfo.parse(engine.version)
        self._environment = environment
        self._on_stopping = on_stopping
        self._process: subprocess.Popen[str] | None = None

    def stop(self) -> None:
        """Have the engine finish what it has begun, and begin nothing more; from another thread than `run`'s."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGINT)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        """Run the CLI to its end.

        Raises:
            CommandFailedError: it ended with another code than 0.
        """
        with subprocess.Popen(
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**self._environment.applied(), **additional_env, "PULUMI_AUTOMATION_API": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            out: list[str] = []
            err: list[str] = []
            self._process = process
            with _stopping(process, self._on_stopping) as asked:
                readers = [_reader(process.stdout, out, on_output), _reader(process.stderr, err, on_error)]
                for reader in readers:
                    reader.join()
                process.wait()
            self._process = None
        result = CommandResult(stdout="\n".join(out), stderr="\n".join(err), code=process.returncode)
        if result.code != 0:
            raise CommandFailedError(result, stops=len(asked))
        return result


def _reader(stream: IO[str], lines: list[str], callback: OnOutput | None) -> threading.Thread:
    def read() -> None:
        for line in stream:
            stripped = line.rstrip()
            lines.append(stripped)
            if callback:
                callback(stripped)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


@contextmanager
def _stopping(process: subprocess.Popen[str], on_stopping: Callable[[], None]) -> Iterator[list[int]]:
    """Pass stop signals on as SIGINT: the first makes the engine finish what it has begun, the second end at once.

    Once an engine has been stopped, our own process is about to say so and to end; a signal that comes a moment after
    the engine's end would put a bare "cancelled" in place of that, so from then on they end nothing.

    Yields:
        the signals that came, filled while it runs.
    """
    came: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        came.append(number)
        process.send_signal(signal.SIGINT)  # nothing, once it has ended
        if len(came) == 1:
            on_stopping()

    with _handling(stop, stays=lambda: bool(came and process.returncode)):
        yield came


@contextmanager
def stops_noted() -> Iterator[None]:
    """Stop signals end nothing in here but engines that are started: for what must be done after a run has failed."""
    with _handling(lambda *_: None):
        yield


@contextmanager
def unstoppable() -> Iterator[None]:
    """Stop signals end nothing in here, engines included: for short steps without which something would be lost."""
    with _handling(signal.SIG_IGN):
        yield


@contextmanager
def _handling(
    handler: Callable[[int, FrameType | None], None] | signal.Handlers, stays: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Give the stop signals another handler, in the main thread: Python delivers them nowhere else.

    Args:
        handler: the handler.
        stays: asked at the end, whether it is to stay.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # What is ignored stays ignored: `nohup` and background jobs mean it.
    heard = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        if not stays():
            for number, earlier in before.items():
                signal.signal(number, earlier)
