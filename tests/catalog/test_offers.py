from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gpufleet.catalog import history, offers
from gpufleet.catalog.evidence import EvidenceKind
from gpufleet.catalog.offers import UnknownGpuError
from gpufleet.catalog.prices import Unpriced
from gpufleet.catalog.regions import UnknownRegionError

H100 = "Standard_ND96isr_H100_v5"


def places(found: list[offers.Offer]) -> list[tuple[str, str]]:
    return [(offer.size.name, offer.region.name) for offer in found]


def test_the_cheapest_gpu_comes_first() -> None:
    found = offers.find(gpu="H100", infiniband=True)
    assert places(found)[:4] == [(H100, region) for region in ("eastus", "eastus2", "westus2", "westus3")]
    assert len(found) == 31
    per_gpu = [offer.usd_per_gpu_hour(spot=False) for offer in found]
    assert per_gpu[0] == Decimal("12.29")
    assert per_gpu == sorted(usd for usd in per_gpu if usd is not None)


def test_what_an_offer_tells() -> None:
    offer = offers.find(gpu="ND96isr_H100_v5", in_regions=["eastus"])[0]
    assert (offer.size.gpus, offer.region.has_zones, offer.size.quota_family) == (8, True, "standardNDSH100v5Family")
    assert (offer.evidence, offer.deployed) == (EvidenceKind.RUN, True)
    assert isinstance(offer.spot, Unpriced)
    assert (offer.usd_per_gpu_hour(spot=True), offer.age_days(date(2026, 6, 28), spot=True)) == (None, None)
    assert offer.age_days(date(2026, 6, 28), spot=False) == 10


def test_a_sixth_of_a_gpu_is_priced_as_a_whole_one() -> None:
    offer = offers.find(gpu="NV6ads", in_regions=["eastus"])[0]
    assert (str(offer.size.gpu_share), offer.usd_per_gpu_hour(spot=False)) == ("1/6", Decimal("2.724"))
    assert offer.age_days(date(2026, 6, 28), spot=True) is None


@pytest.mark.parametrize(("gpu", "series"), [("h100", 9), ("H100 NVL", 3), ("h100_nvl", 3), ("NC40ads", 1), ("A10", 6)])
def test_a_gpu_by_name_model_or_size(gpu: str, series: int) -> None:
    assert len({offer.size.name for offer in offers.find(gpu=gpu)}) == series


def test_spot_counts_only_what_has_a_spot_price() -> None:
    found = offers.find(gpu="H100", spot=True)
    assert places(found) == [("Standard_NCC40ads_H100_v5", "eastus2")]
    assert offers.find(gpu="H200", spot=True) == []


def test_a_node_may_cost_so_much_and_no_more() -> None:
    assert len(offers.find(gpu="H100", infiniband=True, max_usd=Decimal("98.32"))) == 6
    assert offers.find(gpu="H100", infiniband=True, max_usd=Decimal("98.31")) == []
    t4 = offers.find(gpu="T4", spot=True, max_usd=Decimal("0.06"))
    assert {offer.size.name for offer in t4} == {"Standard_NC4as_T4_v3"}


def test_regions_are_taken_as_they_are_named() -> None:
    assert places(offers.find(gpu="NC40ads", in_regions=["uksouth", "eastus", "uksouth"])) == [
        ("Standard_NC40ads_H100_v5", "eastus"),
        ("Standard_NC40ads_H100_v5", "uksouth"),
    ]
    with pytest.raises(UnknownRegionError, match="no Azure region 'eastsu' in the catalogue; the nearest is eastus"):
        offers.find(in_regions=["eastsu"])


@pytest.mark.parametrize(
    ("gpu", "near"), [("H10O", "; the nearest is H100"), ("V100", "; the nearest is H100"), ("", "")]
)
def test_an_unknown_gpu(gpu: str, near: str) -> None:
    with pytest.raises(UnknownGpuError) as caught:
        offers.find(gpu=gpu)
    assert caught.value.message == f"no size of the catalogue has a GPU {gpu!r}{near}"
    assert caught.value.hint == "There are H100, GB200, H200, MI300X, GB300, A100, T4, A10."
    assert caught.value.exit_code == 2


def test_what_is_left_out_is_said() -> None:
    assert offers.left_out("A10") == {
        f"Standard_NC{number}ads_A10_v4": "it has a price, but no source gives its memory and GPU share"
        for number in (8, 16, 32)
    }
    assert offers.left_out("GB300") == {
        "Standard_ND128isr_GB300_v6": "the price list of 2026-06-18 has it in no region"
    }
    assert offers.left_out("H100") == {}
    assert len(offers.left_out(None)) == 4


def test_what_a_size_did_cost() -> None:
    assert history.of("Standard_ND96isr_H200_v5", "eastus2")[1] == (date(2024, 12, 13), Decimal(118))
    past = history.of(H100, "eastus")
    assert [day.isoformat() for day, _ in past] == [
        *("2024-04-23", "2024-12-13", "2025-05-16", "2025-06-03", "2026-04-02", "2026-06-18")
    ]
    assert {usd for _, usd in past} == {Decimal("98.32")}
    assert history.of(H100, "australiaeast")[0] == (date(2024, 4, 23), None)
    assert history.of("Standard_F4s_v2", "eastus") == ()
