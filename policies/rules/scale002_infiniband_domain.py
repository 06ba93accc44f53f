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
    """Nodes of one scale set."""
    max_raised_nodes: int = limits.value("vmss.infiniband_domain_nodes_raised")
    """Nodes of one scale set of a pool that declares the support request by which Azure has raised its domain
    (`infiniband`); it has what it declares there, and no more than this."""


class InfinibandDomain(Rule[Pool, InfinibandDomainSettings]):
    """A pool with InfiniBand has at most 100 nodes, or what a support request has raised that to.

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
        "raised the limit, declare it: `infiniband: { maxNodes: …, supportRequest: … }`"
    )
    source = "azure-compute-docs setup-infiniband, virtual-machine-scale-sets-placement-groups"
    settings = InfinibandDomainSettings

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of a size with InfiniBand, and those whose size can't be read."""
        return may(view.pools, lambda pool: pool.size.rdma)

    def judge(self, subject: Pool, view: View, settings: InfinibandDomainSettings) -> Iterator[Objection]:
        """Whether its maximum fits one domain."""
        if subject.size.rdma and subject.most > (most := _most(subject, settings)):
            yield Objection(
                message=f"{subject.name} may grow to {subject.most:,} nodes, and an InfiniBand domain has at most "
                f"{most:,}",
                setting=("nodes", "max"),
                amount=subject.most,
            )


def _most(pool: Pool, settings: InfinibandDomainSettings) -> int:
    specified = pool.specified
    if specified is None or specified.infiniband is None:
        return settings.max_nodes
    return min(specified.infiniband.max_nodes, settings.max_raised_nodes)
