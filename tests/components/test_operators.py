"""RdmaStack, GpuOperator, PriorityExpander and the pinned set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from components.gpu_operator import gpu_operator_values
from components.priority_expander import prefers_spot, priorities
from components.rdma_stack import nic_cluster_policy, nic_feature_rule
from gpufleet.catalog.operator_sets import all_sets
from gpufleet.spec.pool import Pool
from tests.components.graphs import Graph, build, stack_graph
from tests.spec.environments import POOL, SERVE, changed


def _release(graph: Graph, name: str) -> dict[str, Any]:
    return graph.one("helm.sh/v3:Release", name).inputs


def test_the_pinned_set() -> None:
    pinned = all_sets()[0]
    assert (pinned.gpu_operator.version, pinned.network_operator.version) == ("v26.3.3", "v26.4.0")
    assert pinned.ofed_driver.version == "doca3.2.0-25.10-1.2.8.0-2"
    assert pinned.source == "Azure/aks-rdma-infiniband@700dabb: configs, tests/setup-infra/deploy-aks.sh"


def test_releases_are_pinned_and_named() -> None:
    release = dict(_release(stack_graph("dev"), "lab-rdma-gpu-operator-release"))
    assert release.pop("values") == gpu_operator_values(rdma=True)
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
    for namespace in stack_graph("dev").of("core/v1:Namespace"):
        assert namespace.inputs["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "privileged"}


def test_network_operator_then_nics_then_gpu_operator() -> None:
    graph = stack_graph("dev")

    def waits(type_: str, name: str) -> set[str]:
        return {graph.named(urn) for urn in graph.one(type_, name).dependencies}

    assert "lab-rdma-network-operator" in waits("nfd.k8s-sigs.io/v1alpha1:NodeFeatureRule", "lab-rdma-nic-feature-rule")
    policy = waits("mellanox.com/v1alpha1:NicClusterPolicy", "lab-rdma-nic-cluster-policy")
    assert {"lab-rdma-network-operator", "lab-rdma-nic-feature-rule"} <= policy
    assert "lab-rdma-nic-cluster-policy" in waits("helm.sh/v3:Release", "lab-rdma-gpu-operator-release")


def test_exactly_one_owner_of_feature_discovery() -> None:
    graph = stack_graph("dev")
    assert _release(graph, "lab-rdma-network-operator")["values"]["nfd"] == {
        "enabled": True, "deployNodeFeatureRules": False
    }  # fmt: skip
    assert _release(graph, "lab-rdma-gpu-operator-release")["values"]["nfd"] == {"enabled": False}
    assert _release(graph, "eastus-gpu-operator-release")["values"]["nfd"] == {"enabled": True}


def test_gpu_operator_values() -> None:
    values = gpu_operator_values(rdma=True)
    assert values["driver"] == {"enabled": True, "rdma": {"enabled": True}}
    assert gpu_operator_values(rdma=False)["driver"] == {"enabled": True, "rdma": {"enabled": False}}
    for part in ("migManager", "vgpuDeviceManager", "vfioManager", "sandboxDevicePlugin"):
        assert values[part] == {"enabled": False}
    assert values["operator"] == {"tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}]}
    assert values["daemonsets"] == {
        "tolerations": [
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            {
                "key": "kubernetes.azure.com/scalesetpriority",
                "operator": "Equal",
                "value": "spot",
                "effect": "NoSchedule",
            },
        ]
    }


def test_helm_does_not_wait_where_every_gpu_pool_may_be_empty() -> None:
    graph = build(changed({(*POOL, "nodes"): {"min": 0, "max": 2}}))
    assert _release(graph, "lab-rdma-network-operator")["skipAwait"] is True
    assert _release(graph, "swedencentral-gpu-operator-release")["skipAwait"] is False


def test_nic_feature_rule_names_the_two_virtual_functions() -> None:
    assert nic_feature_rule() == {
        "rules": [
            {
                "name": "infiniband virtual function",
                "labels": {"feature.node.kubernetes.io/pci-15b3.present": "true"},
                "matchFeatures": [
                    {
                        "feature": "pci.device",
                        "matchExpressions": {
                            "vendor": {"op": "In", "value": ["15b3"]},
                            "device": {"op": "In", "value": ["101c", "101e"]},
                        },
                    }
                ],
            }
        ]
    }


def test_nic_cluster_policy() -> None:
    policy: Any = nic_cluster_policy()
    assert policy["ofedDriver"]["upgradePolicy"] == {"autoUpgrade": False}
    assert policy["ofedDriver"]["image"] == "doca-driver"
    assert policy["nodeAffinity"] == {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {
                    "matchExpressions": [
                        {
                            "key": "feature.node.kubernetes.io/pci-15b3.present",
                            "operator": "In",
                            "values": ["true"],
                        }
                    ]
                }
            ]
        }
    }
    assert json.loads(policy["sriovDevicePlugin"]["config"]) == {
        "resourceList": [
            {
                "resourcePrefix": "rdma",
                "resourceName": "ib",
                "selectors": {"vendors": ["15b3"], "linkTypes": ["infiniband"], "isRdma": True},
            }
        ]
    }


def _pools(*specs: Mapping[str, object]) -> list[Pool]:
    return [Pool.model_validate({"sku": "Standard_NC4as_T4_v3", **spec}) for spec in specs]


REGULAR = {"name": "a", "nodes": {"min": 1, "max": 2}}
SPOT = {"name": "b", "nodes": {"min": 0, "max": 2}, "priority": "spot"}


def test_spot_is_preferred_only_where_both_are_autoscaled() -> None:
    assert prefers_spot(_pools(REGULAR, SPOT))
    assert not prefers_spot(_pools(REGULAR))
    assert not prefers_spot(_pools(SPOT))
    assert not prefers_spot(_pools({**REGULAR, "nodes": 2}, SPOT))


def test_spot_stands_above_regular_and_fixed_pools_are_left_out() -> None:
    found = priorities(_pools(REGULAR, SPOT, {"name": "c", "nodes": 3}))
    assert sorted(found, reverse=True) == [20, 10]
    assert [expression[:6] for expression in found[20]] == ["^aks-b"]
    assert [expression[:6] for expression in found[10]] == ["^aks-a"]
    assert all(expression.endswith("-.*") for expressions in found.values() for expression in expressions)


def test_priority_config_map() -> None:
    config_map = stack_graph("dev").one("core/v1:ConfigMap").inputs
    assert config_map["metadata"] == {"name": "cluster-autoscaler-priority-expander", "namespace": "kube-system"}
    assert yaml.safe_load(config_map["data"]["priorities"]) == {10: ["^aks-t48w-.*"], 20: ["^aks-t4spotoj-.*"]}


def test_rdma_pools_that_serve_get_the_rdma_stack_too() -> None:
    graph = build(changed({(*SERVE, "sku"): "Standard_ND96isr_H100_v5", (*SERVE, "nodes"): 1}))
    assert len(graph.of("mellanox.com/v1alpha1:NicClusterPolicy")) == 2
