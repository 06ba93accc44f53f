"""A change beside its base: what is new or worse fails, the rest is shown."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gpufleet.check import Base, FailOn, Finding, Level, Report, Since, Verdict
from gpufleet.check.base import beside
from gpufleet.check.report import Comparison
from gpufleet.errors import ExitCode
from tests.check.stacks import Changes, Stacks
from tests.policies.waivers import TODAY, waiver, waivers
from tests.spec.environments import POOL, SERVE

_OVER: Changes = {("budget", "monthlyUsd"): 100000}
_SPOT: Changes = {(*SERVE, "priority"): "spot"}


def _compared(stacks: Stacks, before: Changes, now: Changes, **options: Any) -> Report:  # noqa: ANN401
    return stacks.check(now, base=stacks.base(before), **options)


def _since(report: Report) -> dict[str, Since | None]:
    return {finding.rule: finding.since for finding in report.findings if finding.level is Level.ERROR}


def test_what_the_base_has_too_does_not_fail(stacks: Stacks) -> None:
    report = _compared(stacks, _OVER, _OVER)
    assert (_since(report), report.exit_code, report.verdict) == (
        {"COST002": Since.EXISTING},
        ExitCode.OK,
        Verdict.PASS,
    )
    assert stacks.check(_OVER, base=stacks.base(_OVER), fail_on=frozenset({FailOn.ALL})).exit_code is ExitCode.POLICY


def test_what_is_new_fails(stacks: Stacks) -> None:
    report = _compared(stacks, {}, _OVER)
    assert (_since(report), report.exit_code) == ({"COST002": Since.NEW}, ExitCode.POLICY)


def test_what_is_worse_fails(stacks: Stacks) -> None:
    report = _compared(stacks, _OVER, {**_OVER, (*POOL, "nodes"): {"min": 1, "max": 9}})
    assert (_since(report)["COST002"], report.exit_code) == (Since.WORSENED, ExitCode.POLICY)


def test_what_is_better_does_not_fail_and_what_is_gone_is_fixed(stacks: Stacks) -> None:
    better = _compared(stacks, _OVER, {**_OVER, (*POOL, "nodes"): {"min": 1, "max": 7}})
    assert (_since(better)["COST002"], better.exit_code) == (Since.EXISTING, ExitCode.OK)
    fixed = _compared(stacks, _OVER, {})
    assert fixed.comparison is not None
    assert [finding.rule for finding in fixed.comparison.fixed] == ["COST002"]


def test_a_finding_is_the_same_when_a_pool_is_put_before_it(stacks: Stacks, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": 4}}))
    text = (tmp_path / "x.json").read_text()
    pools = stacks.value()["training"][0]["pools"]
    first = {"name": "cpu", "sku": "Standard_D32s_v5", "nodes": {"min": 0, "max": 1}}
    report = stacks.check(
        {("training", 0, "pools"): [first, *pools]}, configuration=tmp_path, base=stacks.base(configuration=text)
    )
    (found,) = [finding for finding in report.findings if finding.rule == "SCALE002"]
    assert (found.key, found.since) == ("training[0].pools[1].nodes.max", Since.EXISTING)


def test_a_limit_that_the_change_itself_moves_is_seen(stacks: Stacks, tmp_path: Path) -> None:
    strict = json.dumps({"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": 4}})
    (tmp_path / "x.json").write_text(strict)
    report = stacks.check(configuration=tmp_path, base=stacks.base())
    assert (_since(report), report.exit_code) == ({"SCALE002": Since.NEW}, ExitCode.POLICY)
    report = stacks.check(configuration=tmp_path, base=stacks.base(configuration=strict))
    assert report.exit_code is ExitCode.OK


def test_a_rule_that_becomes_mandatory_is_worse(stacks: Stacks, tmp_path: Path) -> None:
    entry = {"enforcementLevel": "mandatory", "maxNodes": 4}
    (tmp_path / "x.json").write_text(json.dumps({"SCALE002": entry}))
    before = json.dumps({"SCALE002": {**entry, "enforcementLevel": "advisory"}})
    report = stacks.check(configuration=tmp_path, base=stacks.base(configuration=before))
    assert (_since(report), report.exit_code) == ({"SCALE002": Since.WORSENED}, ExitCode.POLICY)


def test_a_waiver_that_the_change_takes_away_makes_its_finding_worse(stacks: Stacks, tmp_path: Path) -> None:
    entry = json.dumps({"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": 4}})
    (tmp_path / "x.json").write_text(entry)
    held = """
- {rule: SCALE002, environment: x, resource: training/lab/pools/h100, reason: r, owner: o, ticket: t, approvedBy: a,
   expires: 2026-12-31, bound: 8}
"""
    base = stacks.base(configuration=entry, waivers=held)
    report = stacks.check(configuration=tmp_path, base=base, waivers=waivers())
    assert (_since(report), report.exit_code) == ({"SCALE002": Since.WORSENED}, ExitCode.POLICY)
    kept = waivers(waiver(rule="SCALE002", environment="x", bound=Decimal(8)))
    report = stacks.check(configuration=tmp_path, base=base, waivers=kept)
    assert (_since(report), report.exit_code) == ({"SCALE002": Since.EXISTING}, ExitCode.OK)


def test_an_expired_waiver_fails_a_change_that_has_nothing_to_do_with_it(stacks: Stacks, tmp_path: Path) -> None:
    entry = json.dumps({"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": 4}})
    (tmp_path / "x.json").write_text(entry)
    over = waiver(rule="SCALE002", environment="x", bound=Decimal(8), expires=TODAY - dt.timedelta(days=1))
    text = """
- {rule: SCALE002, environment: x, resource: training/lab/pools/h100, reason: r, owner: o, ticket: t, approvedBy: a,
   expires: 2026-11-20, bound: 8}
"""
    report = stacks.check(
        configuration=tmp_path, base=stacks.base(configuration=entry, waivers=text), waivers=waivers(over)
    )
    assert _since(report) == {"SCALE002": Since.EXISTING, "waivers": Since.EXISTING}
    assert report.exit_code is ExitCode.WAIVER


@pytest.mark.parametrize(
    ("base", "problem"),
    [
        ({"stack": None}, "main (1a2b3c4) has no Pulumi.x.yaml"),
        (
            {"stack": "config: {gpufleet:environment: {class: nope}}"},
            "Pulumi.x.yaml of main (1a2b3c4) can't be judged: allowedRegions: is missing",
        ),
        ({"stack": "["}, "Pulumi.x.yaml of main (1a2b3c4) can't be judged: not valid YAML: "),
        (
            {"waivers": "- rule: COST002"},
            "the waivers of main (1a2b3c4) are malformed: [0].environment: is missing",
        ),
        (
            {"configuration": '{"COST02": "disabled"}'},
            "Pulumi.x.yaml of main (1a2b3c4) can't be judged: policies/config/x.json: there is no rule COST02",
        ),
        (
            {"configuration": "{"},
            "Pulumi.x.yaml of main (1a2b3c4) can't be judged: policies/config/x.json can't be read: ",
        ),
    ],
)
def test_of_a_base_that_cannot_be_judged_everything_is_new(stacks: Stacks, base: dict[str, Any], problem: str) -> None:
    made = Base(**{"name": "main (1a2b3c4)", "stack": stacks.text(_OVER), **base})
    report = stacks.check(_OVER, base=made)
    assert report.comparison is not None
    assert report.comparison.problem.startswith(problem)
    assert (_since(report), report.exit_code) == ({"COST002": Since.NEW}, ExitCode.POLICY)
    assert (report.comparison.fixed, report.comparison.cost) == ((), None)


def test_mistakes_and_crashes_fail_though_the_base_has_them(stacks: Stacks) -> None:
    bad: Changes = {(*POOL, "sku"): "Standard_ND96isr_H100_v6"}
    report = _compared(stacks, bad, bad)
    assert {finding.since for finding in report.findings} == {Since.NEW}
    assert report.exit_code is ExitCode.CONFIGURATION
    broken = _compared(stacks, _OVER, bad)
    # Nobody has asked the rules, so the budget that was broken may still be.
    assert broken.comparison is not None
    assert broken.comparison.fixed == ()
    crash = Finding(
        rule="COST002", level=Level.ERROR, verdict=Verdict.FAIL, message="m", code=ExitCode.ERROR, since=Since.EXISTING
    )
    shown = Report(environment="x", file="x.yaml", strict=False, findings=(crash,), passed=())
    assert shown.exit_code is ExitCode.ERROR


@pytest.mark.parametrize(
    ("changes", "fail_on", "fails"),
    [
        ({}, {FailOn.WARNING}, False),
        ({}, {FailOn.WARNING, FailOn.ALL}, True),
        ({}, {FailOn.ALL}, False),
        ({"since": Since.WORSENED}, {FailOn.WARNING}, True),
        ({"code": ExitCode.CONFIGURATION}, {FailOn.WARNING}, False),
        ({"level": Level.NOTE}, {FailOn.WARNING, FailOn.ALL}, False),
        ({"level": Level.ERROR}, set(), False),
        ({"level": Level.ERROR, "code": ExitCode.CONFIGURATION}, set(), True),
        ({"level": Level.ERROR, "expired": True}, set(), True),
        ({"level": Level.ERROR, "since": None}, set(), True),
    ],
)
def test_what_fails(changes: dict[str, Any], fail_on: set[FailOn], fails: bool) -> None:
    made: dict[str, Any] = {"rule": "COST002", "level": Level.WARNING, "verdict": Verdict.FAIL, "message": "m"}
    found = Finding(**{**made, "since": Since.EXISTING, **changes})
    report = Report(
        environment="x", file="x.yaml", strict=False, findings=(found,), passed=(), fail_on=frozenset(fail_on)
    )
    assert report.fails(found) is fails


def test_the_cost_of_the_change_is_in_the_report(stacks: Stacks) -> None:
    report = _compared(stacks, {}, {(*POOL, "nodes"): {"min": 1, "max": 9}})
    assert isinstance(report.comparison, Comparison)
    assert report.comparison.cost is not None
    # One ND96isr_H100_v5 more in eastus, at 98.32 USD an hour.
    assert report.comparison.cost.delta.hourly.ceiling == Decimal("98.32")
    assert [change.reasons for change in report.comparison.cost.changes] == [("pool h100: max 8 → 9",)]
    assert (report.comparison.base, report.comparison.problem) == ("main (1a2b3c4)", "")


def test_rules_see_what_is_there(stacks: Stacks) -> None:
    assert "PLAT010" in stacks.check().not_applicable
    assert "PLAT010" in _compared(stacks, {}, {}).passed


def _finding(amount: int | None = None, **changes: Any) -> Finding:  # noqa: ANN401
    made: dict[str, Any] = {"rule": "SCALE002", "level": Level.ERROR, "verdict": Verdict.FAIL, "message": "m"}
    made |= {"label": "training/lab/pools/h100", "amount": None if amount is None else Decimal(amount)}
    return Finding(**{**made, **changes})


@pytest.mark.parametrize(
    ("before", "now", "since"),
    [
        (_finding(5), _finding(5), Since.EXISTING),
        (_finding(5), _finding(4), Since.EXISTING),
        (_finding(5), _finding(6), Since.WORSENED),
        (_finding(5), _finding(), Since.WORSENED),
        (_finding(), _finding(5), Since.EXISTING),
        (_finding(message="a"), _finding(message="b"), Since.EXISTING),
        (_finding(level=Level.WARNING), _finding(), Since.WORSENED),
        (_finding(level=Level.ERROR), _finding(level=Level.WARNING), Since.EXISTING),
        (_finding(verdict=Verdict.UNDECIDED), _finding(), Since.WORSENED),
        (_finding(), _finding(verdict=Verdict.UNDECIDED), Since.EXISTING),
        (_finding(waiver=waiver()), _finding(), Since.WORSENED),
        (_finding(), _finding(waiver=waiver()), Since.EXISTING),
        (_finding(key="training[0].pools[0]"), _finding(key="training[0].pools[4]"), Since.EXISTING),
        (_finding(key="training[0].a"), _finding(key="training[0].b"), Since.NEW),
        (_finding(label="a"), _finding(label="b"), Since.NEW),
        (_finding(rule="SCALE001"), _finding(), Since.NEW),
        (_finding(label="", key="a[0]"), _finding(label="", key="a[1]"), Since.NEW),
    ],
)
def test_two_findings(before: Finding, now: Finding, since: Since) -> None:
    (found,), fixed = beside([now], [before])
    assert (found.since, fixed) == (since, (before,) if since is Since.NEW else ())


def test_one_more_of_the_same_is_new_and_the_worst_are_paired() -> None:
    found, fixed = beside([_finding(4), _finding(9), _finding(5)], [_finding(5), _finding(4)])
    assert {finding.amount: finding.since for finding in found} == {
        Decimal(9): Since.WORSENED,
        Decimal(5): Since.WORSENED,
        Decimal(4): Since.NEW,
    }
    assert fixed == ()
