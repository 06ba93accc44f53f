"""A step or a rule that raises is a finding, and the others are still asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.catalog.table import CatalogError
from gpufleet.check import Finding, Verdict, run
from gpufleet.check.report import worst
from gpufleet.check.sources import SOURCES, Source
from gpufleet.check.subject import Subject
from gpufleet.errors import ConfigurationError, ExitCode
from gpufleet.spec import Environment
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
    def rules(_: Subject) -> list[str]:
        return ["broken.one"]

    def find(_: Subject) -> list[Finding]:
        raise KeyError("sku")

    monkeypatch.setattr(run, "SOURCES", (Source(name="broken", rules=rules, find=find), *SOURCES))
    report = stacks.check({("budget", "monthlyUsd"): 100})
    assert {found.rule for found in report.findings} == {"COST002", "broken"}
    assert report.exit_code is ExitCode.ERROR
    assert "broken.one" not in report.passed


def test_a_new_source_is_one_more_entry(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    def rules(subject: Subject) -> list[str]:
        assert subject.graph is not None
        return [f"scaling.{node.name}" for node in subject.graph.of("azure-native:containerservice:ManagedCluster")]

    monkeypatch.setattr(run, "SOURCES", (*SOURCES, Source(name="scaling", rules=rules, find=lambda _: [])))
    report = stacks.check()
    assert [rule for rule in report.passed if rule.startswith("scaling.")] == [
        "scaling.lab-cluster-aks",
        "scaling.swedencentral-cluster-aks",
    ]


def test_damaged_data_is_no_finding_on_an_environment(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "estimate", _raising(CatalogError("prices.csv:3: usd is 'x', not a price")))
    with pytest.raises(CatalogError, match=r"^prices\.csv:3: "):
        stacks.check()


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
        ([ExitCode.POLICY, ExitCode.CONFIGURATION], ExitCode.CONFIGURATION),
        ([ExitCode.CONFIGURATION, ExitCode.ERROR], ExitCode.ERROR),
        ([ExitCode.RESOURCE, ExitCode.POLICY], ExitCode.RESOURCE),
    ],
)
def test_the_worst_code_counts(codes: list[ExitCode], expected: ExitCode) -> None:
    assert worst(codes) is expected
    assert worst(codes[::-1]) is expected
