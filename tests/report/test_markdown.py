"""The comment: what matters in its first lines, within its size, and no text of a stack file is markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpufleet.check import Level
from gpufleet.check.report import Comparison
from gpufleet.report.form import LEAST_MARKDOWN_BYTES, MARKDOWN_BYTES
from gpufleet.report.markdown import markdown
from tests.report.samples import NASTY, finding, passing, pull_request, report

GOLDEN = Path(__file__).parent / "pull_request.md"


def test_the_whole_comment() -> None:
    assert markdown([pull_request()]) == GOLDEN.read_text(encoding="utf-8")


def test_cost_budget_and_the_loss_of_a_region_are_on_the_first_screen() -> None:
    lines = [line for line in markdown([pull_request()]).splitlines() if line]
    assert lines[0] == "<!-- gpufleet:check:prod -->"
    assert lines[1].startswith("## ❌ prod: FAIL (2 errors, 1 warning, 1 existing, 1 waived, 1 fixed, ")
    assert lines[2].startswith("✅ **WITHIN BUDGET: the ceiling costs $5,801,824.62 in the longest month")
    assert lines[3].endswith("**$5,410,375.42 → $5,693,035.19 a month at the ceiling (+$282,659.77)**")
    assert lines[6].endswith("| +$574,188.80 | pool h100: max 64 → 72 |")
    assert lines[9].startswith("- ❌ **SCALE012** critical *new*")
    assert all("<details>" not in line for line in lines[:12])


def test_details_are_closed_however_little_room_there_is() -> None:
    reports = [pull_request(), passing("frontier")]
    for some in (reports, reports[:1], reports[1:]):
        whole = len(markdown(some).encode())
        for size in [*range(LEAST_MARKDOWN_BYTES, 9000, 487), MARKDOWN_BYTES]:
            shown = markdown(some, max_bytes=size)
            assert len(shown.encode()) <= size
            assert shown.count("<details>") == shown.count("</details>")
            assert shown.count("```") % 2 == 0
            assert shown.startswith("<!-- gpufleet:check:")
            assert "BUDGET" in shown or len(some) == 2
            assert ("Cut to size" in shown) == (whole > size)


def test_what_is_left_out_is_named_with_where_to_find_it() -> None:
    shown = markdown([pull_request()], max_bytes=3000)
    assert "> **Cut to size.** Not whole here: " in shown
    assert "topology, where the money goes, passed rules" in shown
    assert "`gpufleet check prod --format html --output report.html` shows everything." in shown


def test_many_findings_are_cut_from_the_end_and_counted() -> None:
    shown = markdown([report(*(finding(number) for number in range(2000)))])
    assert len(shown.encode()) <= MARKDOWN_BYTES
    items = shown.count("\n- ❌ **SCALE002**")
    assert items > 100
    assert f"*… and {2000 - items:,} more*" in shown


def test_frontier_fits_and_groups_its_125_domains() -> None:
    shown = markdown([passing("frontier")])
    assert len(shown.encode()) < MARKDOWN_BYTES
    assert "Cut to size" not in shown
    pools = re.findall(r'\(\["(h100<br/>.*?)"\]\)', shown)
    assert pools == [
        f"h100<br/>ND96isr_H100_v5<br/>{nodes} nodes<br/>{domains} InfiniBand domains of at most 100 nodes"
        for nodes, domains in (("4,200", 42), ("4,200", 42), ("4,100", 41))
    ]


def test_the_marker_of_several_environments_does_not_change_with_them() -> None:
    both = [report(environment="dev"), report(environment="prod")]
    assert markdown(both).splitlines()[0] == "<!-- gpufleet:check:several -->"
    assert markdown([*both, report(environment="x")]).splitlines()[0] == "<!-- gpufleet:check:several -->"


@pytest.mark.parametrize("name", ["-->", "a--b", NASTY, "x" * 5000])
def test_no_name_ends_the_marker_or_grows_the_summary(name: str) -> None:
    shown = markdown([report(environment=name[:200])], max_bytes=LEAST_MARKDOWN_BYTES)
    assert re.fullmatch(r"<!-- gpufleet:check:(?!.*--.* -->)[\w.-]* -->", shown.splitlines()[0])
    assert len(shown.encode()) <= LEAST_MARKDOWN_BYTES


def test_text_of_a_stack_file_is_no_markup() -> None:
    nasty = finding(key=NASTY, message=NASTY, fix=NASTY, rule="spec")
    compared = Comparison(base=NASTY, fixed=(nasty,), cost=None, problem=NASTY)
    shown = markdown([report(nasty, environment=NASTY, comparison=compared)])
    body = "\n".join(shown.splitlines()[1:])
    assert not re.search(r"<(?!br>|/?details>|/?summary>|/?sub>)", body)
    assert "[x](y)" not in body
    assert "@" not in body


def test_warnings_do_not_read_as_errors() -> None:
    assert "- ⚠️ **SCALE002** high" in markdown([report(finding(level=Level.WARNING))])
