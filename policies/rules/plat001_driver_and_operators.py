"""PLAT001: GPU driver and operators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.graph import Node
from policies.in_cluster import charts, inside
from policies.reading import UndecidedError, may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View

_GPU_OPERATOR = "gpu-operator"
_NETWORK_OPERATOR = "network-operator"
_NIC_POLICY = "mellanox.com/NicClusterPolicy"
_DAEMON_SET = "apps/DaemonSet"
_PEERMEM_LOADER = "nvidia-peermem-loader"
_NETWORK_STACK_MISSING = "Add the Network Operator and a NicClusterPolicy to the cluster, as RdmaStack does"


class DriverAndOperators(Rule[Pool, Settings]):
    """A GPU pool has one owner of its driver: AKS, or the GPU Operator, and with InfiniBand the Network Operator too.

    The driver that AKS installs and the GPU Operator's exclude each other, and a GPU node without a driver shows no
    `nvidia.com/gpu`: it bills, runs nothing, and can stop scale-up of the whole cluster (kubernetes/autoscaler#10301).
    GPUDirect RDMA needs `nvidia-peermem`, which AKS's driver does not load, so a pool with InfiniBand has a GPU
    Operator with `driver.rdma.enabled`, or AKS's driver and a daemon set `nvidia-peermem-loader`; either way a Network
    Operator and a NicClusterPolicy.
    `managementMode: Managed` installs AKS's driver whatever `driver` says, and knows no autoscaling.
    """

    id = "PLAT001"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Set gpuProfile.driver to None and let the GPU Operator own the driver"
    source = "Azure/aks-rdma-infiniband gpu-drivers, AKS aks-managed-gpu-nodes, kubernetes/autoscaler#10301"

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of NVIDIA sizes, and those whose size can't be read."""
        return may(view.pools, lambda pool: pool.size.gpu_vendor == "NVIDIA")

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """Its driver, and the operators of its cluster."""
        if subject.size.gpu_vendor != "NVIDIA":
            return
        own = (subject.properties.text("gpuProfile", "driver") or "Install").casefold() == "none"
        managed = (subject.properties.text("gpuProfile", "nvidia", "managementMode") or "").casefold() == "managed"
        if managed and own:
            yield Objection(
                message=f"{subject.name} has driver None and managementMode Managed, which installs AKS's driver all "
                "the same",
                fix="Leave managementMode out",
            )
        if managed and subject.autoscaled:
            yield Objection(
                message=f"{subject.name} has managementMode Managed, which knows no autoscaling",
                fix="Leave managementMode out, or give the pool a fixed number of nodes",
                setting=("nodes",),
            )
        if subject.cluster is None:
            raise UndecidedError(f"which cluster {subject.name} belongs to is not known")
        yield from _of_operator(subject, view, subject.cluster, own=own)
        if subject.size.rdma:
            yield from _of_rdma(subject, view, subject.cluster, own=own)


def _of_operator(pool: Pool, view: View, cluster: Node, *, own: bool) -> Iterator[Objection]:
    operators = charts(view, cluster, _GPU_OPERATOR)
    drives = any(chart.flag("driver", "enabled", default=True) for chart in operators)
    if own and not drives:
        has = "a GPU Operator without its driver" if operators else "no GPU Operator"
        yield Objection(
            message=f"{pool.name} has driver None and its cluster {has}: its nodes get no driver",
            fix="Add the GPU Operator with its driver to the cluster",
        )
    if not own and drives:
        yield Objection(
            message=f"{pool.name} has AKS's driver and its cluster the GPU Operator's, which exclude each other"
        )


def _of_rdma(pool: Pool, view: View, cluster: Node, *, own: bool) -> Iterator[Objection]:
    operators = charts(view, cluster, _GPU_OPERATOR)
    if not own and not any(
        one.properties.text("metadata", "name") == _PEERMEM_LOADER for one in inside(view, cluster, _DAEMON_SET)
    ):
        yield Objection(
            message=f"{pool.name} has InfiniBand and AKS's driver, which loads no nvidia-peermem: no GPUDirect RDMA",
            fix="Set gpuProfile.driver to None and let the GPU Operator own the driver, or load nvidia-peermem by a "
            f"daemon set {_PEERMEM_LOADER}, as ManagedGpu does",
        )
    if own and operators and not any(chart.flag("driver", "rdma", "enabled", default=False) for chart in operators):
        yield Objection(
            message=f"{pool.name} has InfiniBand and its GPU Operator driver.rdma.enabled off: no GPUDirect RDMA",
            fix="Set driver.rdma.enabled in the GPU Operator's values",
        )
    if not charts(view, cluster, _NETWORK_OPERATOR):
        yield Objection(
            message=f"{pool.name} has InfiniBand and its cluster no Network Operator", fix=_NETWORK_STACK_MISSING
        )
    if not inside(view, cluster, _NIC_POLICY):
        yield Objection(
            message=f"{pool.name} has InfiniBand and its cluster no NicClusterPolicy", fix=_NETWORK_STACK_MISSING
        )
