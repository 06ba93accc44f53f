from __future__ import annotations

import pytest

from gpufleet.sizing import storage
from gpufleet.sizing.storage import checkpoint_tib, lustre, planned_lustre_tib
from gpufleet.spec.environment import Environment
from gpufleet.spec.storage import LustreSku
from gpufleet.spec.training import TrainingFabric, Workload
from tests.spec.environments import GONE, changed

_WORKLOAD = ("training", 0, "workload")
_LUSTRE = ("training", 0, "storage", "lustre")


def _fabric(changes: dict[tuple[str | int, ...], object]) -> TrainingFabric:
    return Environment.model_validate(changed(changes)).training[0]


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
def test_a_slow_reader_that_rarely_fails_gets_what_it_must_hold(
    parameters_b: float, dataset_tib: float, sku: LustreSku, capacity: float
) -> None:
    workload = {
        "parametersB": parameters_b,
        "tokensB": 1e6,
        "datasetTiB": dataset_tib,
        "readMbytesPerSecondPerGpu": 0.1,
        "failuresPerThousandNodeDays": 0.1,
    }
    found = lustre(_fabric({_WORKLOAD: workload}), sku)
    assert found is not None
    assert found.capacity_tib == capacity


def test_reads_can_decide_the_capacity() -> None:
    # 64 GPUs at 500 MB/s are 32 GB/s: 128 TiB at 250 MB/s per TiB.
    fabric = _fabric({(*_WORKLOAD, "readMbytesPerSecondPerGpu"): 500})
    assert planned_lustre_tib(fabric) == 128


def test_checkpoints_can_decide_the_capacity() -> None:
    # 8 nodes that fail every 46 h, restarts cost 0.18 %: for 2 % in all, √(2C/M) may be 1.83 %, so C 27.9 s. 14 TB in
    # that time are 502 GB/s, but the NICs of 8 nodes carry 80 GB/s: 320 TiB at 250 MB/s per TiB, no more.
    fast: dict[tuple[str | int, ...], object] = {
        (*_WORKLOAD, "parametersB"): 1000,
        (*_WORKLOAD, "failuresPerThousandNodeDays"): 65,
    }
    slow: dict[tuple[str | int, ...], object] = {**fast, (*_WORKLOAD, "checkpoint"): {"maxLossPercent": 20}}
    fast[(*_WORKLOAD, "checkpoint")] = {"maxLossPercent": 2}
    capacities = [planned_lustre_tib(_fabric(changes)) for changes in (fast, slow)]
    assert capacities == [320, 32]


def test_asynchronous_checkpoints_need_less() -> None:
    changes: dict[tuple[str | int, ...], object] = {
        (*_WORKLOAD, "parametersB"): 1000,
        (*_WORKLOAD, "failuresPerThousandNodeDays"): 65,
    }
    waiting = storage.needs(_fabric({**changes, (*_WORKLOAD, "checkpoint"): {"maxLossPercent": 2}}))
    behind = storage.needs(_fabric({**changes, (*_WORKLOAD, "checkpoint"): {"maxLossPercent": 2, "stallSeconds": 5}}))
    assert waiting is not None
    assert behind is not None
    assert waiting.write_bytes_per_s is not None
    assert behind.write_bytes_per_s is not None
    assert behind.write_bytes_per_s < waiting.write_bytes_per_s / 30


def test_a_loss_that_no_storage_reaches_sizes_for_what_it_holds() -> None:
    restart = {"maxLossPercent": 1, "restartSeconds": 86_400}
    fabric = _fabric({(*_WORKLOAD, "checkpoint"): restart})
    wanted = storage.needs(fabric)
    assert wanted is not None
    assert wanted.write_bytes_per_s is None
    assert planned_lustre_tib(fabric) == 8


def test_the_planned_capacity_is_the_stated_one_first() -> None:
    def planned(changes: dict[tuple[str | int, ...], object]) -> float | None:
        return planned_lustre_tib(Environment.model_validate(changed(changes)).training[0])

    assert planned({}) == 8
    assert planned({(*_LUSTRE, "capacityTiB"): 64}) == 64
    assert planned({_LUSTRE: GONE}) is None
    assert planned({_WORKLOAD: GONE}) is None
