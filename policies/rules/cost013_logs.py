"""COST013: what logs may cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.spec.environment import EnvironmentClass
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_WORKSPACE = "azure-native:operationalinsights:Workspace"
_UNLIMITED = -1


class LogsSettings(Settings):
    """What COST013 allows."""

    max_retention_days: int = 90
    """Days that a workspace may keep logs; 31 are in the price of ingestion."""


class Logs(Rule[Resource, LogsSettings]):
    """Log workspaces forget after a while, and outside production take a limited volume a day.

    Logs are paid by the gigabyte, and one component at debug level writes hundreds of them. A daily cap ends that on
    the same day. In production it would also drop the audit log of the cluster, so there none is asked for.
    """

    id = "COST013"
    pack = Pack.COST
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    fix = "Give the cluster `logsDailyCapGb`, a few times what it writes on a usual day"
    source = "Azure Monitor daily-cap, cost-logs, data-retention-configure"
    settings = LogsSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Log Analytics workspaces."""
        return view.resources(_WORKSPACE)

    def judge(self, subject: Resource, view: View, settings: LogsSettings) -> Iterator[Objection]:
        """How long it keeps logs, and whether it has a cap."""
        days = subject.properties.integer("retentionInDays")
        if days is not None and days > settings.max_retention_days:
            yield Objection(
                message=f"{subject.node.name} keeps logs for {days:,} days, and {settings.max_retention_days:,} are "
                "allowed",
                fix="Send what must be kept longer to a storage account",
            )
        declared = view.declared
        if declared is None or declared.environment.environment_class is EnvironmentClass.PRODUCTION:
            return
        cap = subject.properties.number("workspaceCapping", "dailyQuotaGb")
        if cap is None or cap == _UNLIMITED:
            yield Objection(
                message=f"{subject.node.name} takes any volume of logs a day",
                at=subject.path("cluster", "logsDailyCapGb"),
            )
