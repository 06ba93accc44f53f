"""Pools: bounds, spot, upgrades, priorities, labels and taints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.catalog import limits, sizes
from gpufleet.spec.base import Path, Priority
from gpufleet.spec.checks.places import PlacedPool, pools_of, repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import NodeRange, Pool, UndrainableNode
from gpufleet.spec.problem import Problem
from gpufleet.spec.upgrade import share_of, upgrade_plan

RESERVED_PREFIXES = ("kubernetes.azure.com/", "gpufleet.io/")
"""Label and taint keys that belong to AKS and to the tool."""

_SPOT = "AKS spot-node-pool"
_UPGRADE = "AKS upgrade-aks-node-pools-rolling"
_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(rf"^([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}$")
_LABEL_VALUE = re.compile(rf"^({_NAME})?$")
_LABEL_RULE = (
    "Kubernetes labels: [prefix/]name and value, each name and value at most 63 letters, digits and . _ - between them"
)


def check_pools(environment: Environment) -> Iterator[Problem]:
    """Everything that can be wrong with one pool by itself, InfiniBand apart."""
    for placed in pools_of(environment):
        yield from _bounds(placed)
        yield from _spot(placed.pool, placed.path)
        yield from _upgrade(placed.pool, placed.path)
        yield from _priority(placed.pool, placed.path)
        yield from _labels(placed.pool, placed.path)
        yield from _taints(placed.pool, placed.path)


def _bounds(placed: PlacedPool) -> Iterator[Problem]:
    nodes, path = placed.pool.nodes, (*placed.path, "nodes")
    if isinstance(nodes, NodeRange):
        if nodes.min > nodes.max:
            fix = "Swap them, or raise max"
            reads = ((*path, "max"),)
            yield Problem(
                path=(*path, "min"), message=f"{nodes.min} is more than max, {nodes.max}", fix=fix, reads=reads
            )
        return
    size, most = sizes.find(placed.pool.sku), limits.value("aks.nodes_per_pool")
    if nodes > most and size is not None and not size.rdma:
        yield Problem(
            path=path,
            message=f"{nodes} nodes exceed the {most:,} of an AKS pool",
            fix="Make several pools; only RDMA sizes are split by themselves, into InfiniBand domains",
            source="AKS container-service-limits",
            reads=((*placed.path, "sku"),),
        )


def _spot(pool: Pool, path: Path) -> Iterator[Problem]:
    reads = ((*path, "priority"),)
    if pool.priority is not Priority.SPOT:
        if pool.spot_max_price is not None:
            fix = "Add `priority: spot`, or leave it out"
            message = "only a spot pool has a highest price"
            yield Problem(path=(*path, "spotMaxPrice"), message=message, fix=fix, source=_SPOT, reads=reads)
        return
    if pool.sku.startswith("Standard_B"):
        message = "Azure has no spot capacity of the B series"
        yield Problem(
            path=(*path, "sku"), message=message, fix="Use a D series size", source="Azure spot VMs", reads=reads
        )
    if pool.upgrade is not None:
        fix = "Leave it out: spot nodes are not upgraded with a surge but replaced as they are evicted"
        yield Problem(
            path=(*path, "upgrade"),
            message="AKS accepts no upgrade settings on a spot pool",
            fix=fix,
            source=_SPOT,
            reads=reads,
        )
    price = pool.spot_max_price
    if price is not None and price != -1 and (price <= 0 or round(price, 5) != price):
        yield Problem(
            path=(*path, "spotMaxPrice"),
            message=f"must be -1 or a price in USD an hour with at most five decimals, not {price}",
            fix="Leave it out for -1, up to the regular price",
            source=_SPOT,
            reads=reads,
        )


def _upgrade(pool: Pool, path: Path) -> Iterator[Problem]:
    plan = upgrade_plan(pool)
    if pool.upgrade is None or plan is None:
        return
    for key, setting in (("maxSurge", pool.upgrade.max_surge), ("maxUnavailable", pool.upgrade.max_unavailable)):
        if setting and setting.endswith("%") and int(setting[:-1]) > 100:
            yield Problem(
                path=(*path, "upgrade", key), message=f"{setting} is more than the whole pool", fix="Use 0% to 100%"
            )
    if plan.stuck:
        yield Problem(
            path=(*path, "upgrade"),
            message="with maxSurge 0 and maxUnavailable 0 no node could ever be upgraded",
            fix="Set maxUnavailable to 1",
            source=_UPGRADE,
            reads=((*path, "sku"), (*path, "priority")),
        )

    if pool.upgrade.undrainable_node is UndrainableNode.CORDON and share_of(plan.max_surge, 1) == 0:
        yield Problem(
            path=(*path, "upgrade", "undrainableNode"),
            message="Cordon replaces a node that can't be emptied by a surge node, and there is no surge",
            fix="Use Schedule, or set maxSurge",
            source="containerservice API specification 2025-09-01: undrainableNodeBehavior",
            reads=((*path, "sku"), (*path, "upgrade")),
        )


def _priority(pool: Pool, path: Path) -> Iterator[Problem]:
    if pool.autoscaler_priority is not None and not isinstance(pool.nodes, NodeRange):
        yield Problem(
            path=(*path, "autoscalerPriority"),
            message="the autoscaler has no part in a pool with a fixed number of nodes",
            fix="Leave it out, or give `nodes` a range",
            reads=((*path, "nodes"),),
        )


def _labels(pool: Pool, path: Path) -> Iterator[Problem]:
    for key, value in pool.labels.items():
        at = (*path, "labels", key)
        if not _LABEL_KEY.match(key):
            yield Problem(path=at, message="is not a label key", fix="See the rule", source=_LABEL_RULE)
        elif reserved := _reserved(key):
            yield Problem(path=at, message=f"the prefix {reserved} is reserved", fix="Use a prefix of your own")
        if not _LABEL_VALUE.match(value):
            yield Problem(path=at, message="does not have a label's value", fix="See the rule", source=_LABEL_RULE)


def _taints(pool: Pool, path: Path) -> Iterator[Problem]:
    for index, taint in enumerate(pool.taints):
        key_and_value = taint.rsplit(":", 1)[0]
        key, _, value = key_and_value.partition("=")
        at = (*path, "taints", index)
        if not _LABEL_KEY.match(key) or not _LABEL_VALUE.match(value):
            yield Problem(
                path=at, message="key and value must have a label's form", fix="See the rule", source=_LABEL_RULE
            )
        elif reserved := _reserved(key):
            fix = "Leave it out: AKS and the tool set theirs themselves"
            yield Problem(path=at, message=f"the prefix {reserved} is reserved", fix=fix)
    for index, first in repeated(
        [(taint.rsplit(":", 1)[0].partition("=")[0], taint.rsplit(":", 1)[1]) for taint in pool.taints]
    ):
        fix = "Keep one: a node has one taint of a key and effect"
        yield Problem(path=(*path, "taints", index), message=f"has the key and effect of taints[{first}]", fix=fix)


def _reserved(key: str) -> str | None:
    return next((prefix for prefix in RESERVED_PREFIXES if key.startswith(prefix)), None)
