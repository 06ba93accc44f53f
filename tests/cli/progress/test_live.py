"""Which display, and what it says."""

from __future__ import annotations

import io

import pytest

from gpufleet.cli.progress.live import Progress, is_fancy
from gpufleet.cli.progress.model import RunModel
from gpufleet.engine import Diagnostic, Severity
from tests.recordings.streams import Clock, recorded

QUOTA = (
    'autorest/azure: Service returned an error. Status=409 Code="QuotaExceeded" Message="Operation could not be '
    "completed as it results in exceeding approved standardNDSH100v5Family Cores quota. Additional details - "
    "Deployment Model: Resource Manager, Location: eastus, Current Limit: 96, Current Usage: 0, Additional Required: "
    '192, (Minimum) New Limit Required: 192."'
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "fancy"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "CI": "true"}, False),
    ],
)
def test_a_live_tree_only_where_it_is_welcome(environ: dict[str, str], fancy: bool) -> None:
    assert is_fancy(Terminal(), environ) is fancy
    assert is_fancy(io.StringIO(), environ) is False


def plain(name: str, *, tree: bool) -> list[str]:
    file, clock = io.StringIO(), Clock()
    with Progress(RunModel(), "Updating dev (sandbox)", tree=tree, file=file, fancy=False, clock=clock) as progress:
        for at, event in recorded(name).events:
            clock.now = at
            progress.take(event)
    return file.getvalue().splitlines()


def test_plain_lines_say_when_what_and_where() -> None:
    lines = plain("fail", tree=True)
    assert lines[0] == "[     0.0s] Updating dev (sandbox) ..."
    assert lines[1] == "[     2.0s] +  ResourceGroup rg-dev-global in dev: creating"
    assert [line.partition("] ")[2] for line in lines if "h100b" in line or "QuotaExceeded" in line] == [
        "+  AgentPool h100b in dev/frontier/h100b: creating",
        f"error: {QUOTA}",
        "x  AgentPool h100b in dev/frontier/h100b: create failed after 1.0s",
    ]
    assert not any("\x1b" in line or "update failed" in line for line in lines)


def test_a_preview_says_nothing_by_resource() -> None:
    assert plain("preview", tree=False) == ["[     0.0s] Updating dev (sandbox) ..."]


def test_a_frame_has_head_tree_counts_and_the_latest_problems() -> None:
    clock = Clock()
    progress = Progress(
        RunModel(recorded("preview").model()), "Updating dev", tree=True, file=io.StringIO(), fancy=True, clock=clock
    )
    for at, event in recorded("fail").events:
        clock.now = at
        progress.take(event)
    progress.take(Diagnostic(severity=Severity.INFO, message="stopping: wait"))
    frame = [line.plain.rstrip() for line in progress.frame(80, 24)]
    assert frame[0] == "Updating dev" + " " * 55 + f"{'11/11':>5}  {clock.now:.1f}s".rjust(12)
    assert frame[-3] == "10 created, 1 failed"
    assert frame[-2] == "stopping: wait"
    assert frame[-1].startswith("QuotaExceeded (409) AgentPool h100b in dev/frontier/h100b: Operation could")
    assert max(map(len, frame)) <= 79
    assert len(progress.frame(80, 8)) <= 7


def test_a_frame_of_a_preview_counts() -> None:
    clock = Clock(3.0)
    progress = Progress(recorded("preview").model(), "Previewing dev", tree=False, file=io.StringIO(), clock=clock)
    clock.now = 5.5
    assert progress.frame(60, 24)[0].plain == "Previewing dev" + " " * 26 + "11 resources  2.5s".rjust(19)


def test_the_terminal_is_clean_afterwards() -> None:
    file = Terminal()
    with Progress(RunModel(), "Updating dev", tree=True, file=file, fancy=True):
        pass
    assert file.getvalue().endswith("\x1b[?25h")
