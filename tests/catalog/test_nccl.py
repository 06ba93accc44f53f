from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from gpufleet.catalog import nccl, node_profiles, sizes

_WITH_INFINIBAND = sorted({size.series for name in sizes.names() if (size := sizes.get(name)).rdma and size.is_gpu})
_TOPOLOGIES = {"ndv5-topo.xml": (2, 8), "ndv4-topo.xml": (4, 4)}


@pytest.mark.parametrize("series", _WITH_INFINIBAND)
def test_every_series_has_an_environment(series: str) -> None:
    found = nccl.environment(series)
    assert (found["NCCL_SOCKET_IFNAME"], found["NCCL_DEBUG"]) == ("eth0", "WARN")
    assert "NCCL_TOPO_FILE" not in found


def test_the_values_that_azure_measured_with() -> None:
    h100 = nccl.environment("ND H100 v5")
    assert {name: h100[name] for name in ("NCCL_P2P_NET_CHUNKSIZE", "NCCL_MIN_NCHANNELS", "NCCL_COLLNET_ENABLE")} == {
        "NCCL_P2P_NET_CHUNKSIZE": "524288",
        "NCCL_MIN_NCHANNELS": "32",
        "NCCL_COLLNET_ENABLE": "1",
    }
    assert nccl.environment("ND MI300X v5")["RCCL_MSCCL_ENABLE"] == "0"


def test_an_unknown_series() -> None:
    with pytest.raises(LookupError, match="has no series ND X v1"):
        nccl.environment("ND X v1")
    with pytest.raises(LookupError, match=r"has no topology x\.xml"):
        nccl.topology_file("x.xml")


def test_every_topology_that_a_size_names_is_known() -> None:
    names = {
        profile.nccl_topology
        for name in sizes.names()
        if (profile := node_profiles.find(sizes.get(name))) is not None and profile.nccl_topology
    }
    assert names == set(_TOPOLOGIES)


@pytest.mark.parametrize("name", _TOPOLOGIES)
def test_topology_files(name: str) -> None:
    numa_nodes, switches = _TOPOLOGIES[name]
    root = ET.fromstring(nccl.topology_file(name))
    assert (root.tag, root.attrib) == ("system", {"version": "1"})
    assert [cpu.get("numaid") for cpu in root] == [str(number) for number in range(numa_nodes)]
    bridges = [bridge for cpu in root for bridge in cpu]
    assert [bridge.get("busid") for bridge in bridges] == [f"ffff:ff:{n:02x}.0" for n in range(1, switches + 1)]
    devices = [device for bridge in bridges for device in bridge]
    for device_class in ("0x030200", "0x020700"):
        buses = [device.get("busid") for device in devices if device.get("class") == device_class]
        assert len(set(buses)) == len(buses) == 8
    # Every CPU is on one NUMA node, and all 96 are on some.
    masks = [int((cpu.get("affinity") or "").replace(",", ""), 16) for cpu in root]
    assert sum(masks) == 2**96 - 1
    assert all((one & other) == 0 for one in masks for other in masks if one is not other)


def test_masks_are_the_kernels() -> None:
    root = ET.fromstring(nccl.topology_file("ndv5-topo.xml"))
    assert [cpu.get("affinity") for cpu in root] == ["00000000,0000ffff,ffffffff", "ffffffff,ffff0000,00000000"]
    older = ET.fromstring(nccl.topology_file("ndv4-topo.xml"))
    assert older[2].get("affinity") == "000000ff,ffff0000,00000000"
