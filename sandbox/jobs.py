"""Jobs in the sandbox's clusters: workloads as Kueue would have admitted and placed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gpufleet.catalog import node_profiles, sizes
from sandbox import arm
from sandbox.errors import SandboxError
from sandbox.kubernetes.api import NAMESPACE, Address, KubernetesApi, objects_prefix
from sandbox.kubernetes.kinds import Kind
from sandbox.outages import is_down
from sandbox.store import Record, Store
from sandbox.values import Properties

GROUP = "kueue.x-k8s.io"
WORKLOAD = Kind(GROUP, "v1beta2", "Workload")
FLAVOR = Kind(GROUP, "v1beta2", "ResourceFlavor")
POD = Kind("", "v1", "Pod")
NODE = Kind("", "v1", "Node")
_POOL = "azure-native:containerservice:AgentPool"
_POOL_LABEL = "gpufleet.io/pool"
_HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, kw_only=True)
class SandboxJob:
    """One job.

    Attributes:
        cluster: ARM id.
        namespace, name: of its workload.
        queue: its local queue.
        nodes: names of the nodes that it holds.
    """

    cluster: str
    namespace: str
    name: str
    queue: str
    nodes: tuple[str, ...]


def require_reachable(store: Store, cluster: str) -> None:
    """Refuse when nobody could reach a cluster's API server.

    Raises:
        SandboxError: the cluster is gone, or its region is down.
    """
    record = store.get(cluster)
    if record is None:
        raise SandboxError(f"the cluster {arm.name_of(cluster)} is not in the sandbox's cloud")
    region = str(record["outputs"].get("location", ""))
    if is_down(store, region):
        raise SandboxError(f"the region {region} is down")


def objects(store: Store, cluster: str, kind: Kind) -> list[Properties]:
    """All objects of a kind in a cluster, whatever their namespace."""
    return [record["object"] for _, record in store.items(f"{objects_prefix(cluster)}{kind.key}/")]


def add(store: Store, cluster: str, *, name: str, team: str, pool: str, nodes: int, agent_pool: str = "") -> SandboxJob:
    """Admit a job: one pod a node, all in one agent pool, as a gang in one InfiniBand domain is placed.

    Args:
        store: the cloud.
        cluster: the cluster's ARM id.
        name: of the job.
        team: its queue; its namespace too, where the cluster has one of that name.
        pool: name of the pool in the specification.
        nodes: that it asks for.
        agent_pool: AKS name of the agent pool; the first with enough free nodes unless given.

    Raises:
        SandboxError: there is no such pool, or none of its agent pools has so many free nodes.
        KubernetesError: the API server refuses the workload.
    """
    if nodes < 1:
        raise SandboxError(f"a job has at least one node, not {nodes}")
    require_reachable(store, cluster)
    candidates = list(_agent_pools(store, cluster, pool, agent_pool))
    if not candidates:
        wanted = f"agent pool {agent_pool} of pool {pool}" if agent_pool else f"pool {pool}"
        raise SandboxError(f"{arm.name_of(cluster)} has no {wanted}")
    taken = {node for job in listed(store, cluster) for node in job.nodes}
    free = {str(record["id"]): _free(record, taken) for record in candidates}
    chosen = next((record for record in candidates if len(free[str(record["id"])]) >= nodes), None)
    if chosen is None:
        rooms = ", ".join(f"{arm.name_of(key)} {len(names)}" for key, names in free.items())
        raise SandboxError(f"no agent pool of pool {pool} has {nodes} free nodes for one job: {rooms}")
    api = KubernetesApi(store, cluster)
    definition = api.definition(WORKLOAD)
    kind = WORKLOAD if definition is None else Kind(GROUP, definition.versions[-1], WORKLOAD.kind)
    namespace = team if api.get(Address(NAMESPACE, "", team)) is not None else "default"
    body = _workload(
        kind, name=name, namespace=namespace, team=team, pool=chosen, nodes=free[str(chosen["id"])][:nodes],
        flavor=_flavor(store, cluster, pool),
    )  # fmt: skip
    api.create(Address(kind, namespace, name), body, manager="kueue")
    return next(job for job in listed(store, cluster) if (job.namespace, job.name) == (namespace, name))


def listed(store: Store, cluster: str) -> list[SandboxJob]:
    """The jobs of a cluster, in the order of their creation."""
    found = []
    for body in objects(store, cluster, WORKLOAD):
        assignments = ((body.get("status") or {}).get("admission") or {}).get("podSetAssignments") or []
        nodes = [node for one in assignments for node in _hosts(one.get("topologyAssignment") or {})]
        found.append(
            SandboxJob(
                cluster=cluster,
                namespace=str(body["metadata"]["namespace"]),
                name=str(body["metadata"]["name"]),
                queue=str((body.get("spec") or {}).get("queueName", "")),
                nodes=tuple(nodes),
            )
        )
    return found


def remove(store: Store, job: SandboxJob) -> None:
    """End a job."""
    KubernetesApi(store, job.cluster).delete(Address(WORKLOAD, job.namespace, job.name))


def _agent_pools(store: Store, cluster: str, pool: str, agent_pool: str) -> Iterator[Record]:
    found = [
        record
        for _, record in store.items(f"{cluster}/agentPools/")
        if record.get("token") == _POOL and (record["outputs"].get("nodeLabels") or {}).get(_POOL_LABEL) == pool
    ]
    for record in sorted(found, key=lambda record: arm.name_of(record["id"])):
        if agent_pool in ("", arm.name_of(record["id"])):
            yield record


def _free(record: Record, taken: set[str]) -> list[str]:
    """Names of the nodes that a pool has or may get, without those that are taken."""
    outputs, name = record["outputs"], arm.name_of(record["id"])
    most = int((outputs.get("maxCount") if outputs.get("enableAutoScaling") else outputs.get("count")) or 0)
    # aks-<pool>-<number of the cluster>-vmss<number of the node, base 36>, as AKS names its nodes.
    names = [f"aks-{name}-10000000-vmss{_base36(number):0>6}" for number in range(most)]
    return [node for node in names if node not in taken]


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number] if number < len(digits) else _base36(number // len(digits)) + digits[number % len(digits)]


def _flavor(store: Store, cluster: str, pool: str) -> str:
    for body in objects(store, cluster, FLAVOR):
        if ((body.get("spec") or {}).get("nodeLabels") or {}).get(_POOL_LABEL) == pool:
            return str(body["metadata"]["name"])
    return pool


def _workload(
    kind: Kind, *, name: str, namespace: str, team: str, pool: Record, nodes: Sequence[str], flavor: str
) -> Properties:
    size = sizes.find(str(pool["outputs"].get("vmSize", "")))
    profile = node_profiles.find(size) if size else None
    resource = profile.gpu_resource if profile else "nvidia.com/gpu"
    each = {resource: size.gpus} if size and size.gpus else {"cpu": size.vcpus if size else 1}
    container = {"name": "main", "image": "example.com/training:1", "resources": {"limits": _texts(each, 1)}}
    topology: Properties
    if kind.version == "v1beta1":
        topology = {"levels": [_HOSTNAME], "domains": [{"values": [node], "count": 1} for node in nodes]}
    else:
        values = [{"individual": {"roots": list(nodes)}}]
        piece = {"domainCount": len(nodes), "valuesPerLevel": values, "podCounts": {"universal": 1}}
        topology = {"levels": [_HOSTNAME], "slices": [piece]}
    assignment = {
        "name": "main",
        "count": len(nodes),
        "flavors": dict.fromkeys(each, flavor),
        "resourceUsage": _texts(each, len(nodes)),
        "topologyAssignment": topology,
    }
    since = "2026-01-01T00:00:00Z"
    conditions = [
        {
            "type": type_,
            "status": "True",
            "reason": "Admitted",
            "message": "by the sandbox",
            "lastTransitionTime": since,
        }
        for type_ in ("QuotaReserved", "Admitted")
    ]
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "queueName": team,
            "podSets": [
                {
                    "name": "main",
                    "count": len(nodes),
                    "template": {"spec": {"containers": [container], "restartPolicy": "Never"}},
                }
            ],
        },
        "status": {
            "admission": {"clusterQueue": team, "podSetAssignments": [assignment]},
            "conditions": conditions,
        },
    }


def _texts(each: dict[str, int], times: int) -> dict[str, str]:
    return {key: str(value * times) for key, value in each.items()}


def _hosts(topology: Properties) -> Iterator[str]:
    for domain in topology.get("domains") or []:
        yield str(domain["values"][-1])
    for piece in topology.get("slices") or []:
        for root in piece["valuesPerLevel"][-1]["individual"]["roots"]:
            yield str(root)
