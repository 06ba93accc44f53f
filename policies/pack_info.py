"""What a policy pack says of itself: its policies, their levels, and the schema of their settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pulumi.runtime.proto import analyzer_pb2

from policies import own
from policies.rule import AnyRule, Enforcement, Pack, Scope, Severity

_DESCRIPTIONS: Final = {
    Pack.COST: "What a GPU fleet may cost, and what wastes it",
    Pack.SCALING: "Limits of Azure and AKS, room to grow, and capacity when something is lost",
    Pack.PLATFORM: "Networks, drivers, access, protection and availability",
}
_KINDS: Final = {Scope.RESOURCE: analyzer_pb2.POLICY_TYPE_RESOURCE, Scope.STACK: analyzer_pb2.POLICY_TYPE_STACK}


def info(pack: Pack, rules: Iterable[AnyRule]) -> analyzer_pb2.AnalyzerInfo:
    """A pack with its policies.

    Args:
        pack: which.
        rules: its own.
    """
    return analyzer_pb2.AnalyzerInfo(
        name=f"gpufleet-{pack}",
        displayName=f"gpufleet: {pack}",
        description=_DESCRIPTIONS[pack],
        version="0.0.0",  # the engine takes the one of PulumiPolicy.yaml
        provider="azure",
        supportsConfig=True,
        policies=[*map(_of_rule, rules), *map(_of_own, own.OWN)],
    )


def wire_level(level: Enforcement) -> analyzer_pb2.EnforcementLevel.ValueType:
    """A level as the protocol has it."""
    return analyzer_pb2.EnforcementLevel.Value(level.name)


def wire_severity(severity: Severity) -> analyzer_pb2.PolicySeverity.ValueType:
    """A severity as the protocol has it."""
    return analyzer_pb2.PolicySeverity.Value(f"POLICY_SEVERITY_{severity.name}")


def _of_rule(rule: AnyRule) -> analyzer_pb2.PolicyInfo:
    found = analyzer_pb2.PolicyInfo(
        name=rule.id,
        displayName=rule.title(),
        description=rule.documentation(),
        enforcementLevel=wire_level(rule.enforcement),
        policy_type=_KINDS[rule.scope],
        severity=wire_severity(rule.severity),
        remediation_steps=rule.fix,
        tags=[rule.pack],
    )
    schema = rule.settings.model_json_schema()
    if schema.get("properties"):
        # The engine fills in the defaults; it validates values and says nothing of unknown keys, so we do.
        found.configSchema.properties.update(
            {name: {**schema_of, "title": name} for name, schema_of in schema["properties"].items()}
        )
    return found


def _of_own(policy: own.OwnPolicy) -> analyzer_pb2.PolicyInfo:
    return analyzer_pb2.PolicyInfo(
        name=policy.name,
        displayName=policy.title,
        description=policy.description,
        enforcementLevel=wire_level(policy.enforcement),
        policy_type=analyzer_pb2.POLICY_TYPE_STACK,
        severity=wire_severity(policy.severity),
        remediation_steps=policy.fix,
    )
