"""RdmaStack, GpuOperator, PriorityExpander and the pinned set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from components.gpu_operator import gpu_operator_values
from components.priority_expander import priorities
from gpufleet.catalog.operator_sets import all_sets
from gpufleet.spec.pool import Pool
from tests.components.graphs import Graph, build, stack_graph
from tests.spec.environments import POOL, SERVE, changed


def _release(graph: Graph, name: str) -> dict[str, Any]:
    return graph.one("helm.sh/v3:Release", name).inputs


def test_releases_are_pinned_and_named() -> None:
    release = dict(_release(stack_graph("dev"), "lab-gpu-operator-release"))
    values = gpu_operator_values(all_sets()[0], rdma=True, dra=False, owns_discovery=False)
    assert release.pop("values") == values
    assert release == {
        "name": "gpu-operator",
        "chart": "gpu-operator",
        "version": "v26.3.3",
        "namespace": "gpu-operator",
        "createNamespace": False,
        "repositoryOpts": {"repo": "https://helm.ngc.nvidia.com/nvidia"},
        "skipAwait": False,
        "timeout": 900,
        "compat": "true",
    }


def test_namespaces_allow_privileged_pods() -> None:
    for namespace in ("lab-rdma-network-operator-namespace", "lab-gpu-operator-namespace"):
        metadata = stack_graph("dev").one("core/v1:Namespace", namespace).inputs["metadata"]
        assert metadata["labels"] == {"pod-security.kubernetes.io/enforce": "privileged"}


def test_network_operator_then_nics_then_gpu_operator() -> None:
    graph = stack_graph("dev")

    def waits(type_: str, name: str) -> set[str]:
        return {graph.named(urn) for urn in graph.one(type_, name).dependencies}

    assert "lab-rdma-network-operator" in waits("nfd.k8s-sigs.io/v1alpha1:NodeFeatureRule", "lab-rdma-nic-feature-rule")
    policy = waits("mellanox.com/v1alpha1:NicClusterPolicy", "lab-rdma-nic-cluster-policy")
    assert {"lab-rdma-network-operator", "lab-rdma-nic-feature-rule"} <= policy
    assert "lab-rdma-nic-cluster-policy" in waits("helm.sh/v3:Release", "lab-gpu-operator-release")


def test_exactly_one_owner_of_feature_discovery() -> None:
    graph = stack_graph("dev")
    assert _release(graph, "lab-rdma-network-operator")["values"]["nfd"] == {
        "enabled": True, "deployNodeFeatureRules": False
    }  # fmt: skip
    assert _release(graph, "lab-gpu-operator-release")["values"]["nfd"] == {"enabled": False}
    assert _release(graph, "eastus-gpu-operator-release")["values"]["nfd"] == {"enabled": True}


def test_nothing_but_the_driver_and_what_gives_gpus_out() -> None:
    values = gpu_operator_values(all_sets()[0], rdma=True, dra=False, owns_discovery=False)
    for part in ("migManager", "vgpuDeviceManager", "vfioManager", "sandboxDevicePlugin"):
        assert values[part] == {"enabled": False}


def test_helm_does_not_wait_where_every_gpu_pool_may_be_empty() -> None:
    graph = build(changed({(*POOL, "nodes"): {"min": 0, "max": 2}}))
    assert _release(graph, "lab-rdma-network-operator")["skipAwait"] is True
    assert _release(graph, "swedencentral-gpu-operator-release")["skipAwait"] is False


def _pools(*specs: Mapping[str, object]) -> list[Pool]:
    return [Pool.model_validate({"sku": "Standard_NC4as_T4_v3", **spec}) for spec in specs]


REGULAR = {"name": "a", "nodes": {"min": 1, "max": 2}}
SPOT = {"name": "b", "nodes": {"min": 0, "max": 2}, "priority": "spot"}


def test_spot_stands_above_regular_and_fixed_pools_are_left_out() -> None:
    found = priorities(_pools(REGULAR, SPOT, {"name": "c", "nodes": 3}))
    assert sorted(found, reverse=True) == [20, 10]
    assert [expression[:6] for expression in found[20]] == ["^aks-b"]
    assert [expression[:6] for expression in found[10]] == ["^aks-a"]
    assert all(expression.endswith("-.*") for expressions in found.values() for expression in expressions)


def test_priority_config_map() -> None:
    config_map = stack_graph("dev").one("core/v1:ConfigMap", "eastus-priorities-configmap").inputs
    assert config_map["metadata"] == {"name": "cluster-autoscaler-priority-expander", "namespace": "kube-system"}
    assert yaml.safe_load(config_map["data"]["priorities"]) == {10: ["^aks-t48w-.*"], 20: ["^aks-t4spotoj-.*"]}


def test_rdma_pools_that_serve_get_the_rdma_stack_too() -> None:
    graph = build(changed({(*SERVE, "sku"): "Standard_ND96isr_H100_v5", (*SERVE, "nodes"): 1}))
    assert len(graph.of("mellanox.com/v1alpha1:NicClusterPolicy")) == 2
