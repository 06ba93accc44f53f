"""SCALE002: the size of an InfiniBand domain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.catalog import limits
from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class InfinibandDomainSettings(Settings):
    """What SCALE002 allows."""

    max_nodes: int = limits.value("vmss.infiniband_domain_nodes")
    """Nodes of one scale set: 100, up to 300 when Azure support has raised it."""


class InfinibandDomain(Rule[Pool, InfinibandDomainSettings]):
    """A pool with InfiniBand has at most 100 nodes.

    A scale set is the boundary of an InfiniBand fabric, and only a single placement group has one: 100 virtual
    machines, up to 300 by support request. What is beyond the limit comes up without InfiniBand to the rest, or not at
    all, and each of its nodes is paid for.
    """

    id = "SCALE002"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    measure = "maxNodes"
    fix = (
        "Give the fabric more pools, or a plain `nodes: N`, which becomes several domains; where Azure support has "
        "raised the limit, state maxNodes in policies/config/<environment>.json"
    )
    source = "azure-compute-docs setup-infiniband, virtual-machine-scale-sets-placement-groups"
    settings = InfinibandDomainSettings

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of a size with InfiniBand, and those whose size can't be read."""
        return may(view.pools, lambda pool: pool.size.rdma)

    def judge(self, subject: Pool, view: View, settings: InfinibandDomainSettings) -> Iterator[Objection]:
        """Whether its maximum fits one domain."""
        if subject.size.rdma and subject.most > settings.max_nodes:
            yield Objection(
                message=f"{subject.name} may grow to {subject.most:,} nodes, and an InfiniBand domain has at most "
                f"{settings.max_nodes:,}",
                setting=("nodes", "max"),
                amount=subject.most,
            )
