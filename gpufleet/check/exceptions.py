"""Waivers in Pulumi's own form, the policy exceptions of a `--policy-pack-config` file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gpufleet.check.finding import Finding
from policies.waivers import Waiver

FIRST_VERSION: Final = "3.274.1"
"""The oldest Pulumi whose documentation has this form (Pulumi docs: Policy exceptions, public preview; 3.259 has no
exceptions at all, and what lay between had other keys)."""

_KEY: Final = "exceptions"
# Pulumi Cloud REST API: PolicyExceptionMatch.targets, CreatePolicyExceptionRequest.reason.
_MOST_TARGETS: Final = 100
_LONGEST_REASON: Final = 2048


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A configuration with exceptions.

    Attributes:
        content: of the file.
        left_out: in words, every waived finding that the form has no way to say, so that the packs go on to object.
    """

    content: Mapping[str, object]
    left_out: tuple[str, ...]


def exported(configuration: Mapping[str, object], findings: Iterable[Finding]) -> Exported:
    """The rules' configuration of an environment with one exception for each waiver that covers something.

    An exception knows a policy and a URN, neither a bound nor an end: what is exported is what is covered now. A URN is
    left out when an exception would cover more there than the waiver does.

    Args:
        configuration: content of `policies/config/<environment>.json`.
        findings: of a check of the environment, all of them.
    """
    found = list(findings)
    active = {(finding.rule, finding.resource) for finding in found if finding.waiver is None}
    targets: dict[Waiver, set[str]] = {}
    left_out = []
    for finding in found:
        if (waiver := finding.waiver) is None:
            continue
        if why := _unsayable(finding, active):
            left_out.append(f"{finding.rule} of {finding.label} ({waiver.place}): {why}")
        else:
            targets.setdefault(waiver, set()).add(finding.resource)
    exceptions = {_id(waiver): _exception(waiver, sorted(urns)) for waiver, urns in targets.items()}
    content = dict(configuration) | ({_KEY: exceptions} if exceptions else {})
    return Exported(content=content, left_out=tuple(left_out))


def _unsayable(finding: Finding, active: set[tuple[str, str]]) -> str:
    if not finding.resource:
        return "it is about no resource, and an exception names one"
    if "/pools/" in finding.label and not finding.resource.rpartition("::")[0].endswith(":AgentPool"):
        return "its pool is inside the cluster, and an exception would cover every pool there"
    if (finding.rule, finding.resource) in active:
        return "the rule objects to something else of the resource that no waiver covers"
    return ""


def _exception(waiver: Waiver, urns: list[str]) -> dict[str, object]:
    return {
        "reason": _reason(waiver)[:_LONGEST_REASON],
        "match": [{"policies": [waiver.rule], "targets": part} for part in _parts(urns)],
    }


def _reason(waiver: Waiver) -> str:
    bound = "" if waiver.bound is None else f", up to {waiver.bound:,}"
    return (
        f"{waiver.ticket}, until {waiver.expires}{bound}; owner {waiver.owner}, approved by {waiver.approved_by}: "
        f"{waiver.reason}"
    )


def _parts(urns: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(urns), _MOST_TARGETS):
        yield urns[start : start + _MOST_TARGETS]


def _id(waiver: Waiver) -> str:
    """The same for the same waiver, in the characters that Pulumi allows: letters, digits, `-`, `.` and `_`."""
    digest = hashlib.sha256(f"{waiver.environment}\n{waiver.resource}".encode()).hexdigest()
    return f"{waiver.rule}-{digest[:12]}"
