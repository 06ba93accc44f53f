from __future__ import annotations

import pytest

from gpufleet.sizing.storage import checkpoint_tib, lustre_capacity_tib, planned_lustre_tib
from gpufleet.spec.environment import Environment
from gpufleet.spec.storage import LustreSku
from gpufleet.spec.training import Workload
from tests.spec.environments import GONE, changed


def _workload(parameters_b: float, dataset_tib: float) -> Workload:
    return Workload.model_validate({"parametersB": parameters_b, "tokensB": 1, "datasetTiB": dataset_tib})


def test_a_checkpoint_of_70_billion_parameters_is_980_gigabytes() -> None:
    assert checkpoint_tib(_workload(70, 1)) * 2**40 == pytest.approx(980e9)


@pytest.mark.parametrize(
    ("parameters_b", "dataset_tib", "sku", "capacity"),
    [
        (70, 40, LustreSku.DURABLE_PREMIUM_250, 48),
        (70, 40, LustreSku.DURABLE_PREMIUM_500, 44),
        (70, 40, LustreSku.DURABLE_PREMIUM_40, 48),
        (70, 46.3, LustreSku.DURABLE_PREMIUM_40, 96),
        (1e-6, 1e-6, LustreSku.DURABLE_PREMIUM_125, 16),
        (1e-6, 5000, LustreSku.DURABLE_PREMIUM_125, 5008),
    ],
)
def test_capacity(parameters_b: float, dataset_tib: float, sku: LustreSku, capacity: float) -> None:
    assert lustre_capacity_tib(_workload(parameters_b, dataset_tib), sku) == capacity


def test_the_planned_capacity_is_the_stated_one_first() -> None:
    lustre = ("training", 0, "storage", "lustre")

    def planned(changes: dict[tuple[str | int, ...], object]) -> float | None:
        return planned_lustre_tib(Environment.model_validate(changed(changes)).training[0])

    assert planned({}) == 8
    assert planned({(*lustre, "capacityTiB"): 64}) == 64
    assert planned({lustre: GONE}) is None
    assert planned({("training", 0, "workload"): GONE}) is None
