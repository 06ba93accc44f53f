"""`gpufleet check` as a whole process, beside what it must be compared with: the bare import of one SDK package.

First: nothing is kept, as on a fresh machine. Edited: the stack file was changed since its last check, so no plan of it
is kept, as for every change that a person or a pull request makes. Again: the plan is kept. Python's bytecode is in
all, as on any machine where the command has run before.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from gpufleet.engine.project import ROOT

STACKS = ("prod", "frontier")
BARE = "import pulumi_azure_native.containerservice"
PREVIEW_PROD = "pulumi preview prod"

_BUDGET = re.compile(r"(?<=monthlyUsd: )\d+")


def first(stack: str) -> str:
    """Name of a check on a machine where none was made."""
    return f"gpufleet check {stack}, first"


def edited(stack: str) -> str:
    """Name of a check of an environment that was changed since it was planned."""
    return f"gpufleet check {stack}, edited"


def again(stack: str) -> str:
    """Name of a check of an environment that is as it was planned."""
    return f"gpufleet check {stack}, again"


KINDS = (again, edited, first)


def commands(folder: Path) -> Iterator[tuple[str, list[str], Path, dict[str, str]]]:
    """Name, command, working folder and further environment variables of each, in the order to run them.

    Args:
        folder: for what the checks keep, and edited stack files; a new one each round.
    """
    yield BARE, [sys.executable, "-c", BARE], ROOT, {}
    for stack in STACKS:
        kept = {"GPUFLEET_CACHE": str(folder / stack)}
        command = [str(Path(sys.prefix) / "bin" / "gpufleet"), "check", stack, "--no-strict"]
        yield first(stack), command, ROOT, kept
        yield edited(stack), [*command, "--stack-file", str(_edited(stack, folder))], ROOT, kept
        yield again(stack), command, ROOT, kept
    yield PREVIEW_PROD, ["pulumi", "preview", "--non-interactive", "--stack", "prod"], ROOT, {}


def _edited(stack: str, folder: Path) -> Path:
    """A copy of the stack file with a budget of one dollar more."""
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    changed, times = _BUDGET.subn(lambda found: str(int(found[0]) + 1), text)
    if times != 1:
        raise RuntimeError(f"stacks/Pulumi.{stack}.yaml: monthlyUsd stands there {times} times")
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"Pulumi.{stack}.yaml"
    copy.write_text(changed, encoding="utf-8")
    return copy


def pairs(preview_frontier: str) -> tuple[tuple[str, str], ...]:
    """Which figures to divide: slow by fast."""
    against_bare = [(name(stack), BARE) for stack in STACKS for name in KINDS]
    previews = dict(zip(STACKS, (PREVIEW_PROD, preview_frontier), strict=True))
    return (*against_bare, *((previews[stack], name(stack)) for stack in STACKS for name in KINDS))
