"""Running jobs and the nodes that they hold, read from a cluster's objects: Kueue's workloads, and pods with GPUs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from gpufleet.catalog import sizes
from gpufleet.pool_changes.pools import POOL_LABEL, AgentPool

Object: TypeAlias = Mapping[str, Any]
"""A Kubernetes object as JSON."""

KUEUE_GROUP = "kueue.x-k8s.io"
_GPUS = ("nvidia.com/gpu", "amd.com/gpu")
_HOSTNAME = "kubernetes.io/hostname"
_WORKLOAD = f"{KUEUE_GROUP}/workload"
# Names of AKS nodes: aks-<pool>-<number of the cluster>-vmss<number of the node> (AKS docs: node-pools).
_NODE = re.compile(r"^aks-([a-z][a-z0-9]{0,11})-\d+-vmss[0-9a-z]+$")
_SUFFIXES: Mapping[str, Decimal] = {
    "": Decimal(1), "m": Decimal("0.001"), "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9),
    "T": Decimal(10**12), "P": Decimal(10**15), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30),
    "Ti": Decimal(2**40), "Pi": Decimal(2**50),
}  # fmt: skip
_QUANTITY = re.compile(r"^([0-9.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$")


@dataclass(frozen=True, kw_only=True)
class ClusterObjects:
    """What is read of one cluster.

    Attributes:
        workloads: Kueue's, of all namespaces; empty without Kueue.
        flavors: Kueue's ResourceFlavors.
        pods: those that are bound to a node and have not ended.
        nodes: with their labels; may be empty, then names tell the pool.
    """

    workloads: Sequence[Object] = ()
    flavors: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    nodes: Sequence[Object] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job and what it holds of one pool.

    Attributes:
        name: `namespace/name` of the job.
        team: its local queue, else its namespace.
        pool: name of the pool in the specification.
        count: nodes that it holds at least.
        nodes: names of those that are known; fewer than `count` where the scheduler has not placed all of it.
    """

    name: str
    team: str
    pool: str
    count: int
    nodes: frozenset[str]


def agent_pool_of(node: str) -> str:
    """The AKS pool that a node's name tells, "" for a name of another form."""
    found = _NODE.match(node)
    return found[1] if found else ""


def jobs_of(objects: ClusterObjects, pools: Iterable[AgentPool]) -> tuple[Job, ...]:
    """The jobs that hold nodes, sorted by pool and name.

    A workload counts from the moment Kueue has reserved quota for it until it has ended: its pods may come any second.
    Pods with GPUs that no workload accounts for count as jobs of their own.

    Args:
        objects: of one cluster.
        pools: the cluster's agent pools as they are, for their sizes.
    """
    known = list(pools)
    flavors = {_name(flavor): _flavor_pool(flavor) for flavor in objects.flavors}
    where = _Nodes(objects.nodes, known)
    found: list[Job] = []
    for workload in objects.workloads:
        found += _of_workload(workload, flavors, where)
    accounted = {name for job in found for name in (job.name, *job.nodes)}
    owned = {f"{_namespace(one)}/{_name(one)}" for one in objects.workloads if _admission(one) is not None}
    found += _of_pods(objects.pods, owned, accounted, where)
    return tuple(sorted(found, key=lambda job: (job.pool, job.name)))


class _Nodes:
    """Which pool a node is of, and what a node of a pool has."""

    def __init__(self, nodes: Sequence[Object], pools: Sequence[AgentPool]) -> None:
        self._labels = {_name(node): _labels(node) for node in nodes}
        self._by_name = {pool.name: pool for pool in pools}
        self._by_pool = {pool.pool: pool for pool in pools}

    def pool(self, node: str) -> str:
        """Name of the pool of a node, "" when nothing tells."""
        label = self._labels.get(node, {}).get(POOL_LABEL)
        if isinstance(label, str):
            return label
        agent_pool = self._by_name.get(agent_pool_of(node))
        return agent_pool.pool if agent_pool else ""

    def holds(self, pool: str, request: Mapping[str, Decimal], pods: int) -> int:
        """How many nodes of a pool so many pods need at least; one a pod where nobody knows."""
        agent_pool = self._by_pool.get(pool)
        size = sizes.find(agent_pool.size) if agent_pool else None
        if size is None:
            return pods
        room: list[int] = []
        for resource, each in request.items():
            has = size.gpus if resource in _GPUS else size.vcpus if resource == "cpu" else None
            if has and each > 0:
                room.append(max(1, int(Decimal(has) / each)))
        return math.ceil(pods / min(room)) if room else pods


def _of_workload(workload: Object, flavors: Mapping[str, str], where: _Nodes) -> Iterator[Job]:
    admission = _admission(workload)
    if admission is None:
        return
    counts = {str(one.get("name")): one.get("count") for one in workload.get("spec", {}).get("podSets") or []}
    reclaimed = {
        str(one.get("name")): int(one.get("count") or 0)
        for one in workload.get("status", {}).get("reclaimablePods") or []
    }
    held: dict[str, tuple[int, frozenset[str]]] = {}
    for assigned in admission.get("podSetAssignments") or []:
        name = str(assigned.get("name"))
        pods = int(assigned.get("count") or counts.get(name) or 0)
        if pods <= 0:
            continue
        pool = _assigned_pool(assigned, flavors)
        if not pool:
            continue
        # `resourceUsage` is that of all pods of the set, before any has ended (kueue apis/kueue: PodSetAssignment).
        each = {key: _quantity(value) / pods for key, value in (assigned.get("resourceUsage") or {}).items()}
        left = max(0, pods - reclaimed.get(name, 0))
        nodes = frozenset(_placed_on(assigned.get("topologyAssignment") or {}))
        before = held.get(pool, (0, frozenset()))
        # Pods of a set may share nodes that the set was given before some of them ended.
        needed = max(len(nodes), where.holds(pool, each, left)) if left else 0
        held[pool] = (before[0] + needed, before[1] | (nodes if left else frozenset()))
    owner = _owner_of(workload)
    job = str(owner.get("name") or _name(workload))
    team = str(workload.get("spec", {}).get("queueName") or _namespace(workload))
    for pool, (count, nodes) in sorted(held.items()):
        if count:
            yield Job(name=f"{_namespace(workload)}/{job}", team=team, pool=pool, count=count, nodes=nodes)


def _admission(workload: Object) -> Object | None:
    """What Kueue gave a workload that has it still; None for one that waits or has ended.

    Kueue takes the admission of an evicted one back when its pods are gone.
    """
    status = workload.get("status") or {}
    conditions = {str(one.get("type")): one.get("status") for one in status.get("conditions") or []}
    if conditions.get("Finished") == "True":
        return None
    admission: Object | None = status.get("admission")
    return admission


def _assigned_pool(assigned: Object, flavors: Mapping[str, str]) -> str:
    """The pool of the flavor that its GPUs, or else its processors, come from."""
    given: Mapping[str, Any] = assigned.get("flavors") or {}
    for resource in (*_GPUS, "cpu", *sorted(given)):
        if resource in given:
            flavor = str(given[resource])
            return flavors.get(flavor, flavor)
    return ""


def _flavor_pool(flavor: Object) -> str:
    label = (flavor.get("spec", {}).get("nodeLabels") or {}).get(POOL_LABEL)
    return label if isinstance(label, str) else _name(flavor)


def _placed_on(topology: Object) -> Iterator[str]:
    """The hosts of a topology assignment, in the form of v1beta1 (`domains`) or of v1beta2 (`slices`).

    Source: sigs.k8s.io/kueue v0.19.2, config/components/crd/bases, workloads, topologyAssignment.
    """
    levels = [str(level) for level in topology.get("levels") or []]
    if _HOSTNAME not in levels:
        return
    level = levels.index(_HOSTNAME)
    for domain in topology.get("domains") or []:
        yield str(domain["values"][level])
    for part in topology.get("slices") or []:
        values = part["valuesPerLevel"][level]
        if (universal := values.get("universal")) is not None:
            yield str(universal)
        individual = values.get("individual") or {}
        for root in individual.get("roots") or []:
            yield f"{individual.get('prefix') or ''}{root}{individual.get('suffix') or ''}"


def _of_pods(pods: Iterable[Object], owned: set[str], accounted: set[str], where: _Nodes) -> Iterator[Job]:
    held: dict[tuple[str, str, str], set[str]] = {}
    for pod in pods:
        node = str(pod.get("spec", {}).get("nodeName") or "")
        if not node or not _asks_for_gpus(pod):
            continue
        workload = (pod.get("metadata", {}).get("annotations") or {}).get(_WORKLOAD)
        by_queue = workload is not None and f"{_namespace(pod)}/{workload}" in owned
        pool = where.pool(node)
        if not pool or node in accounted:
            continue
        name = f"{_namespace(pod)}/{workload if by_queue else _owner(pod)}"
        held.setdefault((pool, name, _namespace(pod)), set()).add(node)
    for (pool, name, team), nodes in sorted(held.items()):
        yield Job(name=name, team=team, pool=pool, count=len(nodes), nodes=frozenset(nodes))


def _asks_for_gpus(pod: Object) -> bool:
    spec = pod.get("spec", {})
    if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return False
    if any(owner.get("kind") == "DaemonSet" for owner in pod.get("metadata", {}).get("ownerReferences") or []):
        return False  # it belongs to the node, and comes again on every other
    if spec.get("resourceClaims"):
        return True  # dynamic resource allocation: what GPU nodes' pods have in the place of a count
    return any(
        _quantity(amount) > 0
        for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
        for kind in ("limits", "requests")
        for key, amount in ((container.get("resources") or {}).get(kind) or {}).items()
        if key in _GPUS
    )


def _owner(pod: Object) -> str:
    return str(_owner_of(pod).get("name") or _name(pod))


def _owner_of(item: Object) -> Object:
    owners: Sequence[Object] = item.get("metadata", {}).get("ownerReferences") or [{}]
    return owners[0]


def _quantity(value: object) -> Decimal:
    """A Kubernetes quantity; 0 for what is none: the API server takes nothing else than quantities."""
    found = _QUANTITY.match(str(value))
    if found is None or found[2] not in _SUFFIXES:
        return Decimal(0)
    try:
        return Decimal(found[1]) * _SUFFIXES[found[2]]
    except InvalidOperation:
        return Decimal(0)


def _name(item: Object) -> str:
    return str(item.get("metadata", {}).get("name", ""))


def _namespace(item: Object) -> str:
    return str(item.get("metadata", {}).get("namespace", ""))


def _labels(item: Object) -> Mapping[str, object]:
    labels: Mapping[str, object] = item.get("metadata", {}).get("labels") or {}
    return labels
