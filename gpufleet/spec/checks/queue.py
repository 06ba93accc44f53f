"""Queues: teams, and shares that the pools can give."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.plural import plural
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import NodeRange
from gpufleet.spec.problem import ITEMS, Problem, Severity
from gpufleet.spec.queue import Team
from gpufleet.spec.teams import most_nodes, queued_pools
from gpufleet.spec.training import TrainingFabric

_QUOTAS = "Kueue ClusterQueue: nominalQuota, borrowingLimit, lendingLimit"
_MOST_POOLS = 64
"""Flavors of one resource group of a ClusterQueue (Kueue v1beta2 API)."""
_PROVISIONING = (1, 33)
"""First Kubernetes version whose AKS autoscaler knows ProvisioningRequest's best-effort-atomic-scale-up (AKS
configure-kueue-with-cluster-autoscaler)."""


def check_queues(environment: Environment) -> Iterator[Problem]:
    """Teams of every fabric: names, pools, sums."""
    for place, fabric in enumerate(environment.training):
        path = ("training", place)
        yield from _limits(fabric, path)
        for index, first in repeated([team.name for team in fabric.queue.teams]):
            yield Problem(
                path=(*path, "queue", "teams", index, "name"),
                message=f"is the same as the name of training[{place}].queue.teams[{first}]",
                fix="Give it another name: it is the name of a ClusterQueue and of a namespace",
            )
        for index, team in enumerate(fabric.queue.teams):
            yield from _shares(fabric, team, (*path, "queue", "teams", index), path)
        yield from _sums(fabric, path)


def _limits(fabric: TrainingFabric, path: Path) -> Iterator[Problem]:
    pools = queued_pools(fabric)
    if len(pools) > _MOST_POOLS:
        yield Problem(
            path=(*path, "pools"),
            message=f"{len(pools)} GPU pools are more than the {_MOST_POOLS} that a queue can give out",
            fix="State a plain number of nodes in fewer pools, which are split into domains, or make another fabric",
            source="Kueue ClusterQueue",
        )
    version = tuple(int(part) for part in fabric.cluster.kubernetes_version.split("."))
    if version < _PROVISIONING and any(isinstance(pool.nodes, NodeRange) for pool in pools):
        yield Problem(
            path=(*path, "cluster", "kubernetesVersion"),
            message=f"{fabric.cluster.kubernetes_version} can't scale up for a whole gang at once: the first nodes "
            "would bill while the last are missing",
            fix="Use 1.33 or later, or give the GPU pools a plain number of nodes",
            source="AKS configure-kueue-with-cluster-autoscaler",
            reads=((*path, "cluster", "kubernetesVersion"), (*path, "pools")),
        )


def _shares(fabric: TrainingFabric, team: Team, path: Path, fabric_path: Path) -> Iterator[Problem]:
    gpu_pools = [pool.name for pool in queued_pools(fabric)]
    reads = (path, (*fabric_path, "pools"))
    for key, shares in (
        ("nominalNodes", team.nominal_nodes),
        ("borrowingNodes", team.borrowing_nodes),
        ("lendingNodes", team.lending_nodes),
    ):
        for pool in shares:
            if pool not in gpu_pools:
                exists = pool in {one.name for one in fabric.pools}
                yield Problem(
                    path=(*path, key, pool),
                    message=f"{pool} is {'a pool without GPUs' if exists else 'no pool of the fabric'}",
                    fix=f"The queue gives out the GPU pools: {', '.join(gpu_pools) or 'there are none'}",
                    reads=reads,
                )
    for pool, lent in team.lending_nodes.items():
        own = team.nominal_nodes.get(pool, 0)
        if pool in gpu_pools and lent > own:
            yield Problem(
                path=(*path, "lendingNodes", pool),
                message=f"{team.name} can't lend {plural(lent, 'node')} of its {own}",
                fix=f"Lend {own} at most",
                source=_QUOTAS,
            )


def _sums(fabric: TrainingFabric, path: Path) -> Iterator[Problem]:
    if not fabric.queue.teams:
        return
    queue = (*path, "queue", "teams")
    for index, pool in enumerate(fabric.pools):
        if pool not in queued_pools(fabric):
            continue
        most = most_nodes(pool)
        owned = sum(team.nominal_nodes.get(pool.name, 0) for team in fabric.queue.teams)
        if owned > most:
            shares = " + ".join(
                str(team.nominal_nodes[pool.name]) for team in fabric.queue.teams if pool.name in team.nominal_nodes
            )
            yield Problem(
                path=queue,
                message=f"the teams own {shares} = {owned} nodes of {pool.name}, which has {most} at the most",
                fix=f"Give them {most} together; who needs more now and then borrows",
                source=_QUOTAS,
                reads=(queue, (*path, "pools", index)),
                lower_bound=True,
            )
        elif owned < most:
            yield Problem(
                path=queue,
                message=f"{most - owned} of {most} nodes of {pool.name} belong to no team, so no job ever gets them",
                fix="Give them to a team: the others may borrow them",
                source=_QUOTAS,
                severity=Severity.WARNING,
                reads=(queue, (*queue, ITEMS), (*path, "pools", index)),
            )
