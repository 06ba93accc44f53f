"""SCALE021: the system pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View

_TAINT: Final = "CriticalAddonsOnly=true:NoSchedule"


class SystemPoolSettings(Settings):
    """What SCALE021 asks for."""

    min_nodes: int = 2
    """Nodes of a system pool."""
    min_production_nodes: int = 3
    """The same in production."""


class SystemPool(Rule[Pool, SystemPoolSettings]):
    """A system pool has two regular nodes or more, three in production, without GPUs and closed to other pods.

    CoreDNS, the metrics server and the operators run there: with one node every upgrade of it is an outage of the
    cluster, and on spot every eviction is. AKS recommends two nodes, three for production, and the taint
    CriticalAddonsOnly=true:NoSchedule, without which any pod may crowd them out. A GPU there is paid for all the time
    and never used.
    """

    id = "SCALE021"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "missingNodes"
    fix = "Set `cluster: { systemPool: { nodes: 3 } }`, of a size without GPUs"
    source = "AKS use-system-pools, spot-node-pool"
    settings = SystemPoolSettings

    def subjects(self, view: View) -> Iterable[Pool]:
        """System pools."""
        return may(view.pools, lambda pool: pool.system)

    def judge(self, subject: Pool, view: View, settings: SystemPoolSettings) -> Iterator[Objection]:
        """Whether it is as it should be."""
        if not subject.system:
            return
        at = subject.place.path("cluster", "systemPool") if subject.place else ()
        if subject.spot:
            yield Objection(message=f"{subject.name} is a system pool on spot nodes, which AKS refuses", at=at)
        if _TAINT not in subject.properties.texts("nodeTaints"):
            yield Objection(
                message=f"{subject.name} is a system pool without the taint {_TAINT}",
                fix=f"Give it the taint {_TAINT}",
                at=at,
            )
        if subject.size.is_gpu:
            yield Objection(message=f"{subject.name} is a system pool of {subject.size.name}, which has GPUs", at=at)
        least = settings.min_production_nodes if view.production else settings.min_nodes
        if subject.least < least:
            yield Objection(
                message=f"{subject.name} is a system pool of {subject.least} nodes, and {least} are needed"
                f"{' in production' if view.production else ''}",
                at=(*at, "nodes") if at else (),
                amount=least - subject.least,
            )
