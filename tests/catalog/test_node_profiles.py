from __future__ import annotations

import pytest

from gpufleet.catalog import node_profiles, sizes
from gpufleet.catalog.node_profiles import DynamicResourceAllocation


def test_every_gpu_size_with_infiniband_has_a_profile_that_agrees_with_its_bandwidth():
    for name in sizes.names():
        size = sizes.get(name)
        profile = node_profiles.find(size)
        assert (profile is not None) == (size.rdma and size.is_gpu), name
        if profile is not None:
            # One virtual function a GPU: 200, 400 or 800 Gb/s each.
            assert profile.rdma_devices == size.gpus, name
            assert size.infiniband_gbits_per_s / profile.rdma_devices in {200, 400, 800}, name
            assert profile.allocatable_cpus < size.vcpus
            assert profile.allocatable_memory_gib < size.memory_gib


@pytest.mark.parametrize(
    ("sku", "resource", "dra", "rack", "os_sku"),
    [
        ("Standard_ND96isr_H100_v5", "nvidia.com/gpu", DynamicResourceAllocation.OPTIONAL, None, "Ubuntu"),
        ("Standard_ND96isr_MI300X_v5", "amd.com/gpu", DynamicResourceAllocation.NO, None, "Ubuntu"),
        ("Standard_ND128isr_GB300_v6", "nvidia.com/gpu", DynamicResourceAllocation.REQUIRED, 18, "Ubuntu2404"),
    ],
)
def test_what_differs(sku: str, resource: str, dra: DynamicResourceAllocation, rack: int | None, os_sku: str):
    profile = node_profiles.find(sizes.get(sku))
    assert profile is not None
    assert (profile.gpu_resource, profile.dra, profile.nvlink_rack_nodes, profile.os_sku) == (
        resource,
        dra,
        rack,
        os_sku,
    )
