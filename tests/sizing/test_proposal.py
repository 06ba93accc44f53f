from __future__ import annotations

import io
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from gpufleet.catalog import sizes
from gpufleet.engine.project import ROOT
from gpufleet.sizing import serving_advice
from gpufleet.sizing.advice import Advice
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.placement import InfeasibleError
from gpufleet.sizing.proposal import Proposal, advise, propose
from gpufleet.sizing.serving import Serving, Unfit, memory_needs, serve
from gpufleet.sizing.serving_advice import Limits
from gpufleet.spec.environment import Environment
from gpufleet.spec.model import Model
from tests.spec.environments import GONE, changed, environment

_WORKLOAD = ("training", 0, "workload")
_MODEL = ("inference", "models", 0)
_POOL = ("inference", "regions", 0, "pools", 0)


def _file(value: dict[str, Any]) -> str:
    out = io.StringIO()
    YAML().dump({"config": {"gpufleet:environment": value}}, out)
    return out.getvalue()


def _advice(changes: dict[tuple[str | int, ...], object]) -> tuple[Advice, ...]:
    return advise(Environment.model_validate(changed(changes)))


def _propose(
    changes: dict[tuple[str | int, ...], object], *, limits: Limits | None = None, within_days: float | None = None
) -> Proposal:
    return propose(_file(changed(changes)), name="x.yaml", limits=limits, within_days=within_days)


def _model(**changes: object) -> Model:
    return Model.model_validate(
        {
            "name": "chat",
            "parametersB": 70,
            "precision": "fp8",
            "contextTokens": 8192,
            "demandTokensPerSecond": 1000,
            **changes,
        }
    )


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "frontier"])
def test_the_committed_stacks_carry_what_they_declare(name: str) -> None:
    file = ROOT / "stacks" / f"Pulumi.{name}.yaml"
    found = propose(file.read_text(), name=file.name)
    assert found.objections == ()


def test_prod_carries_its_demand_on_regular_nodes_alone_with_any_region_lost() -> None:
    file = ROOT / "stacks" / "Pulumi.prod.yaml"
    text = file.read_text()
    # 88 % of the users' peaks come together at the busiest hour: 52,800 of 60,000 tokens/s at 2 · 6,928 / 4 · 0.7 =
    # 2,424.8 a node are 22 nodes, and of 20,000 at 6,000 a node 3. With any one region lost two must have as many.
    least = [(0, 0, 11), (0, 2, 2), (1, 0, 11), (1, 2, 2), (2, 0, 11), (2, 2, 1)]
    found = propose(text, name=file.name)
    assert [(change.path[2], change.path[4], change.value) for change in found.changes] == least
    # Of too little, the pools of each model are raised, and no line else is touched.
    short = text.replace("max: 13", "max: 9").replace(
        "serves: [code-8b], nodes: { min: 1, max: 3", "serves: [code-8b], nodes: { min: 1, max: 1"
    )
    found = propose(short, name=file.name)
    assert [(change.path[2], change.path[4], change.value) for change in found.changes] == least[:-1]
    gone = [line[1:] for line in found.patch.splitlines()[2:] if line.startswith("-")]
    come = [line[1:] for line in found.patch.splitlines()[2:] if line.startswith("+")]
    assert come == [
        re.sub(r"max: \d+", f"max: {nodes}", line) for line, (*_, nodes) in zip(gone, least[:-1], strict=True)
    ]


def test_the_nodes_for_a_number_of_days() -> None:
    # 7 B parameters on 100 B tokens: 4.2e21 FLOPs; 16 H100s at 541.8 TFLOP/s take 5.61 days.
    found = _propose({}, within_days=6.0)
    assert [(change.path, change.value) for change in found.changes if change.path[0] == "training"] == [
        (("training", 0, "pools", 0, "nodes", "max"), 2)
    ]
    with pytest.raises(SizingError, match=r"training fabric lab: .* at most 5,000 are allowed"):
        _propose({}, within_days=0.0001)


def test_a_proposal_that_breaks_another_rule_says_which() -> None:
    # 128 nodes are more than an InfiniBand domain has.
    with pytest.raises(SizingError, match="the proposal breaks other rules of the stack file") as caught:
        _propose({(*_WORKLOAD, "tokensB"): 20_000}, within_days=8.0)
    assert "training[0].pools[0]" in caught.value.message


def test_gpus_that_starve_and_a_dataset_that_does_not_fit() -> None:
    lustre = ("training", 0, "storage", "lustre", "capacityTiB")
    [objection] = _advice({lustre: 8, (*_WORKLOAD, "readMbytesPerSecondPerGpu"): 100})[0].objections
    assert objection.message == "gives 2 GB/s and the GPUs read 6.4 GB/s, so they wait"
    [objection] = _advice({lustre: 8, (*_WORKLOAD, "datasetTiB"): 9})[0].objections
    assert objection.message == "8 TiB can't hold the dataset and 2 checkpoints, 9.178 TiB"
    found = _propose({lustre: 8, (*_WORKLOAD, "readMbytesPerSecondPerGpu"): 100})
    assert [(change.path[2:], change.value) for change in found.changes if change.path[0] == "training"] == [
        (("storage", "lustre", "capacityTiB"), 32)
    ]


def test_a_checkpoint_loss_over_the_limit_and_one_that_no_storage_reaches() -> None:
    slow: dict[tuple[str | int, ...], object] = {
        ("training", 0, "storage", "lustre", "capacityTiB"): 8,
        (*_WORKLOAD, "parametersB"): 30,
        (*_WORKLOAD, "failuresPerThousandNodeDays"): 65,
        (*_WORKLOAD, "checkpoint"): {"maxLossPercent": 1},
    }
    [objection] = _advice(slow)[0].objections
    assert objection.message.startswith("failures and checkpoints cost 5.12 %")
    assert objection.fix.startswith("Take ")
    never = {**slow, (*_WORKLOAD, "checkpoint"): {"maxLossPercent": 1, "restartSeconds": 3600}}
    [objection] = _advice(never)[0].objections
    assert objection.fix.startswith("No file system is fast enough, restarts alone cost 2.14 %: restart faster")


def test_nics_too_slow_for_the_checkpoints_and_a_subnet_too_small_for_the_capacity() -> None:
    fast: dict[tuple[str | int, ...], object] = {
        (*_WORKLOAD, "parametersB"): 200,
        (*_WORKLOAD, "failuresPerThousandNodeDays"): 65,
        (*_WORKLOAD, "checkpoint"): {"maxLossPercent": 0.3},
    }
    fixes = [objection.fix for objection in _advice(fast)[0].objections]
    assert len(fixes) == 1
    assert "and the nodes' front-end networks carry 80 GB/s: write checkpoints asynchronously" in fixes[0]
    subnets = {
        "system": "10.0.0.0/20",
        "gpu": "10.0.16.0/20",
        "lustre": "10.0.32.0/24",
        "privateEndpoints": "10.0.48.0/24",
    }
    reads: dict[tuple[str | int, ...], object] = {
        (*_WORKLOAD, "readMbytesPerSecondPerGpu"): 1000,
        ("training", 0, "network"): {"vnetCidr": "10.0.0.0/16", "subnets": subnets},
    }
    [objection] = _advice(reads)[0].objections
    assert objection.message == "10.0.32.0/24 is too small for 256 TiB, which need a /23"


def test_a_model_that_does_not_fit_the_training_gpus() -> None:
    messages = [one.message for one in _advice({(*_WORKLOAD, "parametersB"): 400})[0].objections]
    assert messages[0] == (
        "weights, gradients and optimiser take 7,200 GB and all GPUs have 5,120 GB, before activations"
    )


def test_without_a_workload_nothing_is_decided() -> None:
    [objection] = _advice({_WORKLOAD: GONE})[0].objections
    assert not objection.decided
    assert objection.path == ("training", 0, "workload")


def test_nodes_that_fail_faster_than_they_are_repaired_still_get_advice() -> None:
    found = _advice({(*_WORKLOAD, "failuresPerThousandNodeDays"): 1000})[0].figure("spare nodes to hold")
    assert found.value == "no number suffices"
    assert "shorten the repair" in found.note


def test_an_unmeasured_gpu_is_not_decided() -> None:
    pool = ("training", 0, "pools", 0, "sku")
    [objection] = _advice({pool: "Standard_ND96amsr_A100_v4"})[0].objections
    assert (objection.decided, objection.path[-1]) == (False, "tflopsPerGpu")
    assert _advice({pool: "Standard_ND96amsr_A100_v4", (*_WORKLOAD, "tflopsPerGpu"): 120})[0].objections == ()


def test_70b_in_fp8_on_nc_h100() -> None:
    weights, cache = memory_needs(_model())
    assert weights == 70e9
    assert cache == 8192 * 32 * 327_680
    # 94 GB · 0.9 − 2 GB = 82.6 GB a GPU: 155.9 GB take two.
    assert isinstance(serve(_model(), sizes.get("Standard_NC40ads_H100_v5")), Unfit)
    found = serve(_model(), sizes.get("Standard_NC80adis_H100_v5"))
    assert isinstance(found, Serving)
    assert (found.fit.tensor_parallel, found.fit.nodes, found.fit.replicas_per_node) == (2, 1, 1)
    assert found.tokens_per_s_per_replica == pytest.approx(2 * 6928 / 4 * 0.7)


def test_several_nodes_count_only_with_such_a_measurement() -> None:
    # 1,400 GB of weights don't fit 640 GB: two nodes over InfiniBand, four with the cache.
    large = serve(_model(parametersB=671, precision="bf16"), sizes.get("Standard_ND96isr_H100_v5"))
    assert isinstance(large, Serving)
    assert (large.fit.tensor_parallel, large.fit.nodes) == (32, 4)
    # DeepSeek-R1: 488 tokens/s on 16 GPUs with 37 B active; dense and twice the bytes.
    assert large.tokens_per_s_per_gpu == pytest.approx(488 / 16 * 37 / 671 / 2)
    without = serve(_model(parametersB=1400), sizes.get("Standard_NC80adis_H100_v5"))
    assert isinstance(without, Unfit)
    assert without.decided


def test_a_stated_rate_is_taken_as_it_is() -> None:
    model = _model(parametersB=1, tokensPerSecondPerGpu={"Standard_NC4as_T4_v3": 300})
    found = serve(model, sizes.get("Standard_NC4as_T4_v3"))
    assert isinstance(found, Serving)
    assert (found.tokens_per_s_per_replica, found.measured_here) == (300, True)
    unmeasured = serve(_model(parametersB=1), sizes.get("Standard_NC4as_T4_v3"))
    assert unmeasured == Unfit(reason="nobody has published how fast NVIDIA T4 16GB serves", decided=False)


def test_demand_that_is_not_met_and_a_loss_that_is_not_covered() -> None:
    one: tuple[str | int, ...] = ("inference", "regions")
    pool = {"name": "nc", "sku": "Standard_NC80adis_H100_v5", "nodes": {"min": 1, "max": 10}}
    two = [{"name": "eastus", "pools": [pool]}, {"name": "swedencentral", "pools": [pool]}]
    model = {"name": "m", "parametersB": 70, "precision": "fp8", "contextTokens": 8192}

    def told(demand: float, regions: list[dict[str, Any]]) -> list[str]:
        value: dict[tuple[str | int, ...], object] = {
            one: regions,
            ("inference", "models"): [{**model, "demandTokensPerSecond": demand}],
        }
        return [objection.message for objection in _advice(value)[-1].objections]

    assert told(20_000, two) == []
    assert told(48_496, two[:1]) == ["all pools at their most, spot included, give 50 % of the declared demand"]
    lost = "with eastus lost the other regions, all pools at their most and spot included, give"
    assert told(48_496, two) == [f"{lost} 50 % of the declared demand"]
    # 24,248 of 24,300: short is never shown as whole; and of very much, what there is isn't nothing.
    assert told(24_300, two) == [f"{lost} 99.7 % of the declared demand"]
    assert told(1e9, two[:1]) == [
        "all pools at their most, spot included, give under 0.1 % of the declared demand",
    ]


def test_placement_honours_latency_and_quota() -> None:
    pool = {"name": "nc", "sku": "Standard_NC80adis_H100_v5", "nodes": {"min": 1, "max": 10}}
    value: dict[tuple[str | int, ...], object] = {
        ("allowedRegions",): ["eastus", "swedencentral", "japaneast"],
        ("inference", "regions"): [{"name": "eastus", "pools": [pool]}],
        ("inference", "models"): [
            {
                "name": "m",
                "parametersB": 70,
                "precision": "fp8",
                "contextTokens": 8192,
                "demandTokensPerSecond": 20_000,
            }
        ],
        ("inference", "demand"): [
            {"region": "eastus", "share": 3},
            {"region": "westeurope", "share": 1, "maxRttMs": 60},
        ],
    }
    found = _propose(value)
    # 5,000 of 20,000 tokens/s must be near western Europe: 3 nodes in Sweden, where none is declared. They
    # have 2,274 to spare for the others, which then take 6 nodes rather than 7.
    [resized, added] = found.changes
    assert (resized.path[2], resized.value) == (0, 6)
    assert added.value == {
        "name": "swedencentral",
        "pools": [{"name": "p0", "sku": "Standard_NC80adis_H100_v5", "nodes": {"min": 1, "max": 3}}],
    }
    with pytest.raises(InfeasibleError, match="80 vCPUs more quota of total in swedencentral"):
        _propose(value, limits=Limits(quotas={("swedencentral", "total"): 160}))


def test_a_model_without_any_size_says_why() -> None:
    value: dict[tuple[str | int, ...], object] = {(*_POOL, "sku"): "Standard_NC4as_T4_v3", (*_MODEL, "parametersB"): 1}
    with pytest.raises(InfeasibleError, match="no size serves chat: nobody has published how fast NVIDIA T4"):
        _propose(value)


def test_the_judgement_alone_needs_no_placement() -> None:
    assert serving_advice.advise(Environment.model_validate(environment())).changes == ()
