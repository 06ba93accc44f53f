"""What another operator set does to nodes: on a running stack, by the real engine in the sandbox, and by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.pool_changes.operators import change_lines, operator_changes
from tests.components.graphs import Registered, build
from tests.pool_changes.fabric import Spec, make_fabric, small
from tests.spec.environments import CLUSTER, POOL, changed

H100 = [{"pool": "h100", "leastNodes": 8, "mostNodes": 8}]
ROLLING = "agents restart node by node on h100 (8 nodes); running jobs go on"
NEW_NODES = "nodes of h100 (8 nodes) change when their driver pod is deleted or they are new; none is drained"
PLUGIN = "sriov-network-device-plugin"
TO_2026_07 = [
    "operators of lab: set 2026-03 -> 2026-07",
    f"  GPU Operator v25.10.1 -> v26.3.3: {ROLLING}",
    f"  GPU driver 580.105.08 -> 580.126.20: {NEW_NODES}",
    "  Network Operator 25.1.0 -> v26.4.0: controllers restart on the system pool",
    f"  OFED driver 25.01-0.6.0.0-0 -> doca3.2.0-25.10-1.2.8.0-2: {NEW_NODES}",
    f"  InfiniBand device plugin {PLUGIN} v3.9.0 -> {PLUGIN} network-operator-v25.10.0: {ROLLING}",
]


@pytest.mark.engine
@pytest.mark.soak
def test_another_set_is_one_line_and_its_preview_names_the_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fabric = make_fabric(tmp_path, monkeypatch, capsys)

    def pin(spec: Spec) -> None:
        spec["training"][0]["cluster"] = {**spec["training"][0].get("cluster", {}), "operatorSet": "2026-03"}

    def upgrade(spec: Spec) -> None:
        spec["training"][0]["cluster"]["operatorSet"] = "2026-07"

    fabric.edit(pin)
    first = fabric.run("up", "--yes", "--skip-preview")
    assert first.outcome.code == 0, first.outcome.err
    assert first.outcome.document["operators"] == []
    fabric.edit(upgrade)
    shown = fabric.run("preview")
    assert [step for step in shown.steps if step[1] != "lab-cluster"] == [
        ("update", "lab-gpu-operator-release"),
        ("update", "lab-rdma-network-operator"),
        ("update", "lab-rdma-nic-cluster-policy"),
    ]
    (found,) = shown.outcome.document["operators"]
    assert (found["scope"], found["oldSet"], found["newSet"]) == ("lab", "2026-03", "2026-07")
    assert [(part["part"], part["effect"], part["pools"]) for part in found["parts"]] == [
        ("GPU Operator", "rolling", H100),
        ("GPU driver", "new-nodes", H100),
        ("Network Operator", "system-pool", H100),
        ("OFED driver", "new-nodes", H100),
        ("InfiniBand device plugin", "rolling", H100),
    ]
    text = fabric.gpufleet("preview", "t", "--sandbox", "--no-check").out
    assert "operators of lab: set 2026-03 -> 2026-07" in text
    done = fabric.run("up", "--yes", "--skip-preview")
    assert done.outcome.code == 0, done.outcome.err
    assert (done.steps, done.outcome.document["operators"]) == (shown.steps, [found])
    again = fabric.run("preview")
    assert (again.steps, again.outcome.document["operators"]) == ((), [])


def _resources(**cluster: object) -> list[_Item]:
    environment = small()["config"]["gpufleet:environment"]
    environment["training"][0]["cluster"] = cluster
    return [_Item(one) for one in build(environment).resources]


class _Item:
    def __init__(self, one: Registered) -> None:
        self.urn, self.type, self.name, self.parent, self.properties = (
            one.urn,
            one.type,
            one.name,
            one.parent,
            one.inputs,
        )


def test_every_part_in_words() -> None:
    (change,) = operator_changes(_resources(operatorSet="2026-03"), _resources(operatorSet="2026-07"))
    assert sorted(change_lines(change)) == sorted(TO_2026_07)


def test_the_same_set_says_nothing() -> None:
    assert operator_changes(_resources(), _resources(operatorSet="2026-07")) == []


def test_a_cluster_that_is_new_says_nothing() -> None:
    assert operator_changes([], _resources()) == []


def test_another_stack_says_what_comes_and_goes() -> None:
    (change,) = operator_changes(_resources(operatorSet="2026-07"), _resources(gpuStack="managed"))
    assert change_lines(change)[0] == "operators of lab: set 2026-07"
    assert {(part.part, part.old, part.new) for part in change.parts} == {
        ("GPU Operator", "v26.3.3", ""),
        ("GPU driver", "580.126.20", ""),
        ("GPU device plugin", "", "0.19.3"),
        ("DCGM exporter", "", "4.8.2"),
    }
    assert "  GPU driver 580.126.20 goes" in change_lines(change)


def test_amd_pools_have_parts_of_their_own() -> None:
    environment = changed(
        {
            (*POOL, "sku"): "Standard_ND96isr_MI300X_v5",
            ("training", 0, "region"): "eastus2",
            ("allowedRegions", 2): "eastus2",
            CLUSTER: {},
        }
    )
    items = [_Item(one) for one in build(environment).resources]
    gone = [one for one in items if "amd-gpu" not in one.name]
    (change,) = operator_changes(items, gone)
    assert {(part.part, part.old) for part in change.parts} == {
        ("AMD GPU Operator", "v1.4.1"),
        ("AMD driver", "30.20.1"),
    }
    assert (change.old_set, change.new_set) == ("2026-07", "2026-07")
