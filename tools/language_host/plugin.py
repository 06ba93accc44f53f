"""A policy pack, or another plugin written in Python, in a process of its own."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pulumi.runtime.proto import language_pb2

_GRACE_SECONDS = 5.0
_CHUNK = 64 * 1024


def virtualenv_python(info: language_pb2.ProgramInfo) -> Path | None:
    """Python of the virtual environment that a project file names, relative to that file; None when it names none."""
    name = dict(info.options.items()).get("virtualenv")
    if not isinstance(name, str) or not name:
        return None
    return Path(info.root_directory or info.program_directory, name) / "bin" / "python"


class PluginProcess:
    """A context manager around the plugin's process: on leaving it the process is gone, whatever happened.

    Args:
        request: the engine's wish. `kind` "analyzer" is a policy pack: `python -m pulumi.policy ENGINE FOLDER`, as the
            official host runs it, with the pack's folder as working directory and first on sys.path.
    """

    def __init__(self, request: language_pb2.RunPluginRequest) -> None:
        folder = request.info.program_directory
        python = virtualenv_python(request.info)
        # A pack without an environment of its own shares ours; one that names an environment that is not there must not
        # run in another by accident.
        if python is not None and not python.exists():
            raise FileNotFoundError(f"the virtual environment of {folder} is missing: {python.parent.parent}")
        module = ["-m", "pulumi.policy"] if request.kind == "analyzer" else []
        target = [*request.args, folder] if request.kind == "analyzer" else [folder, *request.args]
        self._process = subprocess.Popen(
            [python or sys.executable, "-u", *module, *target],
            cwd=folder,
            env={**os.environ, **dict(entry.split("=", 1) for entry in request.env if "=" in entry)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def output(self) -> Iterator[language_pb2.RunPluginResponse]:
        """Everything it writes, as it writes it, and its exit code at the end."""
        chunks: queue.Queue[language_pb2.RunPluginResponse | None] = queue.Queue()

        def pump(stream: IO[bytes], *, is_error: bool) -> None:
            with stream:
                while data := os.read(stream.fileno(), _CHUNK):
                    chunks.put(
                        language_pb2.RunPluginResponse(stderr=data)
                        if is_error
                        else language_pb2.RunPluginResponse(stdout=data)
                    )
            chunks.put(None)

        assert self._process.stdout is not None
        assert self._process.stderr is not None
        for stream, is_error in ((self._process.stdout, False), (self._process.stderr, True)):
            threading.Thread(target=pump, args=(stream,), kwargs={"is_error": is_error}, daemon=True).start()
        still_open = 2
        while still_open:
            chunk = chunks.get()
            if chunk is None:
                still_open -= 1
            else:
                yield chunk
        yield language_pb2.RunPluginResponse(exitcode=self._process.wait())

    def end(self) -> None:
        """End it politely, then by force, and collect it so that no zombie stays. May be called more than once."""
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        # The group: a pack may have started processes of its own.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
