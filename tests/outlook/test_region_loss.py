"""A region lost in turn, and all spot nodes: capacity, latency, quota, time and money."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gpufleet.catalog import latency
from gpufleet.outlook import Loss, Outlook, outlook, words
from gpufleet.outlook.absorb import minutes_to_serve
from tests.outlook import golden
from tests.outlook.samples import NC80, ahead, environment, value


def _loss(found: Outlook, region: str) -> Loss:
    return next(loss for loss in found.losses if loss.region == region)


def test_the_sample_as_people_read_it() -> None:
    assert golden.text() == golden.FILE.read_text(encoding="utf-8")


def test_every_region_and_then_spot() -> None:
    assert [loss.region for loss in ahead().losses] == ["eastus", "swedencentral", "japaneast", ""]


def test_one_region_without_spot_has_nothing_to_lose() -> None:
    alone = ahead(regions=[{"name": "eastus", "pools": [{"name": "nc", "sku": NC80, "nodes": {"min": 1, "max": 9}}]}])
    assert alone.losses == ()


def test_without_models_there_is_no_outlook() -> None:
    assert outlook(environment(models=[])) is None


def test_users_go_to_the_next_best_region_and_a_broken_ceiling_is_told() -> None:
    moved = {one.origin: one for one in _loss(ahead(), "japaneast").moved}
    assert (moved["japaneast"].before, moved["japaneast"].after) == (("japaneast",), ("eastus",))
    assert (moved["japaneast"].ceiling, moved["japaneast"].broken) == (100, True)
    assert (moved["eastus"].before, moved["eastus"].after, moved["eastus"].broken) == (("eastus",), ("eastus",), False)
    # Sweden is nearest to western Europe and eastus hardly slower (50 ms): Front Door uses both.
    assert moved["westeurope"].before == ("swedencentral", "eastus")


def test_a_round_trip_that_nobody_measured_is_said_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "between", lambda *_: None)
    found = ahead(demand=[{"region": "westus", "share": 1, "maxRttMs": 50}])
    moved = _loss(found, "eastus").moved[0]
    assert (moved.rtt_before, moved.rtt_after, moved.broken) == (None, None, None)
    assert found.unknown_latencies == ("westus",)
    assert "Round trips not known of 1 place: westus" in words.remarks(found)


def test_models_that_nothing_serves_are_named_where_nothing_is_served_at_all() -> None:
    model = value()["inference"]["models"][1]
    line = "small has no weights: it is planned and priced, and nothing serves it"
    assert line in words.remarks(ahead(models=[model]))
    digest = f"sha256:{'0' * 64}"
    served = {**model, "image": f"vllm/vllm-openai@{digest}", "weights": {"artifact": f"models/small@{digest}"}}
    assert not any("no weights" in remark for remark in words.remarks(ahead(models=[served])))


def test_quotas_are_enough_too_small_or_not_known() -> None:
    spec = environment()
    unknown = outlook(spec)
    assert unknown is not None
    assert [loss.quota_enough for loss in unknown.losses] == [None] * 4
    needs = {(need.region, need.family): need for need in _loss(unknown, "eastus").quota}
    assert ("eastus", "total") not in needs
    enough = dict.fromkeys({(need.region, need.family) for loss in unknown.losses for need in loss.quota}, 1e6)
    known = outlook(spec, enough)
    assert known is not None
    assert [loss.quota_enough for loss in known.losses] == [True] * 4
    assert known.unknown_quotas == 0
    family = needs["swedencentral", "StandardNCadsH100v5Family"]
    small = outlook(spec, {("swedencentral", "standardncadsh100v5family"): family.vcpus - 1})
    assert small is not None
    assert _loss(small, "eastus").quota_enough is False
    assert next(row for row in words.loss_rows(small))[words.LOSS_HEAD.index("quota")] == "TOO SMALL"


def test_warm_servers_absorb_at_once_and_the_rest_takes_a_node() -> None:
    found = ahead()
    lost = _loss(found, "eastus")
    assert 0 < lost.at_once < 1
    assert lost.minutes is not None
    # Signal 15, autoscaler 10, node 300, image 60, start 39 s, and 70 GB of weights at 3.1 GB/s.
    assert lost.minutes.least == pytest.approx((15 + 10 + 300 + 60 + 39 + 70 * 0.32) / 60)
    assert lost.minutes.most == pytest.approx((45 + 40 + 900 + 180 + 158 + 70 * 0.32) / 60)
    assert minutes_to_serve([]) is None


def test_a_floor_as_high_as_the_demand_absorbs_all_of_it() -> None:
    fixed = [
        {"name": name, "pools": [{"name": "nc", "sku": NC80, "nodes": 40}]} for name in ("eastus", "swedencentral")
    ]
    lost = _loss(ahead(regions=fixed, demand=[]), "eastus")
    assert (lost.at_once, lost.minutes, lost.usd_per_hour) == (1.0, None, Decimal("0.00"))
    assert (lost.enough_regular, lost.enough) == (True, True)


def test_a_missing_price_makes_the_extra_cost_unknown_and_never_zero() -> None:
    spec = environment()
    found = outlook(spec.model_copy(update={"prices": spec.prices.model_copy(update={"assumed": []})}))
    assert found is not None
    lost = _loss(found, "swedencentral")
    assert (lost.usd_per_hour, lost.usd_per_month) == (None, None)
    assert any(line.startswith("Not priced: ") for line in words.remarks(found))


def test_enough_together_and_not_where_users_go() -> None:
    found = ahead()
    model = next(one for one in _loss(found, "japaneast").models if one.model == "chat")
    assert model.unmet_regular > 0
    assert model.short_in == ("eastus",)
    short = replace(model, regular=model.demand)
    assert short.regular >= short.demand


def test_a_model_that_nothing_holds_is_named() -> None:
    big = {
        "name": "huge",
        "parametersB": 4000,
        "precision": "fp16",
        "contextTokens": 8192,
        "demandTokensPerSecond": 10,
    }
    found = ahead(models=[big])
    assert found.fleet.unplanned == (("huge", "fp16"),)
    assert "No servers can be planned, so all of it is unmet: huge (fp16)" in words.remarks(found)
    assert found.day.unmet_tokens == pytest.approx(found.day.demand_tokens)
