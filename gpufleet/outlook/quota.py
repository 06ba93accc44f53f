"""vCPUs that a state of the fleet takes, beside the quota where somebody said what it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gpufleet.catalog import sizes
from gpufleet.outlook.day import Day
from gpufleet.outlook.fleet import bounds
from gpufleet.sizing.demand import SPOT, TOTAL
from gpufleet.spec.addresses import scopes
from gpufleet.spec.base import Priority
from gpufleet.spec.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Need:
    """One quota of one region.

    Attributes:
        family: of the sizes, or `total`, or `spot`.
        vcpus: that the state takes in the hour with the most nodes, other pools of the region at their most among them;
            system pools and surge are not.
        quota: vCPUs; None when nobody said.
    """

    region: str
    family: str
    vcpus: int
    quota: float | None

    @property
    def enough(self) -> bool | None:
        """Whether the quota suffices; None when it isn't known."""
        return None if self.quota is None else self.vcpus <= self.quota


def needs(environment: Environment, then: Day, lost: str, quotas: Mapping[tuple[str, str], float]) -> Iterator[Need]:
    """What each region that is left takes of each quota.

    Azure counts regular vCPUs by family and in total, spot vCPUs across families.
    """
    found: dict[tuple[str, str], int] = defaultdict(int)
    for (region, name, priority), nodes in _most(then).items():
        _add(found, region, name, priority, nodes)
    for scope in scopes(environment):
        for pool in scope.pools:
            size = sizes.find(pool.sku)
            counted = scope.path[0] == "inference" and size is not None and size.is_gpu
            if scope.region != lost and not counted:
                _add(found, scope.region, pool.sku, pool.priority, bounds(pool)[1])
    known = {(region, family.casefold()): vcpus for (region, family), vcpus in quotas.items()}
    for (region, family), vcpus in sorted(found.items()):
        if vcpus:
            yield Need(region=region, family=family, vcpus=vcpus, quota=known.get((region, family.casefold())))


def _most(then: Day) -> dict[tuple[str, str, Priority], int]:
    most: dict[tuple[str, str, Priority], int] = defaultdict(int)
    for hour in then.hours:
        for one in hour.running:
            key = (one.of.region, one.of.size, one.of.priority)
            most[key] = max(most[key], one.nodes)
    return most


def _add(found: dict[tuple[str, str], int], region: str, name: str, priority: Priority, nodes: int) -> None:
    size = sizes.find(name)
    if size is None:
        return
    families = (SPOT,) if priority is Priority.SPOT else (size.quota_family, TOTAL)
    for family in families:
        found[region, family] += nodes * size.vcpus
