from __future__ import annotations

from fractions import Fraction

import pytest

from gpufleet.catalog import sizes
from gpufleet.catalog.sizes import InfinibandFeature, UnknownSizeError


def test_the_h100_node() -> None:
    size = sizes.get("Standard_ND96isr_H100_v5")
    assert (size.gpus, size.vcpus, size.memory_gib, size.rdma) == (8, 96, 1900, True)
    assert (size.gpu_model, size.gpu_vendor, size.gpu_memory_gb) == ("NVIDIA H100 SXM5 80GB", "NVIDIA", 80)
    assert (size.quota_family, size.infiniband_gbits_per_s) == ("standardNDSH100v5Family", 3200)
    assert (size.is_nd, size.is_gpu, size.infiniband_feature) == (True, True, InfinibandFeature.REGISTERED)


def test_a_sixth_of_a_gpu_is_one_device() -> None:
    size = sizes.get("Standard_NV6ads_A10_v5")
    assert (size.gpus, size.gpu_share) == (1, Fraction(1, 6))


def test_a_cpu_size() -> None:
    size = sizes.get("Standard_D32s_v5")
    assert (size.gpus, size.gpu_share, size.gpu_model, size.gpu_vendor) == (0, Fraction(0), None, None)
    assert (size.rdma, size.is_gpu, size.is_nd, size.infiniband_feature) == (
        False,
        False,
        False,
        InfinibandFeature.INDIFFERENT,
    )


@pytest.mark.parametrize("name", ["Standard_ND128isr_NDR_GB200_v6", "Standard_ND128isr_GB300_v6"])
def test_grace_blackwell_wants_the_feature_off(name: str) -> None:
    assert sizes.get(name).infiniband_feature is InfinibandFeature.UNREGISTERED


@pytest.mark.parametrize(
    ("name", "rdma"),
    [
        ("Standard_ND96is_H100_v5", False),
        ("Standard_ND96is_noIB_H100_v5", False),
        ("Standard_ND96is_flex_H100_v5", False),
        ("Standard_ND96isf_H100_v5", False),
        ("Standard_ND96isrf_H100_v5", True),
        ("Standard_HB120rs_v3", True),
    ],
)
def test_infiniband_follows_the_r_in_the_name(name: str, rdma: bool) -> None:
    assert sizes.get(name).rdma is rdma


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("standard_nd96ISR_h100_v5", "Standard_ND96isr_H100_v5"),
        ("ND96isr H100 v5", "Standard_ND96isr_H100_v5"),
        ("Standard_D32_v5", "Standard_D32s_v5"),
        ("Standard_NC4as", "Standard_NC4as_T4_v3"),
        ("x" * 100_000, None),
        ("", None),
    ],
)
def test_the_nearest(name: str, near: str | None) -> None:
    assert sizes.nearest(name) == near


def test_an_unknown_size() -> None:
    assert sizes.find("Standard_D32_v5") is None
    with pytest.raises(
        UnknownSizeError, match=r"no VM size 'Standard_D32_v5' in the catalogue; the nearest is Standard_D32s_v5"
    ):
        sizes.get("Standard_D32_v5")
