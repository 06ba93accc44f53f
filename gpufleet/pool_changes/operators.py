"""What another operator set, or GPU stack, does to the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gpufleet.catalog import operator_sets, sizes
from gpufleet.catalog.operator_sets import OperatorSet
from gpufleet.cost.item import Item
from gpufleet.pool_changes.pools import AgentPool, agent_pools_of, scope_names

_RELEASE = "kubernetes:helm.sh/v3:Release"
_NIC_POLICY = "kubernetes:mellanox.com/v1alpha1:NicClusterPolicy"
_DAEMON_SET = "kubernetes:apps/v1:DaemonSet"


class Effect(StrEnum):
    """What a new version of a part does to nodes. None of them drains one."""

    SYSTEM_POOL = "system-pool"
    """Controllers alone: pods of the system pool restart."""
    ROLLING = "rolling"
    """Node agents restart, one node at a time; what runs on the node goes on (update strategy RollingUpdate)."""
    NEW_NODES = "new-nodes"
    """A node keeps its driver until its driver pod is deleted or the node is a new one: the drivers' daemon sets have
    the update strategy OnDelete (NVIDIA/gpu-operator assets/state-driver, Mellanox/network-operator
    manifests/state-ofed-driver), and automatic upgrades are off."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    name: str
    effect: Effect
    infiniband: bool = False
    """Whether it is on nodes with InfiniBand alone."""
    vendor: str = "NVIDIA"


_GPU_OPERATOR = _Part(name="GPU Operator", effect=Effect.ROLLING)
_GPU_DRIVER = _Part(name="GPU driver", effect=Effect.NEW_NODES)
_CHARTS: Mapping[str, _Part] = {
    "gpu-operator": _GPU_OPERATOR,
    "nvidia-dra-driver-gpu": _Part(name="DRA driver", effect=Effect.ROLLING),
    "nvidia-device-plugin": _Part(name="GPU device plugin", effect=Effect.ROLLING),
    "dcgm-exporter": _Part(name="DCGM exporter", effect=Effect.ROLLING),
    "network-operator": _Part(name="Network Operator", effect=Effect.SYSTEM_POOL, infiniband=True, vendor=""),
    "gpu-operator-charts": _Part(name="AMD GPU Operator", effect=Effect.ROLLING, vendor="AMD"),
}
_OFED = _Part(name="OFED driver", effect=Effect.NEW_NODES, infiniband=True, vendor="")
_RDMA_PLUGIN = _Part(name="InfiniBand device plugin", effect=Effect.ROLLING, infiniband=True, vendor="")
_AMD_DRIVER = _Part(name="AMD driver", effect=Effect.NEW_NODES, vendor="AMD")


@dataclass(frozen=True, kw_only=True)
class TouchedPool:
    """A pool of the specification that has such nodes, all of its agent pools together."""

    pool: str
    least: int | None
    most: int | None


@dataclass(frozen=True, kw_only=True)
class PartChange:
    """One part of the stack that changes its version; "" where it comes or goes."""

    part: str
    old: str
    new: str
    effect: Effect
    pools: tuple[TouchedPool, ...]


@dataclass(frozen=True, kw_only=True)
class OperatorChange:
    """What changes in one cluster.

    Attributes:
        scope: name of the fabric or inference region.
        old_set: name of the operator set before, "" where the versions are of no set.
        new_set: the same after.
    """

    scope: str
    old_set: str
    new_set: str
    parts: tuple[PartChange, ...]


def operator_changes(before: Iterable[Item], after: Iterable[Item]) -> list[OperatorChange]:
    """The clusters whose operators change; a cluster that has none yet is none of them.

    Args:
        before: resources and components of a stack as it is.
        after: as a run leaves them.
    """
    olds, news = list(before), list(after)
    was, will = _versions(olds), _versions(news)
    pools: dict[str, list[AgentPool]] = {}
    for pool in agent_pools_of(news):
        pools.setdefault(pool.scope, []).append(pool)
    found = []
    for scope, old in was.items():
        new = will.get(scope, {})
        parts = tuple(
            PartChange(
                part=part.name,
                old=old.get(part, ""),
                new=new.get(part, ""),
                effect=part.effect,
                pools=tuple(_touched(part, pools.get(scope, []))),
            )
            for part in dict.fromkeys([*old, *new])
            if old.get(part) != new.get(part)
        )
        if parts:
            found.append(OperatorChange(scope=scope, old_set=_set_of(old), new_set=_set_of(new), parts=parts))
    return found


def change_lines(change: OperatorChange) -> list[str]:
    """For people: the sets, then each part."""
    sets = f"set {change.old_set or 'unknown'} -> {change.new_set or 'unknown'}"
    if change.old_set == change.new_set:
        sets = f"set {change.new_set}" if change.new_set else "no known set"
    return [f"operators of {change.scope}: {sets}", *(f"  {_part_line(part)}" for part in change.parts)]


def change_document(change: OperatorChange) -> dict[str, object]:
    """As JSON."""
    return {
        "scope": change.scope,
        "oldSet": change.old_set or None,
        "newSet": change.new_set or None,
        "parts": [
            {
                "part": part.part,
                "old": part.old or None,
                "new": part.new or None,
                "effect": part.effect.value,
                "pools": [{"pool": one.pool, "leastNodes": one.least, "mostNodes": one.most} for one in part.pools],
            }
            for part in change.parts
        ],
    }


def touches_operators(type_: str) -> bool:
    """Whether a resource of this type may be a part of the GPU stack."""
    return type_ in {_RELEASE, _NIC_POLICY, _DAEMON_SET}


def _part_line(part: PartChange) -> str:
    if not part.new:
        return f"{part.part} {part.old} goes"
    what = f"{part.part} {part.old} -> {part.new}" if part.old else f"{part.part} {part.new} is new"
    where = ", ".join(f"{one.pool} ({_nodes(one)})" for one in part.pools) or "no pool"
    match part.effect:
        case Effect.SYSTEM_POOL:
            return f"{what}: controllers restart on the system pool"
        case Effect.ROLLING:
            return f"{what}: agents restart node by node on {where}; running jobs go on"
        case Effect.NEW_NODES:
            return f"{what}: nodes of {where} change when their driver pod is deleted or they are new; none is drained"


def _nodes(pool: TouchedPool) -> str:
    if pool.least is None or pool.most is None:
        return "nodes unknown"
    return f"{pool.most} nodes" if pool.least == pool.most else f"{pool.least}-{pool.most} nodes"


def _touched(part: _Part, pools: Iterable[AgentPool]) -> Iterator[TouchedPool]:
    found: dict[str, list[AgentPool]] = {}
    for pool in pools:
        size = sizes.find(pool.size)
        if (
            size is not None
            and size.is_gpu
            and part.vendor in ("", size.gpu_vendor)
            and (size.rdma or not part.infiniband)
        ):
            found.setdefault(pool.pool, []).append(pool)
    for name, several in found.items():
        yield TouchedPool(pool=name, least=_sum(one.least for one in several), most=_sum(one.most for one in several))


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(one for one in known if one is not None)


def _versions(items: list[Item]) -> dict[str, dict[_Part, str]]:
    """The version of every part, by scope."""
    scopes = scope_names(items)
    found: dict[str, dict[_Part, str]] = {}
    for item in items:
        if item.urn in scopes and touches_operators(item.type):
            for part, version in _of_resource(item):
                found.setdefault(scopes[item.urn], {})[part] = version
    return found


def _of_resource(item: Item) -> Iterator[tuple[_Part, str]]:
    properties, type_ = item.properties, item.type
    if type_ == _RELEASE:
        part = _CHARTS.get(str(properties.get("chart")))
        if part is not None:
            yield part, str(properties.get("version"))
        driver = _at(properties, "values", "driver", "version")
        if part is _GPU_OPERATOR and driver:
            yield _GPU_DRIVER, driver
    elif type_ == _NIC_POLICY:
        if ofed := _at(properties, "spec", "ofedDriver", "version"):
            yield _OFED, ofed
        for plugin in ("sriovDevicePlugin", "rdmaSharedDevicePlugin"):
            if version := _at(properties, "spec", plugin, "version"):
                yield _RDMA_PLUGIN, f"{_at(properties, 'spec', plugin, 'image')} {version}"
    elif _at(properties, "metadata", "name") == "amdgpu-driver-installer":
        yield from ((_AMD_DRIVER, version) for version in _environment(properties, "VERSION"))


def _environment(properties: object, name: str) -> Iterator[str]:
    for step in ("spec", "template", "spec"):
        properties = properties.get(step) if isinstance(properties, Mapping) else None
    containers = properties.get("containers") if isinstance(properties, Mapping) else None
    for container in containers if isinstance(containers, list) else []:
        variables = container.get("env") if isinstance(container, Mapping) else None
        for variable in variables if isinstance(variables, list) else []:
            if isinstance(variable, Mapping) and variable.get("name") == name:
                yield str(variable.get("value"))


def _at(value: object, *path: str) -> str:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def _set_of(versions: Mapping[_Part, str]) -> str:
    """The newest set that has all of these versions, "" when none has."""
    for one in operator_sets.all_sets():
        if versions and all(version in _known(one, part) for part, version in versions.items()):
            return one.name
    return ""


def _known(one: OperatorSet, part: _Part) -> set[str]:
    """What a part's version may be in a set."""
    managed, amd = one.managed, one.amd
    known: Mapping[str, tuple[str | None, ...]] = {
        "GPU Operator": (one.gpu_operator.version,),
        "GPU driver": (one.gpu_driver.version,),
        "DRA driver": (one.dra_driver.version if one.dra_driver else None,),
        "GPU device plugin": (managed.device_plugin.version if managed else None,),
        "DCGM exporter": (managed.dcgm_exporter.version if managed else None,),
        "Network Operator": (one.network_operator.version,),
        "OFED driver": (one.ofed_driver.version,),
        "InfiniBand device plugin": tuple(
            f"{image.image} {image.version}" for image in (one.sriov_device_plugin, one.shared_device_plugin)
        ),
        "AMD GPU Operator": (amd.gpu_operator.version if amd else None,),
        "AMD driver": (amd.driver.version if amd else None,),
    }
    return {version for version in known[part.name] if version is not None}
