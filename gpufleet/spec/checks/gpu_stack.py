"""The GPU stack: which operator set, Kubernetes minor and pools go together."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import node_profiles, operator_sets, sizes
from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.catalog.node_profiles import DynamicResourceAllocation, NodeProfile
from gpufleet.catalog.operator_sets import OperatorSet
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.gpu_stack import GpuNeeds, gpu_needs, operator_set
from gpufleet.spec.pool import Pool
from gpufleet.spec.problem import Problem

_OS = "AKS docs: nvidia-gpu-operator"
_RACK = "Azure/ai-infrastructure-on-azure infrastructure_references/aks/README.md, section 6"
_MANAGED = "AKS docs: use-nvidia-gpu; Azure/aks-rdma-infiniband tests/README.md"


def check_gpu_stacks(environment: Environment) -> Iterator[Problem]:
    """Set, Kubernetes minor and pools of each cluster against its `gpuStack`."""
    for scope in scopes(environment):
        needs = gpu_needs(scope.pools)
        yield from _named_set(scope)
        if needs.any:
            unfit = [*_pools(scope)]
            yield from unfit
            if not unfit:
                yield from _set(scope, needs)
            yield from _one_system(scope, needs)


def _named_set(scope: Scope) -> Iterator[Problem]:
    name = scope.cluster.operator_set
    if name is not None and operator_sets.find(name) is None:
        names = ", ".join(one.name for one in operator_sets.all_sets())
        yield Problem(
            path=_at(scope, "operatorSet"), message=f"there is no operator set {name}", fix=f"Use one of {names}"
        )


def _pools(scope: Scope) -> Iterator[Problem]:
    """Pools that can't run on the stack, whatever the set."""
    stack = scope.cluster.gpu_stack
    for index, pool in enumerate(scope.pools):
        size, path = sizes.find(pool.sku), (*scope.path, "pools", index, "sku")
        if size is None or not size.is_gpu:
            continue
        profile = node_profiles.find(size)
        if profile and profile.dra is DynamicResourceAllocation.REQUIRED and stack is not GpuStack.OPERATOR_DRA:
            yield Problem(
                path=_at(scope, "gpuStack"),
                message=f"pool {pool.name} of {pool.sku} needs operator-dra, not {stack}: its racks' NVLink is a "
                "resource of Dynamic Resource Allocation",
                fix="Set gpuStack to operator-dra",
                source=_RACK,
                reads=(_at(scope, "gpuStack"), path),
            )
        if size.gpu_vendor == "AMD" and stack is not GpuStack.OPERATOR:
            reason = (
                "AKS installs NVIDIA's driver alone"
                if stack is GpuStack.MANAGED
                else "no source tried AMD's DRA driver on AKS"
            )
            yield Problem(
                path=path,
                message=f"{pool.sku} has AMD GPUs, and with gpuStack {stack} nobody brings their driver: {reason}",
                fix="Set gpuStack to operator, or put the pool into a fabric of its own",
                source=_MANAGED,
                reads=(path, _at(scope, "gpuStack")),
            )


def _set(scope: Scope, needs: GpuNeeds) -> Iterator[Problem]:
    stack, found = scope.cluster.gpu_stack, operator_set(scope.cluster, scope.pools)
    reads = (_at(scope, "gpuStack"), _at(scope, "operatorSet"), (*scope.path, "pools"))
    if found is None:
        if scope.cluster.operator_set is None:
            yield Problem(
                path=_at(scope, "gpuStack"),
                message=f"no operator set has what {stack} and these pools need together",
                fix="Put the pools into several fabrics, each with one kind of GPU",
                reads=reads,
            )
        return
    if lacking := _lacking(found, stack, needs):
        better = operator_sets.newest(stack, amd=needs.amd, architectures=needs.architectures)
        yield Problem(
            path=_at(scope, "operatorSet"),
            message=f"operator set {found.name} {lacking}",
            fix=f"Use {better.name}, or leave it out" if better else "Put the pools into several fabrics",
            source=found.source,
            reads=reads,
        )
        return
    oldest = found.gpu_stacks[stack]
    if _minor(scope.cluster.kubernetes_version) < _minor(oldest):
        yield Problem(
            path=_at(scope, "kubernetesVersion"),
            message=f"{stack} of operator set {found.name} needs Kubernetes {oldest} or newer, not "
            f"{scope.cluster.kubernetes_version}",
            fix=f'Set it to "{oldest}"',
            source=f"{found.source}; NVIDIA/aicr docs/integrator/aks-gpu-setup.md",
            reads=(_at(scope, "kubernetesVersion"), *reads),
        )


def _lacking(found: OperatorSet, stack: GpuStack, needs: GpuNeeds) -> str:
    if stack not in found.gpu_stacks:
        return f"was not tested with gpuStack {stack}, only with {' and '.join(found.gpu_stacks)}"
    if needs.amd and found.amd is None:
        return "has no operator for AMD's GPUs"
    if other := sorted(needs.architectures - {*found.architectures}):
        return f"has no OFED driver that builds on {', '.join(other)} nodes"
    return ""


def _one_system(scope: Scope, needs: GpuNeeds) -> Iterator[Problem]:
    """The GPU Operator installs one driver image for all nodes: they have one version of the operating system."""
    if scope.cluster.gpu_stack is GpuStack.MANAGED or not needs.nvidia:
        return
    first: tuple[Pool, str] | None = None
    for index, pool in enumerate(scope.pools):
        size = sizes.find(pool.sku)
        if size is None or size.gpu_vendor != "NVIDIA":
            continue
        system = _os_sku(node_profiles.find(size))
        if first is not None and system != first[1]:
            path = (*scope.path, "pools", index, "sku")
            yield Problem(
                path=path,
                message=f"{pool.sku} runs on {system} and pool {first[0].name} on {first[1]}, and the GPU Operator "
                "takes one version of the operating system in a cluster",
                fix="Put the pool into a fabric or region of its own",
                source=_OS,
                reads=(path, (*scope.path, "pools"), _at(scope, "gpuStack")),
            )
        first = first or (pool, system)


def _os_sku(profile: NodeProfile | None) -> str:
    return profile.os_sku if profile else "Ubuntu"


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _at(scope: Scope, key: str) -> Path:
    return (*scope.path, "cluster", key)
