from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.spec.pool import NodeRange, Pool, of_cluster
from gpufleet.spec.pool_names import AgentPoolPlan, agent_pools, rack_nodes

H100 = "Standard_ND96isr_H100_v5"


def _pool(**fields: object) -> Pool:
    return Pool.model_validate({"name": "h100", "sku": H100, "nodes": 1, **fields})


def test_one_domain_each() -> None:
    plans = agent_pools(_pool(nodes=250))
    assert [(plan.name, plan.nodes, plan.domain) for plan in plans] == [
        ("h10001zb", 100, 1),
        ("h10002zb", 100, 2),
        ("h10003zb", 50, 3),
    ]


def test_a_range_is_one_autoscaled_domain() -> None:
    plan = AgentPoolPlan(name="h10001zb", nodes=NodeRange(min=2, max=64), domain=1, generation="zb")
    assert agent_pools(_pool(nodes={"min": 2, "max": 64})) == [plan]
    assert (plan.min_nodes, plan.max_nodes) == (2, 64)


def test_a_raised_domain_holds_more() -> None:
    raised = {"maxNodes": 300, "supportRequest": "1"}
    assert [plan.nodes for plan in agent_pools(_pool(nodes=601, infiniband=raised))] == [300, 300, 1]


def test_a_size_without_infiniband_is_not_split() -> None:
    plans = agent_pools(_pool(name="data", sku="Standard_D32s_v5", nodes=500))
    assert [(plan.name, plan.nodes, plan.domain) for plan in plans] == [("datagl", 500, None)]


@given(nodes=st.integers(1, 4999), more=st.integers(1, 5000), size=st.integers(60, 300))
def test_growing_changes_the_last_domain_and_adds_new_ones(nodes: int, more: int, size: int) -> None:
    raised = {"maxNodes": size, "supportRequest": "1"}
    before = agent_pools(_pool(nodes=nodes, infiniband=raised))
    after = agent_pools(_pool(nodes=min(5000, nodes + more), infiniband=raised))
    assert after[: len(before) - 1] == before[:-1]
    assert after[len(before) - 1].name == before[-1].name
    assert sum(plan.max_nodes for plan in after) == min(5000, nodes + more)
    assert len({plan.name for plan in after}) == len(after)
    assert all(re.fullmatch("[a-z][a-z0-9]{0,11}", plan.name) for plan in after)


_CHANGES: list[dict[str, Any]] = [
    {"sku": "Standard_ND96isr_H200_v5"},
    {"priority": "spot"},
    {"osDiskGiB": 512},
    {"maxPods": 64},
    {"zones": ["1"]},
    {"priority": "spot", "spotMaxPrice": -1},
    {"priority": "spot", "spotMaxPrice": 9.5},
    {"capacityReservationGroupId": "/x"},
    {"taints": ["a=b:NoSchedule"]},
    {"kubelet": {"cpuManagerPolicy": "none"}},
    {"sysctls": {"vmSwappiness": 10}},
    {"linuxOs": {"transparentHugePageEnabled": "never"}},
]


def test_what_aks_cannot_change_gives_a_new_name() -> None:
    names = [agent_pools(_pool(**change))[0].name for change in [{}, *_CHANGES]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": 7},
        {"nodes": {"min": 0, "max": 3}},
        {"labels": {"a": "b"}},
        {"upgrade": {"maxSurge": "1", "undrainableNode": "Cordon"}},
        {"autoscalerPriority": 3},
        {"kubelet": {"topologyManagerPolicy": "best-effort"}},  # the default, said
        {"infiniband": {"maxNodes": 200, "supportRequest": "1"}},
    ],
)
def test_what_aks_can_change_keeps_the_name(change: dict[str, Any]) -> None:
    assert agent_pools(_pool(**change))[0].name == "h10001zb"


def test_the_order_of_zones_is_no_change() -> None:
    data = {"name": "data", "sku": "Standard_D32s_v5"}
    assert agent_pools(_pool(**data, zones=["1", "2"])) == agent_pools(_pool(**data, zones=[2, 1]))


def test_taints_of_a_cpu_pool_can_change() -> None:
    data = {"name": "data", "sku": "Standard_D32s_v5"}
    assert agent_pools(_pool(**data)) == agent_pools(_pool(**data, taints=["a=b:NoSchedule"]))


def test_who_installs_the_driver_is_in_the_name_of_gpu_pools() -> None:
    managed, data = _pool(), _pool(name="data", sku="Standard_D32s_v5")
    of_cluster([managed, data], GpuStack.MANAGED)
    assert agent_pools(managed)[0].name != agent_pools(_pool())[0].name
    assert agent_pools(data)[0].name == "datagl"
    of_cluster([managed], GpuStack.OPERATOR_DRA)
    assert agent_pools(managed) == agent_pools(_pool())


GB300 = "Standard_ND128isr_GB300_v6"


def test_a_domain_is_whole_racks_where_nvlink_spans_them() -> None:
    assert [plan.nodes for plan in agent_pools(_pool(sku=GB300, nodes=200))] == [90, 90, 20]
    raised = {"maxNodes": 300, "supportRequest": "1"}
    assert [plan.nodes for plan in agent_pools(_pool(sku=GB300, nodes=300, infiniband=raised))] == [288, 12]
    assert rack_nodes(_pool()) is None


def test_names_of_settings_that_yaml_can_say_and_aks_cannot() -> None:
    odd: dict[str, object] = {"a": 10**5000, "b": {1: "x", "y": dt.date(2026, 1, 1)}, "c": [None, 2], "d": None}
    assert len(agent_pools(_pool(sysctls=odd))[0].name) == len("h10001zb")
