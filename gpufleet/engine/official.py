"""Install the official Pulumi CLI, where the network lets us: `PulumiCommand.install()` of the Automation API."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.engine.files import put_in_place
from gpufleet.engine.progress import Progress

# The SDK's installer reads get.pulumi.com without a time-out and its script runs curl without one. On a network that
# drops packets both hang for minutes, so each runs in a process of its own that can be ended.
_PROBE_SECONDS = 8
_INSTALL_SECONDS = 600
_PROBE = """
import sys, urllib.request
urllib.request.urlopen(urllib.request.Request("https://get.pulumi.com/install.sh", method="HEAD"), timeout=5)
"""
_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
PulumiCommand.install(root=sys.argv[1])
"""


def install_official(folder: Path) -> None:
    """Put the official CLI, with its language hosts, into `folder/bin`.

    Args:
        folder: replaced as a whole when the download is through.

    Raises:
        EngineUnavailableError: the host is out of reach (known within about ten seconds), or the installer failed.
    """
    reason = _run(_PROBE, [], _PROBE_SECONDS)
    if reason:
        raise EngineUnavailableError(f"get.pulumi.com is out of reach: {reason}")
    with put_in_place(folder) as staging, Progress("downloading the official Pulumi CLI"):
        reason = _run(_INSTALL, [str(staging)], _INSTALL_SECONDS)
        if reason:
            raise EngineUnavailableError(f"the official installer failed: {reason}")


def _run(code: str, arguments: list[str], seconds: int) -> str:
    """Run Python code in a process of its own; returns why it failed, "" when it did not."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            _, complaint = process.communicate(timeout=seconds)
        except BaseException as error:
            # The whole group: the installer's shell script has a curl of its own.
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                return f"no answer within {seconds} s"
            raise
    lines = complaint.strip().splitlines()
    return "" if process.returncode == 0 else (lines[-1] if lines else f"exit code {process.returncode}")
