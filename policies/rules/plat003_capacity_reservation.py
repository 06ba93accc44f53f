"""PLAT003: capacity reservations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View

_KEY = "capacityReservationGroupID"


class CapacityReservationSettings(Settings):
    """What PLAT003 takes for sizes without reservations."""

    sizes_without: tuple[str, ...] = ("Standard_ND*", "Standard_NC*ads_H100_v5", "Standard_NC*adis_H100_v5")
    """Sizes (shell patterns) that on-demand capacity reservations don't take."""


class CapacityReservation(Rule[Pool, CapacityReservationSettings]):
    """No pool of an ND or NCads H100 v5 size, and no spot pool, is in a capacity reservation group.

    On-demand capacity reservations take none of these sizes, nor spot, nor a single placement group, which InfiniBand
    needs. Capacity of ND sizes comes from quota and from nodes that stay up. Azure refuses the pool, or worse, a
    reservation of another size is billed idle beside it.
    """

    id = "PLAT003"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    scope = Scope.RESOURCE
    waivable = False  # nobody's consent makes Azure do it
    fix = "Leave capacityReservationGroupId out; keep nodes up with `nodes.min` where capacity must be there"
    source = "azure-compute-docs capacity-reservation-overview, AKS use-capacity-reservation-groups"
    settings = CapacityReservationSettings

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools in a capacity reservation group, and those of which nobody can tell."""
        return may(view.pools, lambda pool: pool.properties.has(_KEY))

    def judge(self, subject: Pool, view: View, settings: CapacityReservationSettings) -> Iterator[Objection]:
        """Whether its size and priority can be reserved."""
        if not subject.properties.has(_KEY):
            return
        if subject.spot:
            yield Objection(
                message=f"{subject.name} is spot and in a capacity reservation group",
                setting=("capacityReservationGroupId",),
            )
        elif any(fnmatchcase(subject.size.name, pattern) for pattern in settings.sizes_without):
            yield Objection(
                message=f"{subject.name} is in a capacity reservation group, which takes no {subject.size.name}",
                setting=("capacityReservationGroupId",),
            )
