"""Waiting for a program's resources in time that grows with their number, not with its square."""

from __future__ import annotations

import asyncio

from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import wait_for_rpcs


async def drain() -> None:
    """Wait until every registration is answered and every output is settled, or one has failed.

    The SDK does the same after the program, and finds nothing left to do. Its own loop (`wait_for_rpcs` in
    pulumi/pulumi: sdk/python/lib/pulumi/runtime/stack.py) hands all pending outputs to `asyncio.wait` again whenever
    one of them is settled, which grows with the square of their number.
    """
    while True:
        await wait_for_rpcs(await_all_outstanding_tasks=False)
        with SETTINGS.lock:
            pending = list(SETTINGS.outputs)
            SETTINGS.outputs.clear()
        if not pending:
            return
        done, left = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
        with SETTINGS.lock:
            SETTINGS.outputs.update(left)
        for task in done:
            await task
