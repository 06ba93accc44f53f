"""The report for people: verdict, what to do, cost, findings; within the width, and nothing that a terminal obeys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gpufleet.check import Level, Verdict
from gpufleet.check.finding import Since
from gpufleet.check.report import Comparison, FailOn
from gpufleet.errors import ExitCode
from gpufleet.report.markdown import markdown
from gpufleet.report.text import headline, text
from tests.report.samples import NASTY, WAIVER, finding, passing, pull_request, report

GOLDEN = Path(__file__).parent / "pull_request.txt"


def test_the_whole_report() -> None:
    assert text([pull_request()]) == GOLDEN.read_text(encoding="utf-8")


def test_what_passes_is_a_count() -> None:
    lines = text([passing("prod")]).splitlines()
    assert lines[0] == "prod  PASS: 3 rules passed"
    assert lines[2].split() == ["Cost,", "USD", "floor", "expected", "ceiling"]
    assert "SCALE002" not in "\n".join(lines)


def test_default_limits_are_said_and_configured_ones_are_not() -> None:
    name = "policies/config/prod.json"
    said = "The rules have their default limits: there is no policies/config/prod.json."
    for render in (text, markdown):
        assert said in render([replace(passing("prod"), configuration=name, inputs={name: ""})]).replace("\\", "")
        assert "default limits" not in render([replace(passing("prod"), configuration=name, inputs={name: "a" * 64})])
        assert "default limits" not in render([report()])


def test_every_line_fits_the_width() -> None:
    for width in (80, 100):
        assert max(len(line) for line in text([pull_request()], width=width).splitlines()) <= width
    assert text([pull_request()], width=1) == text([pull_request()], width=40)


def test_colour_only_adds_colour() -> None:
    painted = text([pull_request()], colour=True)
    assert "\x1b[1;31mFAIL\x1b[0m" in painted
    for style in ("1", "2", "1;31", "1;32", "1;33", "0"):
        painted = painted.replace(f"\x1b[{style}m", "")
    assert painted == text([pull_request()])


def test_all_errors_are_shown_and_what_to_do_once() -> None:
    shown = text([report(*(finding(number) for number in range(30)))])
    assert all(f"stacks/Pulumi.prod.yaml:{number + 1}:3  [SCALE002]" in shown for number in range(30))
    assert (
        "1. training[0].pools[0].nodes.max: Give the fabric more pools. (stacks/Pulumi.prod.yaml:1:3 and 29\n" in shown
    )


def test_the_same_warning_of_several_places_is_shown_once_and_not_without_end() -> None:
    same = [finding(number, Level.WARNING, message="is wrong") for number in range(3)]
    many = [finding(number, Level.NOTE) for number in range(14)]
    shown = text([report(*same, *many, passed=("plan",))])
    assert shown.startswith("prod  PASS: 1 rule passed, 3 warnings, 14 notes\n")
    assert "  - stacks/Pulumi.prod.yaml:1:3 and 2 more  [SCALE002]\n" in shown
    assert "  and 4 more in --format json\n" in shown
    assert "What to do" not in shown


def test_more_to_do_than_a_screen_has() -> None:
    shown = text([report(*(finding(number, fix=f"Mend {number}") for number in range(12)))])
    assert "     and 2 more, with the findings below\n" in shown


def test_warnings_that_fail_are_to_be_done_too() -> None:
    warned = report(finding(level=Level.WARNING), fail_on=frozenset({FailOn.WARNING}))
    assert text([warned]).splitlines()[:4] == [
        "prod  FAIL: 1 warning",
        "",
        "What to do",
        "  1. training[0].pools[0].nodes.max: Give the fabric more pools. (stacks/Pulumi.prod.yaml:1:3)",
    ]


def test_what_a_terminal_obeys_is_taken_out() -> None:
    shown = text([report(finding(message=f"is \x1b[2J {NASTY}", key=NASTY))])
    assert not set(shown) & {"\x1b", "\x07", "\r", "\u202e"}
    assert "##vso[" not in shown


def test_an_undecided_check_says_so() -> None:
    open_ = report(finding(verdict=Verdict.UNDECIDED, code=ExitCode.UNDECIDED))
    assert headline(open_) == "prod  UNDECIDED: 1 error"
    assert "  ? stacks/Pulumi.prod.yaml:1:3  [SCALE002]\n" in text([open_])


def test_what_is_waived_or_old_is_counted_and_fails_nothing() -> None:
    some = [finding(0, waiver=WAIVER), finding(1, since=Since.EXISTING)]
    assert headline(report(*some, passed=("plan",))) == "prod  PASS: 1 rule passed, 1 existing, 1 waived"
    assert headline(report(*some, fail_on=frozenset({FailOn.ALL}))) == "prod  FAIL: 1 error, 1 waived"


def test_a_base_that_nobody_could_judge_is_said() -> None:
    compared = Comparison(base="main", fixed=(), cost=None, problem="its stack file is no YAML")
    shown = text([report(comparison=compared)])
    assert "Against main\n  its stack file is no YAML.\n  one of the two has no cost, so none is compared\n" in shown


def test_several_environments_stand_below_each_other() -> None:
    both = [report(environment="dev"), report(environment="prod")]
    assert text(both) == f"{text(both[:1])}\n{text(both[1:])}"
