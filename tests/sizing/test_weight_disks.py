"""Weights that a node may get at once, against its disks."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.sizing import weight_disks
from gpufleet.sizing.weight_disks import overfull_disks
from gpufleet.spec.inference import Inference

_A100 = "Standard_NC24ads_A100_v4"
"""One GPU of 80 GB, 960 GB of NVMe."""
_ND_H100 = "Standard_ND96isr_H100_v5"


def inference(size: str, *parameters: float, **weights: str) -> Inference:
    """Models of so many billion parameters in fp8 on one pool."""
    models: list[dict[str, Any]] = [
        {
            "name": f"m{index}",
            "parametersB": one,
            "precision": "fp8",
            "contextTokens": 1024,
            "concurrency": 1,
            "demandTokensPerSecond": 10,
            "architecture": {"layers": 10, "kvHeads": 8, "headDim": 64},
            "tokensPerSecondPerGpu": {size: 1000},
            "image": f"vllm/vllm-openai@sha256:{'0' * 64}",
            "weights": {"artifact": f"models/m{index}@sha256:{index:064x}", **weights},
        }
        for index, one in enumerate(parameters)
    ]
    pools = [{"name": "gpu", "sku": size, "nodes": 4}]
    return Inference.model_validate({"models": models, "regions": [{"name": "eastus", "pools": pools}]})


def test_one_server_of_a_gpu_is_within_its_disk() -> None:
    assert list(overfull_disks(inference(_A100, 60, 60))) == []


def test_the_worst_node_is_named_with_the_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """No size of the catalogue has so small a disk, so this one gets it here: 100 GB for eight GPUs."""
    monkeypatch.setattr(weight_disks, "scratch_gb", lambda pool: 100.0 if pool.name == "gpu" else 0.0)
    (found,) = overfull_disks(inference(_ND_H100, 60, 50))
    assert found.rule == "model-fit"
    assert found.path == ("inference", "regions", 0, "pools", 0, "sku")
    assert found.message == (
        "a node of gpu can get weights of 110 GB (m0-fp8-nd96isr-h100-v5 60 GB + m1-fp8-nd96isr-h100-v5 50 GB), and "
        "its local disks have 100 GB"
    )
    assert found.amount == 10


def test_weights_in_blob_storage_take_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_disks, "scratch_gb", lambda _: 1.0)
    assert list(overfull_disks(inference(_ND_H100, 60, cache="blob"))) == []
