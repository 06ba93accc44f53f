"""What NCCL and UCX are told on a series, and the PCIe topology that NCCL can't see in a virtual machine (data/)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from gpufleet.catalog.yaml_file import read_yaml

_DATA = Path(__file__).parent / "data"
# PCI class codes (PCI Code and ID Assignment Specification): 3D controller, InfiniBand controller, PCI bridge.
_GPU, _NIC, _SWITCH = "0x030200", "0x020700", "0x060400"
_MASK_BITS = 32


class _Row(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class _Common(_Row):
    source: str
    as_of: dt.date
    environment: dict[str, str]


class _Series(_Common):
    names: Annotated[list[str], Field(min_length=1)]


class _Environments(_Row):
    common: _Common
    series: list[_Series]


class _Cpu(_Row):
    arch: str
    vendor: str
    family: int
    model: int
    cpus_per_numa_node: int


class _Link(_Row):
    speed: str
    width: int


_BusId = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]


class _Switch(_Row):
    numa_node: int
    gpus: list[_BusId]
    nics: list[_BusId]


class _Topology(_Row):
    cpu: _Cpu
    link: _Link
    switches: Annotated[list[_Switch], Field(min_length=1)]


class _Topologies(_Row):
    as_of: dt.date
    topologies: dict[str, _Topology]


@lru_cache(maxsize=1)
def _environments() -> _Environments:
    return _Environments.model_validate(read_yaml(_DATA / "nccl.yaml"))


@lru_cache(maxsize=1)
def _topologies() -> Mapping[str, _Topology]:
    return _Topologies.model_validate(read_yaml(_DATA / "nccl_topology.yaml")).topologies


def environment(series: str) -> dict[str, str]:
    """Environment variables of a series with InfiniBand, in the order of the file.

    Raises:
        LookupError: nothing is known of the series.
    """
    known = _environments()
    for one in known.series:
        if series in one.names:
            return {**known.common.environment, **one.environment}
    raise LookupError(f"gpufleet/catalog/data/nccl.yaml has no series {series}")


def topology_file(name: str) -> str:
    """NCCL's topology file of that name: XML, as `NCCL_TOPO_FILE` wants it.

    Args:
        name: as in `NodeProfile.nccl_topology`, such as `ndv5-topo.xml`.

    Raises:
        LookupError: nothing is known of the file.
    """
    topology = _topologies().get(name)
    if topology is None:
        raise LookupError(f"gpufleet/catalog/data/nccl_topology.yaml has no topology {name}")
    system = ET.Element("system", version="1")
    link = {"link_speed": topology.link.speed, "link_width": str(topology.link.width)}
    nodes = 1 + max(switch.numa_node for switch in topology.switches)
    number = 0
    for numa_node, switches in groupby(topology.switches, key=lambda switch: switch.numa_node):
        cpu = ET.SubElement(
            system,
            "cpu",
            numaid=str(numa_node),
            affinity=_cpu_mask(numa_node, topology.cpu.cpus_per_numa_node, nodes),
            arch=topology.cpu.arch,
            vendor=topology.cpu.vendor,
            familyid=str(topology.cpu.family),
            modelid=str(topology.cpu.model),
        )
        for switch in switches:
            number += 1
            # The switch isn't visible in the virtual machine, so it has an address that no device has.
            bridge = ET.SubElement(cpu, "pci", {"busid": f"ffff:ff:{number:02x}.0", "class": _SWITCH, **link})
            for gpu, nic in zip(switch.gpus, switch.nics, strict=True):
                ET.SubElement(bridge, "pci", {"busid": gpu, "class": _GPU, **link})
                ET.SubElement(bridge, "pci", {"busid": nic, "class": _NIC, **link})
    ET.indent(system)
    return ET.tostring(system, encoding="unicode") + "\n"


def _cpu_mask(numa_node: int, cpus: int, nodes: int) -> str:
    """The CPUs of a NUMA node as the kernel writes masks: groups of 32 bits, highest first."""
    mask = ((1 << cpus) - 1) << (numa_node * cpus)
    groups = -(-cpus * nodes // _MASK_BITS)
    return ",".join(f"{(mask >> (_MASK_BITS * index)) & 0xFFFFFFFF:08x}" for index in reversed(range(groups)))
