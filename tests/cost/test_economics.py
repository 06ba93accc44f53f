from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gpufleet.cost import UnitCost, unit_costs
from gpufleet.sizing.fabric import job
from gpufleet.sizing.training_figures import useful_share
from gpufleet.spec import parse_environment
from tests.cost.samples import H100, NC80, plain, pool_items, priced, resource

_WORKLOAD = {"parametersB": 7, "tokensB": 50, "datasetTiB": 2}


def _units(
    training: list[dict[str, Any]] | None = None,
    inference: dict[str, Any] | None = None,
) -> dict[tuple[str, str], UnitCost]:
    changes = {} if training is None else {"training": training}
    environment = parse_environment(plain(**changes, inference=inference))
    door = resource("cdn:Profile", "door", location="Global", sku={"name": "Standard_AzureFrontDoor"})
    holder = type(door)(type="gpufleet:inference:GlobalFrontDoor", name="door", parent="")
    items = [*pool_items(environment), holder, type(door)(**{**vars(door), "parent": holder.urn})]
    found = unit_costs(environment, priced(environment, items if inference else items[:-2]))
    return {(unit.component, unit.unit): unit for unit in found}


def _fabric(**pool: object) -> list[dict[str, Any]]:
    return [{"name": "lab", "region": "eastus", "pools": [{"name": "h", "sku": H100, "nodes": 4, **pool}]}]


@pytest.mark.parametrize(
    ("pool", "usd", "basis"),
    [
        # 98.32 / 8 GPUs, all of them busy.
        ({}, "12.2900", "23,360 GPU-hours used a month, every pool at its maximum and busy where no usage is declared"),
        # Idle nodes of a fixed pool are paid for: 98.32 / 8 / 0.5.
        ({"usage": {"utilizationPercent": 50}}, "24.5800", "11,680 GPU-hours used a month"),
        # An autoscaled pool gives them back.
        (
            {"nodes": {"min": 0, "max": 4}, "usage": {"utilizationPercent": 50}},
            "12.2900",
            "11,680 GPU-hours used a month",
        ),
        # A floor of 2 nodes at a use of 1.
        (
            {"nodes": {"min": 2, "max": 4}, "usage": {"utilizationPercent": 25}},
            "24.5800",
            "5,840 GPU-hours used a month",
        ),
    ],
)
def test_a_gpu_hour_that_is_used(pool: dict[str, object], usd: str, basis: str) -> None:
    unit = _units(_fabric(**pool))["training lab", "GPU-hour used"]
    assert (unit.usd, unit.basis) == (Decimal(usd), basis)


def test_nobody_uses_a_gpu() -> None:
    unit = _units(_fabric(usage={"utilizationPercent": 0}))["training lab", "GPU-hour used"]
    assert (unit.usd, unit.basis) == (None, "no GPU is used")


def test_a_share_of_a_gpu_counts_as_that_share() -> None:
    pools = [{"name": "a10", "sku": "Standard_NV6ads_A10_v5", "nodes": 6, "osDiskGiB": 128}]
    unit = _units([{"name": "lab", "region": "eastus", "pools": pools}])["training lab", "GPU-hour used"]
    # Six sixths of an A10 at 0.454 each.
    assert (unit.usd, unit.basis.split(",")[0]) == (Decimal("2.7240"), "730 GPU-hours used a month")


def _inference(demand: float | None = 1000, **usage: float) -> dict[str, Any]:
    model = {"name": "chat", "parametersB": 7, "precision": "fp8", "contextTokens": 4096}
    pool = {"name": "nc", "sku": NC80, "nodes": {"min": 0, "max": 4}, **({"usage": usage} if usage else {})}
    return {
        "models": [{**model, "demandTokensPerSecond": demand}] if demand else [],
        "regions": [{"name": "eastus", "pools": [pool]}],
    }


def test_a_million_tokens_at_the_peak_all_month() -> None:
    unit = _units(inference=_inference())["inference", "million tokens served"]
    # (4 x 13.96 x 730 + 35) / (1,000 x 3,600 x 730 / 1e6)
    assert unit.usd == Decimal("15.5244")
    assert unit.basis == (
        "2,628 million output tokens a month: 1,000 a second at peak, 100.0 % of the GPUs in use on average"
    )


def test_demand_follows_the_gpus_in_use() -> None:
    unit = _units(inference=_inference(utilizationPercent=25))["inference", "million tokens served"]
    # A quarter of the nodes and a quarter of the tokens; Front Door's fee stays: (13.96 x 730 + 35) / 657
    assert unit.usd == Decimal("15.5644")
    assert unit.basis.endswith("25.0 % of the GPUs in use on average")


@pytest.mark.parametrize(
    ("inference", "basis"),
    [(_inference(None), "no model has a demand"), (_inference(utilizationPercent=0), "no GPU is used")],
)
def test_no_tokens(inference: dict[str, Any], basis: str) -> None:
    unit = _units(inference=inference)["inference", "million tokens served"]
    assert (unit.usd, unit.basis) == (None, basis)


_RUN = ("training lab", "training run of 7B parameters on 50B tokens")


def test_a_training_run_pays_for_the_whole_fabric_for_as_long_as_sizing_says() -> None:
    workload = {**_WORKLOAD, "tflopsPerGpu": 400}
    (fabric,) = [{**_fabric(usage={"utilizationPercent": 10})[0], "workload": workload}]
    unit = _units([fabric])[_RUN]
    spec = parse_environment(plain(training=[fabric])).training[0]
    found = job(spec)
    assert found is not None
    # 6 x 7e9 x 50e9 FLOPs / (32 GPUs x 400e12 FLOP/s) = 1.899 days, longer by what failures and checkpoints take.
    assert found.compute_days() == pytest.approx(1.8989, abs=1e-4)
    days = Decimal(str((found.compute_days() or 0) / useful_share(spec, found)))
    assert unit.usd == round(Decimal("393.28") * 24 * days, 2)
    assert unit.basis == f"{days:.1f} days of the whole fabric at its ceiling (gpufleet explain sizing)"


def test_a_run_that_nobody_can_time() -> None:
    pools = [{"name": "t4", "sku": "Standard_NC4as_T4_v3", "nodes": 1, "osDiskGiB": 128}]
    unit = _units([{"name": "lab", "region": "eastus", "pools": pools, "workload": _WORKLOAD}])[_RUN]
    assert (unit.usd, unit.basis) == (
        None,
        "no training rate of NVIDIA T4 16GB is known; workload.tflopsPerGpu states one",
    )
    assert _RUN not in _units(_fabric())
