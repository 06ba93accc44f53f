"""`gpufleet check` as a whole process, beside what it must be compared with: the bare import of one SDK package.

Cold: no plan of the environment is kept, so the SDKs are imported and the program runs. Warm: the plan is kept.
Python's bytecode is in both, as on any machine where the command has run before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from gpufleet.engine.project import ROOT

STACKS = ("prod", "frontier")
BARE = "import pulumi_azure_native.containerservice"
PREVIEW_PROD = "pulumi preview prod"


def cold(stack: str) -> str:
    """Name of a check that has no plan to start from."""
    return f"gpufleet check {stack}, no plan kept"


def warm(stack: str) -> str:
    """Name of a check of an environment that was planned before."""
    return f"gpufleet check {stack}, plan kept"


def commands(folder: Path) -> Iterator[tuple[str, list[str], Path, dict[str, str]]]:
    """Name, command, working folder and further environment variables of each, in the order to run them.

    Args:
        folder: for the plans; a new one each round.
    """
    yield BARE, [sys.executable, "-c", BARE], ROOT, {}
    for stack in STACKS:
        command = [str(Path(sys.prefix) / "bin" / "gpufleet"), "check", stack, "--no-strict"]
        for name in (cold(stack), warm(stack)):
            yield name, command, ROOT, {"GPUFLEET_CACHE": str(folder)}
    yield PREVIEW_PROD, ["pulumi", "preview", "--non-interactive", "--stack", "prod"], ROOT, {}


def pairs(preview_frontier: str) -> tuple[tuple[str, str], ...]:
    """Which figures to divide: slow by fast."""
    against_bare = [(name(stack), BARE) for stack in STACKS for name in (warm, cold)]
    previews = dict(zip(STACKS, (PREVIEW_PROD, preview_frontier), strict=True))
    return (*against_bare, *((previews[stack], name(stack)) for stack in STACKS for name in (warm, cold)))
