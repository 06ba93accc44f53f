"""The ARM bodies of agent pools, one for every kind of pool, as the components make them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pulumi
from pulumi_azure_native import containerservice

from components.agent_pool import PoolArgs
from components.context import EnvironmentContext, ScopeContext
from components.cpu_pool import CpuPool
from components.gpu_pool import GpuPool
from components.naming import Names
from gpufleet.catalog import sizes
from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.spec.environment import EnvironmentClass
from gpufleet.spec.pool import Pool, of_cluster
from tests.components.graphs import ROOT, build, whole_numbers

FOLDER = ROOT / "tests" / "components" / "golden" / "pools"

_DRIVERS = (GpuStack.OPERATOR, GpuStack.MANAGED)
_DRA = (GpuStack.OPERATOR_DRA,)
KINDS: dict[str, tuple[str, tuple[GpuStack, ...], tuple[str, ...]]] = {
    "everything-stated": ("Standard_ND96isr_H100_v5", (GpuStack.OPERATOR,), ("regular",)),
    "nd-h100-v5": ("Standard_ND96isr_H100_v5", (*_DRIVERS, *_DRA), ("regular",)),
    "nd-h200-v5": ("Standard_ND96isr_H200_v5", (*_DRIVERS, *_DRA), ("regular",)),
    "nd-a100-v4": ("Standard_ND96asr_v4", (*_DRIVERS, *_DRA), ("regular",)),
    "ndm-a100-v4": ("Standard_ND96amsr_A100_v4", (*_DRIVERS, *_DRA), ("regular",)),
    "nd-mi300x-v5": ("Standard_ND96isr_MI300X_v5", (GpuStack.OPERATOR,), ("regular",)),
    "nd-gb200-v6": ("Standard_ND128isr_NDR_GB200_v6", _DRA, ("regular",)),
    "nd-gb300-v6": ("Standard_ND128isr_GB300_v6", _DRA, ("regular",)),
    "nc-h100-v5": ("Standard_NC80adis_H100_v5", _DRIVERS, ("regular", "spot")),
    "cpu": ("Standard_D32s_v5", (GpuStack.OPERATOR,), ("regular", "spot")),
}
"""Kinds by name: VM size, the GPU stacks that it allows, and the priorities that a fabric may have it at."""

_STATED: dict[str, dict[str, object]] = {
    "everything-stated": {
        "nodes": {"min": 1, "max": 8},
        "zones": ["1"],
        "osDiskGiB": 512,
        "maxPods": 60,
        "labels": {"team": "research"},
        "taints": ["team=research:NoSchedule"],
        "upgrade": {"maxSurge": "1", "maxUnavailable": "0", "drainTimeoutMinutes": 120, "undrainableNode": "Cordon"},
        "kubelet": {"podMaxPids": 65536},
        "sysctls": {"netCoreSomaxconn": 32768},
    }
}
_PATH = ("agentPoolName", "resourceGroupName", "resourceName")


def file_of(kind: str) -> dict[str, dict[str, Any]]:
    """The bodies of one kind: by GPU stack and priority, a stack only where its body differs from the stacks before."""
    sku, stacks, priorities = KINDS[kind]
    found: dict[str, dict[str, Any]] = {}
    for priority in priorities:
        mine: list[dict[str, Any]] = []
        for stack in stacks:
            spec = {"name": "pool", "sku": sku, "nodes": 4, "priority": priority, **_STATED.get(kind, {})}
            (made,) = bodies(Pool.model_validate(spec), stack)
            if made not in mine:
                mine.append(made)
                found[f"{stack.value} {priority}"] = made
    return found


def bodies(pool: Pool, stack: GpuStack = GpuStack.OPERATOR) -> list[dict[str, Any]]:
    """The bodies of all agent pools of one pool in a training fabric named `lab`, in the order of their names."""
    of_cluster([pool], stack)
    graph = build({}, program=lambda: _program(pool))
    made = sorted(graph.of("containerservice:AgentPool"), key=lambda resource: resource.name)
    return [_body(resource.inputs) for resource in made]


def fields_of(body: object, prefix: str = "properties") -> Iterable[str]:
    """The paths of every value of a body, with labels and tags as one each."""
    if isinstance(body, dict) and prefix.rpartition(".")[2] not in {"nodeLabels", "tags"}:
        for key, value in body.items():
            yield from fields_of(value, f"{prefix}.{key}")
    else:
        yield prefix


def _program(pool: Pool) -> None:
    environment = EnvironmentContext(
        environment_class=EnvironmentClass.STANDARD,
        names=Names(environment="test", subscription_id="00000000-0000-0000-0000-000000000000"),
        tags={"owner": "ml-platform"},
        subscription_id="00000000-0000-0000-0000-000000000000",
    )
    scope = ScopeContext(
        environment=environment, name="lab", region="eastus", resource_group_name="rg-test-lab", fabric="lab"
    )
    cluster = containerservice.ManagedCluster(
        "aks", resource_name_="aks-test-lab", resource_group_name="rg-test-lab", location="eastus", dns_prefix="aks"
    )
    args = PoolArgs(scope=scope, spec=pool, cluster=cluster, kubernetes_version="1.34", subnet_id="snet")
    component = GpuPool if sizes.get(pool.sku).is_gpu else CpuPool
    component("lab-pool", args, opts=pulumi.ResourceOptions())


def _body(inputs: dict[str, Any]) -> dict[str, Any]:
    properties = whole_numbers({key: value for key, value in inputs.items() if key not in _PATH})
    return {"name": inputs["agentPoolName"], "properties": properties}
