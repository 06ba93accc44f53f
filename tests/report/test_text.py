"""The report for people: verdict, what to do, cost, findings; within the width, and nothing that a terminal obeys."""

from __future__ import annotations

from pathlib import Path

from gpufleet.check import Finding, Level, Place, Report, Verdict
from gpufleet.report.text import headline, text
from gpufleet.errors import ExitCode
from tests.check.stacks import Stacks
from tests.spec.environments import SERVE

GOLDEN = Path(__file__).parent / "over.txt"


def _finding(number: int, level: Level, *, message: str = "is wrong", fix: str = "Mend it") -> Finding:
    return Finding(
        rule="spec",
        level=level,
        verdict=Verdict.FAIL,
        key=f"training[{number}].region",
        message=message,
        fix=fix,
        place=Place(file="x.yaml", line=number + 1, column=3),
        code=ExitCode.CONFIGURATION,
    )


def _report(*findings: Finding, passed: tuple[str, ...] = ()) -> Report:
    return Report(environment="x", file="x.yaml", strict=False, findings=findings, passed=passed)


def test_the_whole_report(stacks: Stacks) -> None:
    report = stacks.check({("budget", "monthlyUsd"): 500000, (*SERVE, "priority"): "spot"}, strict=False)
    assert text([report]) == GOLDEN.read_text(encoding="utf-8")


def test_what_passes_is_a_count(stacks: Stacks) -> None:
    lines = text([stacks.check()]).splitlines()
    assert lines[0] == "x  PASS: 17 rules passed"
    assert lines[2].split() == ["Cost,", "USD", "floor", "expected", "ceiling"]
    assert "sizing." not in "\n".join(lines)


def test_every_line_fits_the_width(stacks: Stacks) -> None:
    report = stacks.check({("budget", "monthlyUsd"): 100, (*SERVE, "priority"): "spot"})
    for width in (60, 80, 100):
        assert max(len(line) for line in text([report], width=width).splitlines()) <= width
    assert text([report], width=1) == text([report], width=40)


def test_colour_only_adds_colour(stacks: Stacks) -> None:
    report = stacks.check({("budget", "monthlyUsd"): 100})
    painted = text([report], colour=True)
    assert "\x1b[1;31mFAIL\x1b[0m" in painted
    for style in ("1", "2", "1;31", "1;32", "1;33", "0"):
        painted = painted.replace(f"\x1b[{style}m", "")
    assert painted == text([report])


def test_all_errors_are_shown_and_what_to_do_once(stacks: Stacks) -> None:
    shown = text([_report(*(_finding(number, Level.ERROR) for number in range(30))))
    assert all(f"x.yaml:{number + 1}:3  [spec]" in shown for number in range(30))
    assert shown.count("Mend it.") == 31
    assert "1. training[0].region: Mend it. (x.yaml:1:3 and 29 more)" in shown


def test_the_same_warning_of_several_places_is_shown_once_and_not_without_end() -> None:
    same = [_finding(number, Level.WARNING) for number in range(3)]
    many = [_finding(number, Level.NOTE, message=f"is {number}") for number in range(14)]
    shown = text([_report(*same, *many, passed=("plan",)))
    assert shown.startswith("x  PASS: 1 rule passed, 3 warnings, 14 notes\n")
    assert "  - x.yaml:1:3 and 2 more  [spec]\n" in shown
    assert "  and 4 more in --format json\n" in shown
    assert "What to do" not in shown


def test_more_to_do_than_a_screen_has() -> None:
    shown = text([_report(*(_finding(number, Level.ERROR, fix=f"Mend {number}") for number in range(12))))
    assert "     and 2 more, with the errors below\n" in shown


def test_what_a_terminal_obeys_is_taken_out() -> None:
    shown = text([_report(_finding(0, Level.ERROR, message="is \x1b[2J\nnot \x07right")))
    assert not set(shown) & {"\x1b", "\x07"}
    assert "is  [2J not  right." in shown


def test_an_undecided_check_says_so() -> None:
    finding = Finding.undecided(
        strict=True, rule="sizing.training-rate", path=("a",), message="m", fix="f", place=Place(file="x")
    )
    assert headline(_report(finding)) == "x  UNDECIDED: 1 error"
    assert "  ? x  [sizing.training-rate]\n" in text([_report(finding))
