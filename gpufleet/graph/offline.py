"""The graph that the program makes, with no engine, no cloud and no login.

The real program runs against a monitor that answers as the engine does in a preview before anything exists
(monitor.py). Import this module late: the SDKs behind it are most of a plan's time.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import pulumi
import pulumi.runtime
from pulumi.runtime.stack import run_pulumi_func

from components.program import build
from gpufleet.graph.model import Graph
from gpufleet.graph.monitor import Monitor, NoMocks
from gpufleet.spec import Environment

PROJECT = "gpufleet"

_P = ParamSpec("_P")
_T = TypeVar("_T")


def plan(stack: str, environment: Environment, *, subscription_id: str | None = None) -> Graph:
    """What `pulumi preview` of a stack that does not exist yet would show.

    What Azure gives a resource only when it is made is `UNKNOWN`, as in a preview.

    Args:
        stack: the environment's name.
        environment: its specification.
        subscription_id: the Azure subscription; without it the names that are unique in the whole of Azure, which are
            made from it, are `UNKNOWN` too.

    Raises:
        GpufleetError: the program refuses the environment, for instance a stack name that Azure's names can't hold.
    """
    with _no_collection():
        # A context of its own: Pulumi keeps its settings in context variables.
        return contextvars.Context().run(_plan, stack, environment, subscription_id)


def _plan(stack: str, environment: Environment, subscription_id: str | None) -> Graph:
    def program() -> None:
        pulumi.runtime.register_stack_transformation(_without_aliases)
        build(stack, environment)

    monitor = Monitor(stack, PROJECT, subscription_id)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(_Here())
    try:
        pulumi.runtime.settings.ROOT.set(None)
        pulumi.runtime.set_mocks(NoMocks(), project=PROJECT, stack=stack, preview=True, monitor=monitor)
        loop.run_until_complete(run_pulumi_func(program))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return Graph(monitor.nodes)


def _without_aliases(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    # They matter to a state alone, and there is none.
    args.opts.aliases = []
    return pulumi.ResourceTransformationResult(props=args.props, opts=args.opts)


class _Here(ThreadPoolExecutor):
    """Runs what the SDK wants in another thread, for it may block, at once: the monitor never blocks."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run it and hand over its result."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 the caller's, wherever it waits
            future.set_exception(error)
        return future


@contextmanager
def _no_collection() -> Iterator[None]:
    """The SDKs' classes are a million long-lived objects; the collector would walk them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
