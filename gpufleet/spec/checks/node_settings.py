"""Kubelet and kernel settings of pools: names and ranges of AKS, and pairs that can't work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpufleet.catalog import sizes
from gpufleet.catalog.node_settings import Section, faults
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import pools_of
from gpufleet.spec.environment import Environment
from gpufleet.spec.node_settings import node_configuration
from gpufleet.spec.pool import Pool
from gpufleet.spec.problem import Problem

_SOURCE = "AKS custom-node-configuration-reference"


def check_node_settings(environment: Environment) -> Iterator[Problem]:
    """Settings of every pool, each by itself and with the defaults of its size."""
    for placed in pools_of(environment):
        for section in Section:
            yield from _section(placed.pool, placed.path, section)
        yield from _numa(placed.pool, placed.path)


def _section(pool: Pool, path: Path, section: Section) -> Iterator[Problem]:
    stated = _stated(pool)[section]
    if not stated:
        return
    for name, reason in faults(section, {**node_configuration(pool).of(section)}):
        # A pair may be wrong by the value that is not stated: the fault then stands at the whole section.
        where = (*path, section.value, name) if name in stated else (*path, section.value)
        yield Problem(
            path=where,
            message=reason if name in stated else f"{name} {reason}",
            fix="Take a name and a value of AKS's reference",
            source=_SOURCE,
            reads=((*path, "sku"), (*path, section.value)),
        )


def _numa(pool: Pool, path: Path) -> Iterator[Problem]:
    size = sizes.find(pool.sku)
    if size is None or not size.rdma or pool.kubelet.get("topologyManagerPolicy") != "single-numa-node":
        return
    yield Problem(
        path=(*path, "kubelet", "topologyManagerPolicy"),
        message=f"the {size.gpus} GPUs of {size.name} are on several NUMA nodes, so single-numa-node would refuse "
        "every pod that takes them all",
        fix="Use best-effort, the default of this size",
        source="Kubernetes docs: topology-manager",
        reads=((*path, "sku"),),
    )


def _stated(pool: Pool) -> Mapping[Section, Mapping[str, object]]:
    return {Section.KUBELET: pool.kubelet, Section.SYSCTLS: pool.sysctls, Section.LINUX_OS: pool.linux_os}
