"""Run a Pulumi program in this process, and say what went wrong as the official host does."""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pulumi
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2

from gpufleet.errors import GpufleetError

# pulumi-language-python-exec gives the SDK's executor four threads per parallel operation.
_THREADS_PER_OPERATION = 4


def run_program(request: language_pb2.RunRequest, engine_address: str) -> language_pb2.RunResponse:
    """Run the program that the engine asks for.

    Args:
        request: the engine's request: folder, stack, configuration, monitor.
        engine_address: where diagnostics go.

    Returns:
        An empty response, or one with `bail` set: the error is already in the engine's log, and a text here would make
        the engine print it a second time.
    """
    folder = Path(request.info.program_directory)
    reset_options(
        project=request.project,
        stack=request.stack,
        parallel=request.parallel,
        engine_address=engine_address,
        monitor_address=request.monitor_address,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    set_all_config(dict(request.config), list(request.configSecretKeys))
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    # An aborted graph leaves futures that nobody awaits; asyncio would log each (see pulumi-language-python-exec).
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(request.parallel, 1) * _THREADS_PER_OPERATION)
    loop.set_default_executor(executor)
    try:
        problem = _run(loop, folder, request.info.entry_point, list(request.args))
    finally:
        _close(loop)
        executor.shutdown(wait=False, cancel_futures=True)
        sys.stdout.flush()
        sys.stderr.flush()
    if problem:
        with suppress(Exception):
            pulumi.log.error(problem)
        return language_pb2.RunResponse(bail=True)
    return language_pb2.RunResponse()


# grpc-go: clientconn.go, ErrClientConnClosing
_CLOSING = "grpc: the client connection is closing"


def _run(loop: asyncio.AbstractEventLoop, folder: Path, entry_point: str, arguments: Sequence[str]) -> str:
    """Run to the end; returns what to tell the person, "" when all went well."""
    program = folder / entry_point if entry_point else folder
    file = program if program.is_file() else program / "__main__.py"
    if not file.is_file():
        return f"unable to find main python program `__main__.py` in `{program}`"
    sys.argv = [str(program), *arguments]

    def start() -> None:
        runpy.run_path(str(file), run_name="__main__")

    try:
        loop.run_until_complete(run_in_stack(start))
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a program raises is shown to its author
        return _explain(error, file)
    return ""


def _explain(error: BaseException, file: Path) -> str:
    match error:
        case pulumi.RunError() | GpufleetError():
            return str(error)
        case grpc.RpcError() if error.code() is grpc.StatusCode.UNAVAILABLE:
            # A monitor that has gone away means that the engine is shutting down and knows why.
            return ""
        case Exception() if _CLOSING in str(error):
            # The engine ends the run, and has let go of a provider that the program wants called; the SDK hands on the
            # text alone. A trace would bury the engine's own reason. Never "": a run that isn't ending would take the
            # rest of the program for removed.
            return "the program was cut off: the engine is ending the run"
        case grpc.RpcError():
            return f"RPC error: {error.details()}"
        case SystemExit():
            return "" if error.code in {None, 0} else f"Program exited with non-zero exit code: {error.code}"
        case _:
            return "Program failed with an unhandled exception:\n" + _trace(error, file)


def _trace(error: BaseException, file: Path) -> str:
    """The stack trace from the program's own file on, without the frames that only ran it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = next((index for index, frame in enumerate(frames) if Path(frame.filename) == file), None)
    limit = None if own is None else own - len(frames)
    return "".join(traceback.format_exception(error, limit=limit))


def _close(loop: asyncio.AbstractEventLoop) -> None:
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    with suppress(BaseException):
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()
