"""Reports to render: real environments with findings made by hand, so that no rule's words are tested twice."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from gpufleet.check import Finding, Level, Place, Report, Verdict
from gpufleet.check.finding import Since
from gpufleet.check.report import Comparison
from gpufleet.cost import Estimate, compare, estimate
from gpufleet.errors import ExitCode
from gpufleet.graph import Graph
from gpufleet.graph.cached import plan
from gpufleet.spec import Environment, StackFile, parse_environment
from policies.rule import Severity
from policies.waivers import Waiver

ROOT = Path(__file__).parents[2]

NASTY = "</script><b>\"'&`|*_[x](y)<!-- --> -->%0A:,;]##vso[task.complete]::error::\n\r\x07\u202e\ud800"
"""What would be markup, a command or a line's end in some form."""

WAIVER = Waiver(
    rule="SCALE002",
    environment="prod",
    resource="training/frontier/pools/h100",
    reason="support raised the limit, until the ticket is closed",
    owner="ml-platform",
    ticket="INC-42",
    approved_by="sre-lead",
    expires=dt.date(2026, 12, 24),
    bound=Decimal(128),
    file="stacks/waivers.yaml",
    line=3,
    column=3,
)


def finding(number: int = 0, level: Level = Level.ERROR, **changes: object) -> Finding:
    """A finding of a rule about a pool, on line `number + 1`."""
    plain = Finding(
        rule="SCALE002",
        level=level,
        verdict=Verdict.FAIL,
        resource="urn:pulumi:prod::gpufleet::azure-native:containerservice:AgentPool::frontier-h100",
        label=f"training/frontier/pools/p{number}",
        key=f"training[0].pools[{number}].nodes.max",
        message=f"h100 may grow to {number + 128} nodes, and an InfiniBand domain has at most 100",
        fix="Give the fabric more pools",
        reference="azure-compute-docs setup-infiniband",
        place=Place(file="stacks/Pulumi.prod.yaml", line=number + 1, column=3),
        severity=Severity.HIGH,
        measure="maxNodes",
        amount=Decimal(number + 128),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def report(*findings: Finding, environment: str = "prod", **changes: object) -> Report:
    """A report with these findings and nothing else."""
    plain = Report(
        environment=environment, file=f"stacks/Pulumi.{environment}.yaml", strict=True, findings=findings, passed=()
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@cache
def committed(stack: str) -> tuple[Environment, Graph, Estimate]:
    """A committed stack, planned and priced."""
    return _made(stack, _value(stack))


def passing(stack: str) -> Report:
    """The report on a committed stack that has nothing to object to."""
    _, graph, cost = committed(stack)
    return report(environment=stack, graph=graph, estimate=cost, passed=("SCALE002", "plan", "spec"))


@cache
def pull_request() -> Report:
    """Prod with 72 H100 nodes instead of 64 at most, and without inference in japaneast, against the branch before.

    One finding of each kind: new, worsened, existing, waived, undecided, fixed.
    """
    value = copy.deepcopy(_value("prod"))
    value["training"][0]["pools"][0]["nodes"]["max"] = 72
    value["inference"]["regions"] = [one for one in value["inference"]["regions"] if one["name"] != "japaneast"]
    value["prices"]["assumed"] = [one for one in value["prices"]["assumed"] if one.get("regions") != ["japaneast"]]
    environment, graph, cost = _made("prod", value)
    before, _, cost_before = committed("prod")
    region_loss = finding(
        30,
        rule="SCALE012",
        label="inference",
        key="inference.regions",
        message="without eastus the regular nodes serve 43,200 of 60,000 tokens/s",
        fix="Raise the maximum of a regular pool, or add a region",
        severity=Severity.CRITICAL,
        since=Since.NEW,
        measure="",
        amount=None,
    )
    return report(
        finding(20, since=Since.WORSENED),
        finding(21, Level.WARNING, since=Since.NEW, verdict=Verdict.UNDECIDED, code=ExitCode.UNDECIDED),
        region_loss,
        finding(22, since=Since.EXISTING),
        finding(23, since=Since.EXISTING, waiver=WAIVER),
        graph=graph,
        estimate=cost,
        passed=("PLAT001", "plan", "spec"),
        not_applicable=("SCALE009",),
        disabled=("COST005",),
        inputs={"stacks/Pulumi.prod.yaml": "a" * 64, "stacks/waivers.yaml": ""},
        comparison=Comparison(
            base="main (1a2b3c4)",
            fixed=(finding(24),),
            cost=compare((before, cost_before), (environment, cost), base="main (1a2b3c4)"),
        ),
    )


def _value(stack: str) -> dict[str, Any]:
    value = StackFile.read(ROOT / "stacks" / f"Pulumi.{stack}.yaml").environment
    assert isinstance(value, dict)
    return value


def _made(stack: str, value: dict[str, Any]) -> tuple[Environment, Graph, Estimate]:
    environment = parse_environment(value)
    graph = plan(stack, environment, None)
    return environment, graph, estimate(environment, graph, name=stack)
