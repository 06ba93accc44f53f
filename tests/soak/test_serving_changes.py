"""Regions that come and go, servers in another form or on another size: a running platform changed by its stack file.

By the real engine in the sandbox, one stack and one change after the other. A region that isn't in the change keeps
every resource as it is; what sends requests goes before what answers them, that before its nodes; and the origin group
always has an origin.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pool_changes.fabric import SOURCE, Fabric, Ran, Spec, Step, make_fabric

pytestmark = [pytest.mark.engine, pytest.mark.soak, pytest.mark.timeout(1800)]

FIRST, SECOND, THIRD = "eastus", "westus2", "swedencentral"
IMAGE = "vllm/vllm-openai@sha256:" + "1" * 64
SIZE = "Standard_NC4as_T4_v3"
LARGER = "Standard_NC24ads_A100_v4"
OLD, NEW = "chat-1b-fp16-nc4as-t4-v3", "chat-1b-int8-nc4as-t4-v3"
LARGE = "chat-1b-int8-nc24ads-a100-v4"


def region(name: str) -> Spec:
    """One region with nodes for two servers at least."""
    pool = {"name": "gpu", "sku": SIZE, "nodes": {"min": 2, "max": 6}, "usage": {"utilizationPercent": 40}}
    return {"name": name, "pools": [pool]}


def platform() -> Spec:
    """Two regions with one model of a billion parameters."""
    document: Spec = yaml.safe_load((SOURCE / "stacks/Pulumi.dev.yaml").read_text(encoding="utf-8"))
    spec = document["config"]["gpufleet:environment"]
    del spec["training"]
    spec["allowedRegions"] = [FIRST, SECOND, THIRD]
    [model] = spec["inference"]["models"]
    model.update(
        image=IMAGE,
        weights={"artifact": "models/chat-1b-fp16@sha256:" + "2" * 64},
        tokensPerSecondPerGpu={SIZE: 300, LARGER: 2000},
    )
    spec["inference"]["regions"] = [region(FIRST), region(SECOND)]
    return document


def to_int8(spec: Spec) -> None:
    """The model in another precision."""
    weights = {"artifact": "models/chat-1b-int8@sha256:" + "3" * 64}
    spec["inference"]["models"][0].update(precision="int8", weights=weights)


def to_larger(spec: Spec) -> None:
    """The first region's pool on another size."""
    spec["inference"]["regions"][0]["pools"][0]["sku"] = LARGER


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fabric:
    """The running platform."""
    made = make_fabric(tmp_path, monkeypatch, capsys, platform())
    first = made.run("up", "--yes", "--skip-preview")
    assert first.outcome.code == 0, first.outcome.err
    assert {op for op, _ in first.steps} == {"create"}
    return made


def test_regions_forms_and_sizes(stack: Fabric) -> None:
    # A region more: it gets requests when all of it is there, and nobody else is asked to do anything.
    came = changed(stack, lambda spec: spec["inference"]["regions"].append(region(THIRD)))
    assert ops(came) == {"create"}
    assert of(came.steps, FIRST) == of(came.steps, SECOND) == []
    order = came.order
    assert order[-1] == ("created", f"t-inference-front-door-origin-{THIRD}")
    server = f"{THIRD}-{OLD}-vllm-deployment"
    assert before(order, ("created", server), ("created", f"{THIRD}-gateway-httproute-model-chat-1b"))

    # A region less: requests stop first, then what answers, then the nodes, then the cluster. Two origins stay.
    went = changed(stack, lambda spec: spec["inference"]["regions"].pop())
    assert ops(went) == {"delete"}
    assert of(went.steps, FIRST) == of(went.steps, SECOND) == []
    [pool] = [name for op, name in went.order if op == "deleted" and name.startswith(f"{THIRD}-gpu")][:1]
    assert before(
        went.order,
        ("deleted", f"t-inference-front-door-origin-{THIRD}"),
        ("deleted", f"{THIRD}-gateway-httproute-model-chat-1b"),
        ("deleted", f"{THIRD}-autoscaler-{OLD}"),
        ("deleted", server),
        ("deleted", pool),
        ("deleted", f"{THIRD}-cluster-aks"),
        ("deleted", f"{THIRD}-rg"),
    )
    assert [name for op, name in went.order if op == "deleted" and "-front-door-" in name] == [
        f"t-inference-front-door-origin-{THIRD}"
    ]

    # Another precision: new servers, then the routes, then the old ones go. No cluster, pool or origin is touched.
    switched = changed(stack, to_int8)
    for name in (FIRST, SECOND):
        assert before(
            switched.order,
            ("created", f"{name}-{NEW}-vllm-deployment"),
            ("updated", f"{name}-gateway-httproute-model-chat-1b"),
            ("deleted", f"{name}-autoscaler-{OLD}"),
            ("deleted", f"{name}-{OLD}-vllm-deployment"),
        )
    heavy = ("-aks", "-front-door-", "-rg", "-namespace", f"{FIRST}-gpu", f"{SECOND}-gpu", "-network-")
    assert [step for step in switched.steps if any(part in step[1] for part in heavy)] == [
        (op, name) for op, name in switched.steps if name.endswith("gpu-operator-namespace") and op == "same"
    ]

    # Another size in one region: the new pool, its servers, the routes, then the old servers and at last their pool.
    moved = changed(stack, to_larger)
    assert of(moved.steps, SECOND) == []
    assert not [step for step in moved.steps if "-front-door-" in step[1]]
    pools = [name for _, name in moved.order if name.startswith(f"{FIRST}-gpu") and "operator" not in name]
    new, old = pools[0], pools[-1]
    assert before(
        moved.order,
        ("created", new),
        ("created", f"{FIRST}-{LARGE}-vllm-deployment"),
        ("deleted", f"{FIRST}-{NEW}-vllm-deployment"),
        ("deleted", old),
    )


def changed(stack: Fabric, change: Callable[[Spec], Any]) -> Ran:
    """Edit and update."""
    stack.edit(change)
    done = stack.run("up", "--yes", "--skip-preview")
    assert done.outcome.code == 0, done.outcome.err
    return done


def ops(ran: Ran) -> set[str]:
    return {op for op, _ in ran.steps}


def of(steps: tuple[Step, ...], name: str) -> list[Step]:
    """Steps of what is in a region."""
    return [step for step in steps if step[1].startswith(f"{name}-")]


def before(order: tuple[Step, ...], *steps: Step) -> bool:
    """Whether these ended in this order."""
    found = [order.index(step) for step in steps]
    return found == sorted(found)
