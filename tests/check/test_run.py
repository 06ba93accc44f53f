"""A step or a rule that raises is a finding, and the others are still asked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gpufleet.catalog.table import CatalogError
from gpufleet.check import Level, Verdict, run
from gpufleet.check.report import FailOn, worst
from gpufleet.errors import ConfigurationError, ExitCode
from gpufleet.spec import Environment
from policies.rules.scale002_infiniband_domain import InfinibandDomain
from tests.check.stacks import Stacks


def _raising(error: Exception) -> object:
    def act(*_: object, **__: object) -> None:
        raise error

    return act


def test_a_program_that_refuses_is_a_finding_and_no_rule_has_passed(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "plan", _raising(ConfigurationError("the name is too long.", hint="Shorten it.")))
    report = stacks.check({("budget", "monthlyUsd"): 100})
    (found,) = report.findings
    assert (found.rule, found.message, found.fix) == ("plan", "the name is too long", "Shorten it")
    assert str(found.place) == "Pulumi.x.yaml"
    assert (report.exit_code, report.verdict) == (ExitCode.CONFIGURATION, Verdict.FAIL)
    assert report.estimate is None
    assert report.passed == ("spec",)


def test_a_program_that_raises_names_its_line(stacks: Stacks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The real program under the real mocks: a component of it is broken.
    monkeypatch.setattr("components.program.build", _raising(ZeroDivisionError("division by zero")))
    monkeypatch.setattr("gpufleet.graph.standin.plan", _raising(ZeroDivisionError("division by zero")))
    monkeypatch.setattr("gpufleet.graph.offline.build", _raising(ZeroDivisionError("division by zero")))
    path = stacks.write()
    report = run.check(path, environment="x", label="x.yaml", strict=False)
    (found,) = report.findings
    assert found.message == "raised ZeroDivisionError: division by zero"
    assert (found.rule, found.code, report.exit_code) == ("plan", ExitCode.ERROR, ExitCode.ERROR)
    assert found.place is not None
    assert (found.place.file, found.place.line is not None) == ("tests/check/test_run.py", True)
    assert found.trace.endswith("ZeroDivisionError: division by zero\n")


def test_a_rule_that_raises_is_a_finding_and_has_not_passed(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InfinibandDomain, "judge", _raising(KeyError("sku")))
    report = stacks.check({("budget", "monthlyUsd"): 100})
    found = {finding.rule: finding for finding in report.findings if finding.level is Level.ERROR}
    assert set(found) == {"COST002", "SCALE002"}
    assert found["SCALE002"].message == "the rule raised KeyError: 'sku'"
    assert found["SCALE002"].trace.endswith("KeyError: 'sku'\n")
    assert (found["SCALE002"].code, report.exit_code) == (ExitCode.ERROR, ExitCode.ERROR)
    assert "SCALE002" not in report.passed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"SCALE02": "advisory"}', "policies/config/x.json: there is no rule SCALE02"),
        (b"{", "policies/config/x.json can't be read: "),
        (b"\xff", "x.json can't be read: "),
    ],
)
def test_a_wrong_configuration_is_a_finding_and_no_rule_has_passed(
    stacks: Stacks, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "x.json").write_bytes(content)
    report = stacks.check(configuration=tmp_path)
    (found,) = report.findings
    assert (found.rule, found.code, report.exit_code) == ("rules", ExitCode.CONFIGURATION, ExitCode.CONFIGURATION)
    assert message in found.message
    assert report.passed == ("plan", "spec")


def test_damaged_data_is_no_finding_on_an_environment(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "estimate", _raising(CatalogError("prices.csv:3: usd is 'x', not a price")))
    with pytest.raises(CatalogError, match=r"^prices\.csv:3: "):
        stacks.check()


def test_a_budget_that_may_exist_already_is_a_note_and_no_broken_step(stacks: Stacks) -> None:
    fail_on = frozenset({FailOn.WARNING})
    report = stacks.check({("budget", "start"): "2026-10-01"}, today=dt.date(2027, 1, 10), fail_on=fail_on)
    (found,) = report.findings
    assert (found.rule, found.level, found.key) == ("spec", Level.NOTE, "budget.start")
    assert (report.exit_code, report.verdict, "spec" in report.passed) == (ExitCode.OK, Verdict.PASS, True)


def test_without_a_folder_for_plans_it_plans_anew(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def plan(stack: str, environment: Environment, *, subscription_id: str | None) -> object:
        asked.append(f"{stack} {environment.owner}")
        raise ConfigurationError("enough")

    monkeypatch.setattr("gpufleet.graph.standin.plan", _raising(ConfigurationError("not that one")))
    monkeypatch.setattr("gpufleet.graph.offline.plan", plan)
    run.check(stacks.write(), environment="x", label="x.yaml", strict=False)
    assert asked == ["x ml-platform"]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], ExitCode.OK),
        ([ExitCode.OK, ExitCode.UNDECIDED], ExitCode.UNDECIDED),
        ([ExitCode.UNDECIDED, ExitCode.POLICY], ExitCode.POLICY),
        ([ExitCode.POLICY, ExitCode.WAIVER], ExitCode.WAIVER),
        ([ExitCode.WAIVER, ExitCode.CONFIGURATION], ExitCode.CONFIGURATION),
        ([ExitCode.CONFIGURATION, ExitCode.ERROR], ExitCode.ERROR),
        ([ExitCode.RESOURCE, ExitCode.POLICY], ExitCode.RESOURCE),
    ],
)
def test_the_worst_code_counts(codes: list[ExitCode], expected: ExitCode) -> None:
    assert worst(codes) is expected
    assert worst(codes[::-1]) is expected
