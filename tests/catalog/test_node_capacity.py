from __future__ import annotations

import pytest

from gpufleet.catalog import node_capacity, sizes


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("Standard_ND96isr_H100_v5", (90, 1800, "nvidia.com/gpu", 8, 8)),
        ("Standard_ND96isr_MI300X_v5", (90, 1750, "amd.com/gpu", 8, 8)),
        ("Standard_ND128isr_GB300_v6", (120, 810, "nvidia.com/gpu", 4, 4)),
        ("Standard_NC80adis_H100_v5", (75, 606, "nvidia.com/gpu", 2, 0)),
        ("Standard_ND96is_MI300X_v5", (90, 1752, "amd.com/gpu", 8, 0)),
    ],
)
def test_a_node(size: str, expected: tuple[int, int, str, int, int]) -> None:
    found = node_capacity.of(sizes.get(size))
    assert (found.cpus, found.memory_gib, found.gpu_resource, found.gpus, found.rdma_devices) == expected


def test_every_gpu_size_leaves_something_and_takes_no_more_than_it_has() -> None:
    for size in (sizes.get(name) for name in sizes.names()):
        if not size.is_gpu:
            with pytest.raises(ValueError, match="has no GPU"):
                node_capacity.of(size)
            continue
        found = node_capacity.of(size)
        assert 0 < found.cpus < size.vcpus, size.name
        assert 0 < found.memory_gib < size.memory_gib, size.name
        assert (found.rdma_devices > 0) == size.rdma, size.name
