from __future__ import annotations

from typing import Any

import pytest

from gpufleet.catalog import sizes
from gpufleet.sizing.busy_hours import ANYWHERE, busiest, busy_hours
from gpufleet.sizing.nearest_fit import nearest_fits
from gpufleet.sizing.serving import Serving, Unfit, serve
from gpufleet.sizing.serving_objections import out_of_reach, unserved, without_floor
from gpufleet.spec.inference import Inference
from gpufleet.spec.model import Model

NC1, NC2 = "Standard_NC40ads_H100_v5", "Standard_NC80adis_H100_v5"
ND = "Standard_ND96isr_H100_v5"
_WEIGHTS = {"artifact": "models/a@sha256:" + "0" * 64}


def model(**more: object) -> dict[str, Any]:
    shape = {"name": "chat", "parametersB": 70, "precision": "fp8", "contextTokens": 8192}
    return {**shape, "demandTokensPerSecond": 1000, **more}


def served(size: str, *, predict: bool = False, **more: object) -> Serving:
    found = serve(Model.model_validate(model(**more)), sizes.get(size), predict=predict)
    assert isinstance(found, Serving), found
    return found


def refused(size: str, **more: object) -> Unfit:
    found = serve(Model.model_validate(model(**more)), sizes.get(size))
    assert isinstance(found, Unfit), found
    return found


def platform(models: list[dict[str, Any]], *pools: dict[str, Any], **more: object) -> Inference:
    return Inference.model_validate({"models": models, "regions": [{"name": "eastus", "pools": list(pools)}], **more})


def pool(sku: str, least: int = 1, **more: object) -> dict[str, Any]:
    return {"name": "nc", "sku": sku, "nodes": {"min": least, "max": 4}, **more}


def test_without_a_target_the_rate_is_the_measured_one() -> None:
    found = served(NC2)
    assert (found.sequences, found.predicted) == (32, False)
    assert found.tokens_per_s_per_gpu == pytest.approx(6928 / 4 * 0.7)


def test_a_target_bounds_what_is_answered_at_once_and_so_the_rate() -> None:
    free, bound = served(ND), served(ND, latency={"timePerOutputTokenMs": 35})
    assert (free.fit.tensor_parallel, free.sequences) == (4, 32)
    assert (bound.fit.tensor_parallel, bound.sequences) == (4, 4)
    assert bound.tokens_per_s_per_gpu < free.tokens_per_s_per_gpu / 2
    assert bound.rate_source.endswith(f"for {bound.sequences} sequences at once rather than 32")
    # A looser target answers more at once on as many GPUs.
    looser = served(ND, latency={"timePerOutputTokenMs": 36})
    assert looser.fit == bound.fit
    assert looser.sequences == 20


def test_a_target_may_take_more_gpus_than_memory() -> None:
    assert served(ND, latency={"timeToFirstTokenMs": 120}).fit.tensor_parallel == 4
    assert served(ND, latency={"timeToFirstTokenMs": 100}).fit.tensor_parallel == 8


def test_a_target_out_of_reach_says_what_would_be_reached() -> None:
    target = {"timePerOutputTokenMs": 5, "timeToFirstTokenMs": 60}
    found = refused(NC2, latency=target)
    assert not found.decided
    assert found.reason == (
        "chat on 2 GPUs of Standard_NC80adis_H100_v5 would take 39.1 ms a token and 185 ms to the first one, one "
        "sequence at a time and as predicted, and the target is 5 ms a token and 60 ms to the first one"
    )
    # Its servers are planned all the same.
    assert served(NC2, predict=True, latency=target).sequences == 32


def test_a_prediction_counts_for_half_and_only_where_it_is_asked_for() -> None:
    t4 = "Standard_NC4as_T4_v3"
    small = {"parametersB": 1, "precision": "fp16", "contextTokens": 2048, "concurrency": 4}
    assert refused(t4, **small) == Unfit(reason="nobody has published how fast NVIDIA T4 16GB serves", decided=False)
    found = served(t4, predict=True, **small)
    assert found.predicted
    assert found.tokens_per_s_per_gpu == pytest.approx(202.257, abs=1e-3)


def test_the_memory_sum_of_what_does_not_fit() -> None:
    assert refused(NC1).reason == (
        "chat takes 70.0 GB of weights and 85.9 GB of KV cache (32 sequences of 8,192 tokens), and a node of "
        "Standard_NC40ads_H100_v5 has 1 · (94 GB · 0.9 − 2 GB of runtime) = 82.6 GB for them, without InfiniBand to "
        "spread it over several"
    )


def test_the_nearest_fits() -> None:
    assert nearest_fits(Model.model_validate(model()), [sizes.get(NC1)]) == [
        "Standard_NC80adis_H100_v5 holds it as it is",
        "Standard_NC40ads_H100_v5 holds it with contextTokens of 1,024",
        "Standard_NC40ads_H100_v5 holds it with a concurrency of 4",
    ]
    assert (
        nearest_fits(Model.model_validate(model(parametersB=60, precision="fp16", concurrency=4)), [sizes.get(NC1)])[1]
        == "Standard_NC40ads_H100_v5 holds it in fp8"
    )
    assert nearest_fits(Model.model_validate(model(parametersB=90_000)), []) == []


def test_every_form_has_to_fit() -> None:
    forms = [{"precision": "fp16", "trafficPercent": 10}]
    [found] = unserved(platform([model(parametersB=80, concurrency=4, variants=forms)], pool(NC2)))
    assert found.path == ("inference", "models", 0, "variants", 0, "precision")
    assert found.message.startswith("chat in fp16 is served by no pool: chat takes 160.0 GB of weights")
    assert list(unserved(platform([model(parametersB=80, concurrency=4, variants=forms)], pool(ND)))) == []


def test_who_is_out_of_reach() -> None:
    origins = [
        {"region": "westeurope", "share": 1, "maxRttMs": 50},
        {"region": "eastus2", "share": 1, "maxRttMs": 50},
        {"region": "japaneast", "share": 1},
    ]
    [found] = out_of_reach(platform([model()], pool(NC2), demand=origins))
    assert found.path == ("inference", "demand", 0, "maxRttMs")
    assert found.message == "users in westeurope reach no region within 50 ms: the nearest is eastus, 85 ms away"
    assert (found.decided, found.amount) == (True, 35)


def test_floors() -> None:
    serving = model(weights=_WEIGHTS)
    assert list(without_floor(platform([serving], pool(NC2)))) == []
    assert list(without_floor(platform([model()], pool(NC2, 0)))) == []
    [empty] = without_floor(platform([serving], pool(NC2, 0)))
    assert empty.path == ("inference", "regions", 0, "pools", 0, "nodes")
    [spot] = without_floor(platform([serving], pool(NC2, 0, priority="spot")))
    assert spot.path == ("inference", "regions", 0, "pools")
    # The second model has no room on the node that is always there.
    [second] = without_floor(platform([serving, {**serving, "name": "code"}], pool(NC2)))
    assert second.message == (
        "code-fp8-nc80adis-h100-v5 has no replica that is always up: the regular nodes of Standard_NC80adis_H100_v5 "
        "hold none at their least"
    )


def test_the_hours_that_decide() -> None:
    assert busy_hours(platform([], pool(NC2))) == ({ANYWHERE: 1.0},)
    day = [100 if 8 <= hour < 16 else 20 for hour in range(24)]
    night = [20 if 8 <= hour < 16 else 100 for hour in range(24)]
    found = platform(
        [],
        pool(NC2),
        demand=[
            {"region": "westeurope", "share": 1, "hourlyPercent": day},
            {"region": "japaneast", "share": 3, "hourlyPercent": night},
        ],
    )
    assert busy_hours(found) == (
        {"westeurope": 0.05, "japaneast": 0.75},
        {"westeurope": 0.25, "japaneast": pytest.approx(0.15)},
    )
    assert busiest(found) == pytest.approx(0.8)
