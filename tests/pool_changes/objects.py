"""Agent pools and Kubernetes objects, written short."""

from __future__ import annotations

from typing import Any

from gpufleet.pool_changes.pools import AgentPool

SIZE = "Standard_ND96isr_H100_v5"
Json = dict[str, Any]


def agent_pool(name: str, *, pool: str = "h100", scope: str = "lab", nodes: int = 4, **properties: object) -> AgentPool:
    """An agent pool of a fixed number of nodes; `maxCount` among the properties makes it an autoscaled one."""
    given: dict[str, object] = {"vmSize": SIZE, "osDiskSizeGB": 256, "count": nodes, "nodeTaints": ["a"], **properties}
    most = given.get("maxCount")
    if isinstance(most, int):
        given |= {"enableAutoScaling": True, "minCount": 0}
    return AgentPool(
        urn=f"urn:{scope}:{name}",
        scope=scope,
        training=True,
        region="eastus",
        pool=pool,
        name=name,
        least=0 if isinstance(most, int) else nodes,
        most=most if isinstance(most, int) else nodes,
        properties=given,
    )


def node(agent_pool: str, number: int) -> str:
    """Name of a node, as AKS gives it."""
    return f"aks-{agent_pool}-31415926-vmss{number:06}"


def workload(
    name: str,
    *,
    nodes: tuple[str, ...] = (),
    count: int = 0,
    gpus: int = 8,
    flavor: str = "h100",
    topology: Json | None = None,
    **status: object,
) -> Json:
    """A workload that Kueue has admitted: `count` pods, or one on each of `nodes`."""
    pods = count or len(nodes)
    placed: Json = {"levels": ["kubernetes.io/hostname"], "domains": [{"values": [one], "count": 1} for one in nodes]}
    assigned: Json = {
        "name": "main",
        "count": pods,
        "flavors": {"cpu": flavor, "nvidia.com/gpu": flavor},
        "resourceUsage": {"cpu": f"{pods * 90_000}m", "nvidia.com/gpu": str(pods * gpus)},
    }
    if topology or nodes:
        assigned["topologyAssignment"] = topology or placed
    return {
        "metadata": {"name": f"job-{name}", "namespace": "nlp", "ownerReferences": [{"kind": "Job", "name": name}]},
        "spec": {"queueName": "nlp-queue", "podSets": [{"name": "main", "count": pods}]},
        "status": {"admission": {"clusterQueue": "nlp", "podSetAssignments": [assigned]}, **status},
    }


def pod(name: str, on: str, *, resource: str = "nvidia.com/gpu", owner: str = "", **metadata: object) -> Json:
    """A pod with eight GPUs on a node."""
    owners = [{"kind": owner, "name": f"{name}-owner"}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "vision", "ownerReferences": owners, **metadata},
        "spec": {"nodeName": on, "containers": [{"resources": {"limits": {resource: "8"}}}]},
        "status": {"phase": "Running"},
    }
