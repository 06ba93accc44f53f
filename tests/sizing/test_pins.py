"""What a specification pins of serving: which models a pool serves, and how many servers a region has."""

from __future__ import annotations

import io
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from gpufleet.sizing.demand import Demand, Offer, Pin, Problem
from gpufleet.sizing.placement import InfeasibleError, place
from gpufleet.sizing.proposal import propose
from gpufleet.sizing.serving_advice import Limits
from tests.spec.environments import changed

_NC40, _NC80 = "Standard_NC40ads_H100_v5", "Standard_NC80adis_H100_v5"


def _model(name: str, tokens: float) -> dict[str, Any]:
    """1,000 tokens/s of a GPU on either size: 1,000 of a node on one, 2,000 on the other."""
    return {
        "name": name,
        "parametersB": 8,
        "precision": "fp8",
        "contextTokens": 8192,
        "demandTokensPerSecond": tokens,
        "tokensPerSecondPerGpu": {_NC40: 1000, _NC80: 1000},
    }


def _pool(name: str, sku: str, *serves: str, most: int = 10, **more: object) -> dict[str, Any]:
    return {"name": name, "sku": sku, "serves": list(serves), "nodes": {"min": 1, "max": most}, **more}


def _proposed(
    models: list[dict[str, Any]], regions: list[dict[str, Any]], limits: Limits | None = None
) -> dict[str, object]:
    """Value by path below `inference.regions`."""
    value = changed(
        {
            ("training",): [],
            ("allowedRegions",): ["eastus", "swedencentral", "japaneast"],
            ("inference", "models"): models,
            ("inference", "regions"): regions,
        }
    )
    text = io.StringIO()
    YAML().dump({"config": {"gpufleet:environment": value}}, text)
    found = propose(text.getvalue(), name="x.yaml", limits=limits)
    return {".".join(str(key) for key in change.path[2:]): change.value for change in found.changes}


def test_a_pool_of_one_model_is_not_raised_for_another() -> None:
    pools = [_pool("chat", _NC40, "chat", most=2), _pool("code", _NC40, "code", most=2)]
    assert _proposed([_model("chat", 2000), _model("code", 5000)], [{"name": "eastus", "pools": pools}]) == {
        "0.pools.1.nodes.max": 5
    }


def test_a_model_with_pools_of_its_own_stays_on_their_sizes() -> None:
    # In the same region `code` would have room on the other size; any size may be asked for.
    pools = [_pool("chat", _NC80, "chat", most=1), _pool("code", _NC40, "code", most=1)]
    models = [_model("chat", 2000), _model("code", 3000)]
    assert _proposed(models, [{"name": "eastus", "pools": pools}]) == {"0.pools.1.nodes.max": 3}


def test_a_new_pool_names_its_model_where_it_has_pools_of_its_own() -> None:
    # In one region alone, where every pool is another model's.
    pools = [_pool("chat", _NC40, "chat", most=1), _pool("code", _NC40, "code", most=4)]
    named = _proposed(
        [_model("chat", 1000), _model("code", 4000)],
        [{"name": "eastus", "pools": pools[:1]}, {"name": "swedencentral", "pools": pools[1:]}],
        Limits(survive_loss=False, max_regions=1),
    )
    assert named == {"0.pools.1": {"name": "p0", "sku": _NC40, "serves": ["code"], "nodes": {"min": 1, "max": 4}}}


def test_a_pool_that_serves_all_is_raised_for_all_that_have_none_of_their_own() -> None:
    pools = [_pool("own", _NC40, "chat", most=1), _pool("all", _NC40, most=1)]
    models = [_model("chat", 2000), _model("code", 2000), _model("draft", 1000)]
    assert _proposed(models, [{"name": "eastus", "pools": pools}]) == {
        "0.pools.0.nodes.max": 2,
        "0.pools.1.nodes.max": 3,
    }


def test_pools_that_models_have_in_part_in_common_grow_once() -> None:
    # `code` has the second alone, 3 nodes; of `chat`'s 4 it takes none, for it isn't large enough for more.
    pools = [_pool("chat", _NC40, "chat", most=1), _pool("both", _NC40, "chat", "code", most=3)]
    models = [_model("chat", 4000), _model("code", 3000)]
    assert _proposed(models, [{"name": "eastus", "pools": pools}]) == {"0.pools.0.nodes.max": 4}
    pools = [_pool("chat", _NC40, "chat", most=1), _pool("both", _NC40, "chat", "code", most=5)]
    assert _proposed(models, [{"name": "eastus", "pools": pools}]) == {"0.pools.0.nodes.max": 2}


def test_pinned_servers_bound_what_is_placed() -> None:
    def regions(pin: dict[str, int]) -> list[dict[str, Any]]:
        return [
            {"name": "eastus", "pools": [_pool("nc", _NC40, most=2)], "replicas": {"chat": pin}},
            {"name": "swedencentral", "pools": [_pool("nc", _NC40, most=2)]},
        ]

    limits = Limits(survive_loss=False)
    models = [_model("chat", 6000)]
    # Eastus is the cheaper one.
    assert _proposed(models, regions({"max": 10}), limits) == {"0.pools.0.nodes.max": 6}
    assert _proposed(models, regions({"max": 4}), limits) == {"0.pools.0.nodes.max": 4}
    assert _proposed(models, regions({"min": 7}), limits) == {"0.pools.0.nodes.max": 7}


def _offer(region: str, *, replicas: int = 1, spot: bool = False) -> Offer:
    return Offer(
        region=region,
        size="a",
        model="m",
        spot=spot,
        nodes=1,
        usd_per_hour=(1 if region == "near" else 2) / (2 if spot else 1),
        tokens_per_second=10.0 * replicas,
        family="A",
        vcpus=8,
        replicas=replicas,
    )


def _units(tokens: float, offers: list[Offer], pin: Pin, **more: object) -> dict[tuple[str, bool], int]:
    problem = Problem(
        demand=[Demand(origin="home", model="m", tokens_per_second=tokens)],
        offers=offers,
        pins={("m", "near"): pin},
        **cast("dict[str, Any]", {"survive_loss": False, **more}),
    )
    return {(one.offer.region, one.offer.spot): one.units for one in place(problem).placed}


def test_servers_are_counted_and_not_nodes() -> None:
    offers = [_offer("near", replicas=4), _offer("far", replicas=4)]
    # Six servers take two nodes and give 60; the other 40 are four servers elsewhere, on one node.
    assert _units(100, offers, Pin(most=6)) == {("near", False): 2, ("far", False): 1}
    assert _units(5, offers, Pin(least=9)) == {("near", False): 3}
    # The fewest are on regular nodes, whatever spot costs.
    both = [_offer("near"), _offer("near", spot=True)]
    assert _units(40, both, Pin(least=3), spot_share=0.9)["near", False] == 3


def test_pins_hold_with_few_regions() -> None:
    offers = [_offer("near"), _offer("far")]
    assert _units(10, offers, Pin(least=50), max_regions=1) == {("near", False): 50}


def test_pins_that_nothing_meets_are_named_with_the_amount() -> None:
    with pytest.raises(InfeasibleError, match=r"3 servers of m more allowed in near \(replicas.max is 2\)"):
        _units(50, [_offer("near")], Pin(most=2))
    with pytest.raises(InfeasibleError, match=r"4 servers of m fewer pinned in near \(replicas.min is 6\)"):
        _units(10, [_offer("near")], Pin(least=6), quotas={("near", "total"): 16})
    with pytest.raises(InfeasibleError, match="6 servers of m are pinned in near, and no size serves it there"):
        _units(10, [_offer("far")], Pin(least=6))
