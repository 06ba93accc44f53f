"""How AKS upgrades a pool: the effective surge settings and the nodes a surge adds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gpufleet.catalog import sizes
from gpufleet.spec.base import Priority
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools

_ZERO = ("0", "0%")


@dataclass(frozen=True, kw_only=True)
class UpgradePlan:
    """AKS `upgradeSettings` of a pool, with defaults filled in."""

    max_surge: str
    """Nodes or percent of the pool added while upgrading."""
    max_unavailable: str
    """Nodes or percent of the pool taken away at once while upgrading."""

    @property
    def stuck(self) -> bool:
        """Whether nothing could be upgraded: no node may be added and none taken away."""
        return self.max_surge in _ZERO and self.max_unavailable in _ZERO


def upgrade_plan(pool: Pool) -> UpgradePlan | None:
    """The effective settings; None on spot, where AKS accepts none (spot-node-pool).

    GPU sizes go without surge and one node at a time, for spare GPU nodes and quota for them hardly exist
    (Azure/AKS#4818); others have AKS's own defaults, 10 % of surge and none unavailable
    (upgrade-aks-node-pools-rolling). A setting of the specification takes precedence over its default.
    """
    if pool.priority is Priority.SPOT:
        return None
    surge = pool.upgrade.max_surge if pool.upgrade else None
    unavailable = pool.upgrade.max_unavailable if pool.upgrade else None
    size = sizes.find(pool.sku)
    if size is not None and size.is_gpu:
        surge = surge or "0"
        unavailable = unavailable or ("1" if surge in _ZERO else "0")
    return UpgradePlan(max_surge=surge or "10%", max_unavailable=unavailable or "0")


def surge_nodes(pool: Pool) -> int:
    """The nodes that upgrades add at most at the same time, with all agent pools of `pool` at their maximum."""
    plan = upgrade_plan(pool)
    return sum(share_of(plan.max_surge, agent_pool.max_nodes) for agent_pool in agent_pools(pool)) if plan else 0


def share_of(setting: str, nodes: int) -> int:
    """Nodes that a setting such as `1` or `10%` means in a pool of `nodes`; AKS rounds a percentage up."""
    return math.ceil(int(setting[:-1]) * nodes / 100) if setting.endswith("%") else int(setting)
