from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.sizing.node_division import Want, divide
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.inference import Inference

NC2 = "Standard_NC80adis_H100_v5"
ND = "Standard_ND96isr_H100_v5"
T4 = "Standard_NC4as_T4_v3"


def model(name: str, parameters: float, demand: float = 1000, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "parametersB": parameters,
        "precision": "fp8",
        "contextTokens": 4096,
        "demandTokensPerSecond": demand,
        **more,
    }


def pool(name: str, least: int, most: int, sku: str = NC2, **more: object) -> dict[str, Any]:
    return {"name": name, "sku": sku, "nodes": {"min": least, "max": most}, **more}


def planned(models: list[dict[str, Any]], pools: list[dict[str, Any]], **region: object) -> dict[str, ServerPlan]:
    inference = Inference.model_validate({"models": models, "regions": [{"name": "eastus", "pools": pools, **region}]})
    return {plan.name: plan for plan in serving_plan(inference)}


def numbers(plans: dict[str, ServerPlan]) -> dict[str, tuple[int, int, int]]:
    return {name: (plan.min_replicas, plan.max_replicas, plan.spot_replicas) for name, plan in plans.items()}


def test_one_model_has_all_nodes() -> None:
    found = planned(
        [model("big", 70)],
        [pool("nc", 2, 13), pool("spot", 0, 12, priority="spot"), pool("cpu", 1, 2, "Standard_D8ds_v5")],
    )
    assert numbers(found) == {"big-fp8-nc80adis-h100-v5": (2, 25, 12)}
    assert found["big-fp8-nc80adis-h100-v5"].pools == ("nc", "spot")


def test_small_models_share_a_node() -> None:
    # One GPU each: two on a node, and the node that is always there holds one of either.
    assert numbers(planned([model("a", 8), model("b", 8)], [pool("nc", 1, 3)])) == {
        "a-fp8-nc80adis-h100-v5": (1, 3, 0),
        "b-fp8-nc80adis-h100-v5": (1, 3, 0),
    }


def test_a_model_in_two_forms() -> None:
    variant = {"precision": "fp16", "trafficPercent": 25}
    [fp8, fp16] = planned([model("a", 8, variants=[variant])], [pool("nc", 2, 8)]).values()
    # fp16 gives half the tokens a GPU: 25 % of the demand take 2/5 of the 16 GPUs.
    assert (fp8.name, fp8.min_replicas, fp8.max_replicas) == ("a-fp8-nc80adis-h100-v5", 2, 10)
    assert (fp16.name, fp16.min_replicas, fp16.max_replicas) == ("a-fp16-nc80adis-h100-v5", 2, 6)


def test_a_form_without_traffic_has_one_replica_to_try() -> None:
    variant = {"precision": "fp16", "trafficPercent": 0}
    [fp8, fp16] = planned([model("a", 8, variants=[variant])], [pool("nc", 1, 2)]).values()
    assert (fp8.min_replicas, fp8.max_replicas) == (1, 3)
    assert (fp16.min_replicas, fp16.max_replicas) == (1, 1)


def test_a_pool_that_names_models_is_theirs_alone() -> None:
    found = planned([model("a", 8), model("b", 8)], [pool("nc", 1, 1), pool("own", 1, 2, serves=["b"])])
    assert numbers(found) == {"a-fp8-nc80adis-h100-v5": (2, 2, 0), "b-fp8-nc80adis-h100-v5": (2, 4, 0)}
    assert [plan.pools for plan in found.values()] == [("nc",), ("own",)]


def test_pinned_replicas() -> None:
    found = planned([model("a", 8), model("b", 8)], [pool("nc", 1, 4)], replicas={"a": {"min": 2, "max": 3}})
    assert numbers(found) == {"a-fp8-nc80adis-h100-v5": (2, 3, 0), "b-fp8-nc80adis-h100-v5": (0, 5, 0)}


def test_a_pinned_floor_may_take_more_nodes_than_the_least() -> None:
    found = planned([model("a", 8)], [pool("nc", 0, 4)], replicas={"a": {"min": 3}})
    assert numbers(found) == {"a-fp8-nc80adis-h100-v5": (3, 8, 0)}
    found = planned([model("a", 8)], [pool("nc", 0, 1)], replicas={"a": {"min": 30}})
    assert numbers(found) == {"a-fp8-nc80adis-h100-v5": (2, 2, 0)}


def test_a_replica_of_two_nodes_is_of_one_domain() -> None:
    large = model("large", 671, concurrency=1, activeParametersB=37)
    assert numbers(planned([large], [pool("nd", 2, 5, ND)])) == {"large-fp8-nd96isr-h100-v5": (1, 2, 0)}
    # Two domains of three nodes hold two replicas, not three.
    assert numbers(planned([large], [pool("a", 0, 3, ND), pool("b", 0, 3, ND)])) == {
        "large-fp8-nd96isr-h100-v5": (0, 2, 0)
    }


def test_a_gpu_that_nobody_has_measured_is_planned_with_by_prediction() -> None:
    [plan] = planned([model("tiny", 1, concurrency=4, precision="fp16")], [pool("t", 1, 2, T4)]).values()
    assert plan.serving.predicted
    assert (plan.min_replicas, plan.max_replicas) == (1, 2)
    assert plan.serving.rate_source == "roofline of NVIDIA T4 16GB, times 0.5 for its error"


_WANTS = st.lists(
    st.builds(
        Want,
        gpus=st.sampled_from([1, 2, 4, 8]),
        unit_nodes=st.just(1),
        weight=st.floats(0, 100),
        at_least=st.integers(0, 2),
        at_most=st.none(),
    )
    | st.builds(Want, gpus=st.just(16), unit_nodes=st.just(2), weight=st.floats(0, 100), at_most=st.none()),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(0, 6), max_size=3), _WANTS)
def test_nobody_gets_nodes_that_are_not_there(domains: list[int], wants: list[Want]) -> None:
    given_ = divide(domains, 8, wants)
    whole = sum(count * want.unit_nodes for count, want in zip(given_, wants, strict=True) if want.unit_nodes > 1)
    parts = sum(count * want.gpus for count, want in zip(given_, wants, strict=True) if want.unit_nodes == 1)
    assert whole + -(-parts // 8) <= sum(domains)
    assert whole // 2 <= sum(nodes // 2 for nodes in domains)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 20), st.lists(st.floats(0.1, 100), min_size=1, max_size=4))
def test_more_nodes_never_take_a_replica_away(nodes: int, weights: list[float]) -> None:
    wants = [Want(gpus=1, unit_nodes=1, weight=weight) for weight in weights]
    fewer, more = divide([nodes], 8, wants), divide([nodes + 1], 8, wants)
    assert all(one <= two for one, two in zip(fewer, more, strict=True))
    assert sum(more) == (nodes + 1) * 8


@pytest.mark.parametrize("nodes", [[], [0]])
def test_no_nodes(nodes: list[int]) -> None:
    assert divide(nodes, 8, [Want(gpus=16, unit_nodes=2, weight=1), Want(gpus=1, unit_nodes=1, weight=1)]) == [0, 0]
