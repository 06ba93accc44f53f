"""The findings of a report by what a reader does about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gpufleet.check.finding import Finding, Since
from gpufleet.check.report import Report
from policies.rule import Severity

_SEVERITIES: Final = (None, *reversed(Severity))
"""The worst first; None is what stands in the way of the rules."""


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The findings, the most urgent first in each group.

    Attributes:
        active: what the change brings or makes worse, and whatever else fails the check; all of it when nobody
            compares.
        existing: what the base has as well, and fails nothing.
        waived: what may pass for a while.
        fixed: what the base has and the change takes away.
    """

    active: tuple[Finding, ...]
    existing: tuple[Finding, ...]
    waived: tuple[Finding, ...]
    fixed: tuple[Finding, ...]

    @classmethod
    def of(cls, report: Report) -> Groups:
        """Of a report."""
        ordered = sorted(report.findings, key=_urgency)
        waived = tuple(finding for finding in ordered if finding.waiver is not None)
        existing = tuple(
            finding
            for finding in ordered
            if finding.waiver is None and finding.since is Since.EXISTING and not report.fails(finding)
        )
        return cls(
            active=tuple(finding for finding in ordered if finding not in waived and finding not in existing),
            existing=existing,
            waived=waived,
            fixed=() if report.comparison is None else tuple(sorted(report.comparison.fixed, key=_urgency)),
        )


def _urgency(finding: Finding) -> tuple[int, int]:
    return (finding.level.rank, _SEVERITIES.index(finding.severity))
