"""What waivers do in a report: SCALE002 allows 4 nodes here, and the pool of the valid environment has 8."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gpufleet.check import FailOn, Finding, Level, Report, Verdict
from gpufleet.check.exceptions import exported
from gpufleet.check.rule_findings import WaiverUse
from gpufleet.errors import ExitCode
from policies.waivers import Kind, Waiver, Waivers
from tests.check.stacks import Changes, Stacks
from tests.policies.waivers import LABEL, TODAY, waiver, waivers
from tests.spec.environments import POOL

_URN = (
    "urn:pulumi:x::gpufleet::gpufleet:environment:Environment$gpufleet:training:TrainingFabric$gpufleet:pool:GpuPool"
    "$azure-native:containerservice:AgentPool::"
)


class Checks:
    """Checks under settings of the test's own."""

    def __init__(self, stacks: Stacks, folder: Path) -> None:
        self.stacks = stacks
        self.folder = folder
        self.configure(SCALE002={"enforcementLevel": "mandatory", "maxNodes": 4})

    def configure(self, **entries: object) -> None:
        """Set the rules' configuration."""
        (self.folder / "x.json").write_text(json.dumps(entries))

    def __call__(self, held: Waivers, changes: Changes | None = None, **options: Any) -> Report:  # noqa: ANN401
        """The report with these waivers."""
        return self.stacks.check(changes, waivers=held, configuration=self.folder, **options)


@pytest.fixture
def checks(stacks: Stacks, tmp_path: Path) -> Checks:
    folder = tmp_path / "config"
    folder.mkdir()
    return Checks(stacks, folder)


def _waiver(**changes: object) -> Waiver:
    return waiver(**{"rule": "SCALE002", "environment": "x", "bound": Decimal(8), **changes})


def _of(report: Report, rule: str) -> Finding:
    (found,) = [finding for finding in report.findings if finding.rule == rule]
    return found


def test_without_a_waiver_it_fails(checks: Checks) -> None:
    report = checks(waivers())
    found = _of(report, "SCALE002")
    assert (found.label, found.amount, found.measure, found.waiver) == (LABEL, Decimal(8), "maxNodes", None)
    assert (report.exit_code, report.waivers) == (ExitCode.POLICY, ())


def test_a_waived_finding_is_shown_and_fails_nothing(checks: Checks) -> None:
    report = checks(waivers(_waiver()), fail_on=frozenset(FailOn))
    found = _of(report, "SCALE002")
    assert (found.level, found.waiver, found.expired) == (Level.ERROR, _waiver(), False)
    assert (report.exit_code, report.verdict) == (ExitCode.OK, Verdict.PASS)
    assert "SCALE002" not in report.passed
    (use,) = report.waivers
    assert (use.findings, use.covered, use.amount, use.remark) == (1, 1, Decimal(8), None)
    assert use.resources == (found.resource,)


def test_a_pool_that_grows_beyond_its_bound_fails(checks: Checks) -> None:
    report = checks(waivers(_waiver()), {(*POOL, "nodes"): {"min": 1, "max": 9}})
    found = _of(report, "SCALE002")
    assert found.waiver is None
    assert found.message.endswith("; the waiver at stacks/waivers.yaml:3 covers up to 8, and this is 9")
    assert report.exit_code is ExitCode.POLICY


def test_an_expired_one_is_named_and_has_an_exit_code_of_its_own(checks: Checks) -> None:
    report = checks(waivers(_waiver(expires=TODAY - dt.timedelta(days=1))), {("budget", "monthlyUsd"): 100})
    assert {finding.rule for finding in report.findings if report.fails(finding)} == {"COST002", "SCALE002", "waivers"}
    named = _of(report, "waivers")
    assert named.message.startswith(f"the waiver of SCALE002 for {LABEL} in x expired on 2026-11-20")
    assert (str(named.place), named.level, named.code, named.expired) == (
        "stacks/waivers.yaml:3:3",
        Level.ERROR,
        ExitCode.WAIVER,
        True,
    )
    assert (_of(report, "SCALE002").expired, report.exit_code) == (True, ExitCode.WAIVER)


def test_an_expired_one_of_an_advisory_finding_warns(checks: Checks) -> None:
    checks.configure(SCALE002={"enforcementLevel": "advisory", "maxNodes": 4})
    report = checks(waivers(_waiver(expires=TODAY - dt.timedelta(days=1))))
    assert [(finding.rule, finding.level) for finding in report.findings] == [
        ("SCALE002", Level.WARNING),
        ("waivers", Level.WARNING),
    ]
    assert report.exit_code is ExitCode.OK


@pytest.mark.parametrize(
    ("changes", "kind", "level"),
    [
        ({"resource": "training/lab/pools/other"}, Kind.UNUSED, Level.WARNING),
        ({"rule": "COST002", "resource": "environment"}, Kind.UNUSED, Level.WARNING),
        ({"expires": TODAY + dt.timedelta(days=3)}, Kind.EXPIRING, Level.NOTE),
    ],
)
def test_what_else_is_said_fails_nothing(checks: Checks, changes: dict[str, object], kind: Kind, level: Level) -> None:
    report = checks(waivers(_waiver(), _waiver(**changes)) if kind is Kind.UNUSED else waivers(_waiver(**changes)))
    assert (_of(report, "waivers").level, report.waivers[-1].remark) == (level, kind)
    assert report.exit_code is ExitCode.OK


def test_unused_ones_fail_where_warnings_do(checks: Checks) -> None:
    report = checks(waivers(_waiver(), _waiver(resource="a")), fail_on=frozenset({FailOn.WARNING}))
    assert report.exit_code is ExitCode.WAIVER


def test_two_for_one_finding_fail(checks: Checks) -> None:
    report = checks(waivers(_waiver()))
    urn = _of(report, "SCALE002").resource
    assert urn.startswith(_URN)
    report = checks(waivers(_waiver(), _waiver(resource=urn, line=14)))
    assert [finding.code for finding in report.findings] == [ExitCode.POLICY, ExitCode.WAIVER, ExitCode.WAIVER]
    assert report.exit_code is ExitCode.WAIVER


def test_disabled_rules_are_told_and_leave_their_waivers_without_use(checks: Checks) -> None:
    checks.configure(SCALE002="disabled")
    report = checks(waivers(_waiver()))
    assert (report.disabled, [use.remark for use in report.waivers]) == (("SCALE002",), [Kind.UNUSED])
    assert "SCALE002" not in (*report.passed, *report.not_applicable)


def test_nothing_is_said_of_waivers_where_the_rules_were_not_asked(checks: Checks) -> None:
    report = checks(waivers(_waiver(resource="a")), {(*POOL, "sku"): "Standard_ND96isr_H100_v6"})
    assert ({finding.rule for finding in report.findings}, report.waivers) == ({"spec"}, ())


def test_every_domain_of_a_pool_is_covered_by_one_waiver(checks: Checks) -> None:
    checks.configure(SCALE002={"enforcementLevel": "mandatory", "maxNodes": 4})
    report = checks(waivers(_waiver(bound=Decimal(100))), {(*POOL, "nodes"): 300, ("budget", "monthlyUsd"): 1e9})
    found = [finding for finding in report.findings if finding.rule == "SCALE002"]
    assert len({finding.resource for finding in found}) == len(found) == 3
    assert {finding.label for finding in found} == {LABEL}
    assert all(finding.waiver for finding in found)


def test_inputs_are_known_by_their_digests(checks: Checks) -> None:
    report = checks(waivers())
    assert sorted(report.inputs) == ["Pulumi.x.yaml", "policies/config/x.json", "stacks/waivers.yaml"]
    assert [len(report.inputs[name]) for name in sorted(report.inputs)] == [64, 64, 0]


def test_a_waiver_becomes_a_policy_exception(checks: Checks) -> None:
    report = checks(waivers(_waiver()))
    found = exported({"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": 4}}, report.findings)
    assert found.left_out == ()
    assert found.content == {
        "SCALE002": {"enforcementLevel": "mandatory", "maxNodes": 4},
        "exceptions": {
            "SCALE002-c2af9e75fd0e": {
                "reason": "ML-1, until 2026-12-31, up to 8; owner ml-platform, approved by jane: the support ticket is "
                "open",
                "match": [{"policies": ["SCALE002"], "targets": [_of(report, "SCALE002").resource]}],
            }
        },
    }


def _finding(**changes: Any) -> Finding:  # noqa: ANN401
    return Finding(
        **{
            "rule": "SCALE002",
            "level": Level.ERROR,
            "verdict": Verdict.FAIL,
            "message": "m",
            "label": LABEL,
            "resource": f"{_URN}a",
            "waiver": _waiver(),
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("findings", "why"),
    [
        ([_finding(resource="")], "it is about no resource, and an exception names one"),
        (
            [_finding(resource="urn:pulumi:x::gpufleet::azure-native:containerservice:ManagedCluster::a")],
            "its pool is inside the cluster, and an exception would cover every pool there",
        ),
        (
            [_finding(), _finding(waiver=None)],
            "the rule objects to something else of the resource that no waiver covers",
        ),
    ],
)
def test_what_an_exception_would_cover_too_much_of_is_left_out(findings: list[Finding], why: str) -> None:
    found = exported({}, findings)
    assert (found.content, found.left_out) == ({}, (f"SCALE002 of {LABEL} (stacks/waivers.yaml:3): {why}",))


def test_an_exception_has_at_most_a_hundred_targets_in_an_entry() -> None:
    found = exported({}, [_finding(resource=f"{_URN}{number:03}") for number in range(125)])
    (exception,) = found.content["exceptions"].values()  # type: ignore[attr-defined]
    assert [len(entry["targets"]) for entry in exception["match"]] == [100, 25]


def test_uses_are_plain_values() -> None:
    use = WaiverUse(waiver=_waiver(), findings=0, covered=0, amount=None, resources=(), remark=Kind.UNUSED)
    assert use.waiver.place == "stacks/waivers.yaml:3"
