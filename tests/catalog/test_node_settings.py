from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.catalog import sizes
from gpufleet.catalog.node_settings import Kind, Section, Setting, configuration, faults, settings

H100 = "Standard_ND96isr_H100_v5"
GB300 = "Standard_ND128isr_GB300_v6"


def test_what_pools_with_infiniband_get() -> None:
    found = configuration(sizes.get(H100))
    assert found.kubelet == {
        "cpuManagerPolicy": "static",
        "topologyManagerPolicy": "best-effort",
        "imageGcHighThreshold": 75,
        "imageGcLowThreshold": 60,
        "containerLogMaxSizeMB": 200,
        "containerLogMaxFiles": 10,
    }
    assert found.sysctls == {
        "fsAioMaxNr": 1048576,
        "netCoreRmemMax": 33554432,
        "netCoreWmemMax": 33554432,
        "vmMaxMapCount": 262144,
    }
    assert found.linux_os == {"transparentHugePageEnabled": "madvise", "transparentHugePageDefrag": "defer+madvise"}


def test_a_kernel_that_has_more_by_itself_is_left_alone() -> None:
    assert set(configuration(sizes.get(H100)).sysctls) - set(configuration(sizes.get(GB300)).sysctls) == {
        "vmMaxMapCount"
    }


@pytest.mark.parametrize("name", ["Standard_D32s_v5", "Standard_NC80adis_H100_v5", "Standard_ND96is_MI300X_v5"])
def test_other_pools_have_what_aks_gives_them(name: str) -> None:
    found = configuration(sizes.get(name))
    assert [dict(found.of(section)) for section in Section] == [{}, {}, {}]


def test_an_unknown_size_has_none() -> None:
    assert configuration(None).kubelet == {}


@pytest.mark.parametrize("name", [name for name in sizes.names() if sizes.get(name).rdma and sizes.get(name).is_gpu])
def test_the_defaults_are_what_aks_takes(name: str) -> None:
    found = configuration(sizes.get(name))
    assert found.kubelet
    for section in Section:
        assert list(faults(section, found.of(section))) == []


def test_kinds_and_bounds() -> None:
    kubelet, sysctls = settings(Section.KUBELET), settings(Section.SYSCTLS)
    assert (len(kubelet), len(sysctls), len(settings(Section.LINUX_OS))) == (10, 28, 2)
    assert kubelet["podMaxPids"].form == "a whole number of at least -1"
    assert sysctls["netIpv4TcpTwReuse"].form == "true or false"
    assert sysctls["fsFileMax"].takes(2**63 - 1)
    assert not sysctls["fsFileMax"].takes(2**63)


_INTEGERS = [one for section in Section for one in settings(section).values() if one.kind is Kind.INTEGER]


@given(setting=st.sampled_from(_INTEGERS), value=st.integers(-(2**65), 2**65))
def test_a_number_is_taken_where_it_is_within_the_bounds(setting: Setting, value: int) -> None:
    low, high = setting.low, setting.high
    assert setting.takes(value) is ((low is None or low <= value) and (high is None or value <= high))
    assert setting.takes(float(value)) is False
    assert setting.takes(str(value)) is False


@given(
    st.dictionaries(st.text(max_size=20), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats()))
)
def test_anything_is_judged_and_nothing_unknown_is_taken(given_: dict[str, object]) -> None:
    for section in Section:
        told = {name for name, _ in faults(section, given_)}
        assert told >= set(given_) - set(settings(section))
