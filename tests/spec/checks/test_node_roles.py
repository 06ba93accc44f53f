from __future__ import annotations

import pytest

from gpufleet.spec.base import Priority
from gpufleet.spec.pool import Pool
from gpufleet.spec.scratch import scratch_gb
from tests.spec.environments import DATA, POOL, SERVE, Case, cases, judge


@cases(
    Case(
        "scratch without a disk",
        {(*DATA, "scratch"): "raid0"},
        "training[0].pools[1].scratch",
        "Standard_D32s_v5 has no local NVMe disks that any source knows of",
        {(*DATA, "scratch"): "none", (*POOL, "scratch"): "raid0"},
    ),
    Case(
        "scratch outside of training",
        {(*SERVE, "scratch"): "raid0"},
        "inference.regions[0].pools[0].scratch",
        "only training fabrics have scratch",
        {(*SERVE, "scratch"): "none"},
    ),
    Case(
        "data preparation outside of training",
        {
            ("inference", "regions", 0, "pools", 1): {
                "name": "prep", "sku": "Standard_D32s_v5", "role": "data-preparation", "nodes": {"min": 0, "max": 2},
            }
        },
        "inference.regions[0].pools[1].role",
        "only training fabrics prepare data",
    ),
    Case(
        "data preparation on GPUs",
        {(*POOL, "role"): "data-preparation", (*POOL, "nodes"): {"min": 0, "max": 8}, (*POOL, "priority"): "regular"},
        "training[0].pools[0].role",
        "Standard_ND96isr_H100_v5 has GPUs, and data preparation is for CPU sizes",
        {(*DATA, "role"): "data-preparation"},
    ),
    Case(
        "data preparation that never ends",
        {(*DATA, "role"): "data-preparation", (*DATA, "nodes"): {"min": 1, "max": 4}},
        "training[0].pools[1].nodes",
        "a pool for data preparation scales to zero",
        {(*DATA, "role"): "data-preparation", (*DATA, "nodes"): {"min": 0, "max": 4}},
    ),
    Case(
        "data preparation of a fixed size",
        {(*DATA, "role"): "data-preparation", (*DATA, "nodes"): 4},
        "training[0].pools[1].nodes",
        "a pool for data preparation scales to zero",
    ),
)  # fmt: skip
def test_node_roles(case: Case) -> None:
    judge(case)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Priority.REGULAR),
        ({"role": "general"}, Priority.REGULAR),
        ({"role": "data-preparation"}, Priority.SPOT),
        ({"role": "data-preparation", "priority": "regular"}, Priority.REGULAR),
        ({"role": "general", "priority": "spot"}, Priority.SPOT),
    ],
)
def test_data_preparation_is_spot_unless_stated(given: dict[str, str], expected: Priority) -> None:
    pool = Pool.model_validate({"name": "prep", "sku": "Standard_D32s_v5", "nodes": {"min": 0, "max": 4}, **given})

    assert pool.priority is expected


@pytest.mark.parametrize(
    ("sku", "scratch", "expected"),
    [
        ("Standard_ND96isr_H100_v5", None, 30720),
        ("Standard_ND96isr_H100_v5", "raid0", 30720),
        ("Standard_ND96isr_H100_v5", "none", 0),
        ("Standard_D32s_v5", None, 0),
        ("Standard_Unknown", None, 0),
    ],
)
def test_scratch_is_the_local_nvme(sku: str, scratch: str | None, expected: float) -> None:
    pool = Pool.model_validate({"name": "pool", "sku": sku, "nodes": 1, "scratch": scratch})

    assert scratch_gb(pool) == expected
