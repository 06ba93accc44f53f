"""SCALE021: the system pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gpufleet.plural import plural
from gpufleet.spec.base import Path
from policies.reading import all_of, may
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
        yield from all_of(_count(subject, view, settings), _nodes(subject), _closed(subject), _size(subject))


def _count(pool: Pool, view: View, settings: SystemPoolSettings) -> Iterator[Objection]:
    least, where = settings.min_nodes, ""
    if view.production:
        least, where = settings.min_production_nodes, " in production"
    if pool.least < least:
        yield Objection(
            message=f"{pool.name} is a system pool of {plural(pool.least, 'node')}, and {least} are needed{where}",
            at=_at(pool, "nodes"),
            amount=least - pool.least,
        )


def _nodes(pool: Pool) -> Iterator[Objection]:
    if pool.spot:
        yield Objection(
            message=f"{pool.name} is a system pool on spot nodes, which AKS refuses",
            fix="Make its nodes regular",
            at=_at(pool),
        )


def _closed(pool: Pool) -> Iterator[Objection]:
    if _TAINT not in pool.properties.texts("nodeTaints"):
        yield Objection(
            message=f"{pool.name} is a system pool without the taint {_TAINT}",
            fix=f"Give it the taint {_TAINT}",
            at=_at(pool),
        )


def _size(pool: Pool) -> Iterator[Objection]:
    if pool.size.is_gpu:
        yield Objection(
            message=f"{pool.name} is a system pool of {pool.size.name}, which has GPUs", at=_at(pool, "sku")
        )


def _at(pool: Pool, *setting: str) -> Path:
    """A system pool stands inline in the cluster, so it is no pool of the specification."""
    return pool.place.path("cluster", "systemPool", *setting) if pool.place else ()
