"""PLAT017: zones of an InfiniBand pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class InfinibandZone(Rule[Pool, Settings]):
    """A pool with InfiniBand is in one availability zone at most.

    InfiniBand ends at the scale set's placement group, which is in one place: nodes of two zones have no fabric between
    them, and a job over both falls back to Ethernet, 3,200 Gb/s to 80 on ND H100 v5. Without a zone Azure chooses one
    place for the whole pool.
    """

    id = "PLAT017"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    measure = "zones"
    fix = "Keep one zone, or none, and declare a pool for each further one"
    source = "azure-compute-docs setup-infiniband, virtual-machine-scale-sets-placement-groups"

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of a size with InfiniBand, and those whose size can't be read."""
        return may(view.pools, lambda pool: pool.size.rdma)

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """How many zones it has."""
        zones = subject.properties.items("availabilityZones")
        if len(zones) > 1 and subject.size.rdma:
            yield Objection(
                message=f"{subject.name} has InfiniBand and {len(zones)} availability zones, with no fabric between",
                setting=("zones",),
                amount=len(zones),
            )
