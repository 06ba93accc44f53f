"""Why the packs don't use the policy SDK's server: what it does today (docs/adr/0017). A failure here is good news."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel, ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from gpufleet.graph import SECRET, UNKNOWN
from tests.policies.engine import HUSH, struct

_CONTEXT: Any = grpc.ServicerContext


def _asked(rule: Callable[[ResourceValidationArgs], str]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        report(rule(args), None)

    policy = ResourceValidationPolicy(
        name="size", description="size", validate=validate, enforcement_level=EnforcementLevel.MANDATORY
    )
    server: Any = _PolicyAnalyzerServicer("pack", "1.0.0", [policy], EnforcementLevel.MANDATORY)
    request = analyzer_pb2.AnalyzeRequest(
        type="azure-native:containerservice:AgentPool",
        urn="urn:pulumi:s::p::azure-native:containerservice:AgentPool::a",
        name="a",
        properties=struct({"vmSize": SECRET, "maxCount": UNKNOWN}),
    )
    return list(server.Analyze(request, _CONTEXT).diagnostics)


def test_a_secret_reaches_a_policy_in_plain_text() -> None:
    (said,) = _asked(lambda args: str(args.props["vmSize"]))
    assert HUSH in said.message


def test_an_unknown_value_turns_a_mandatory_policy_into_advice() -> None:
    (said,) = _asked(lambda args: str(args.props["maxCount"]))
    assert said.enforcementLevel == analyzer_pb2.ADVISORY


def test_a_policy_is_not_told_its_level() -> None:
    (said,) = _asked(lambda args: str(dict(args.get_config())))
    assert said.message.endswith("\n{}")
