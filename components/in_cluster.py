"""What everything inside a cluster shares: provider, fate, namespaces, charts, tolerations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_azure_native import containerservice
from pulumi_kubernetes import core, helm, meta

from components import labels
from components.options import child
from gpufleet.catalog.operator_sets import Chart
from gpufleet.spec.environment import EnvironmentClass

CHART_TIMEOUT_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class ClusterAccess:
    """How to put something into a cluster."""

    environment_class: EnvironmentClass
    provider: kubernetes.Provider
    cluster: containerservice.ManagedCluster

    def child(
        self,
        parent: pulumi.Resource,
        *,
        depends_on: Sequence[pulumi.Resource] = (),
        ignore_changes: Sequence[str] = (),
        custom_timeouts: pulumi.CustomTimeouts | None = None,
    ) -> pulumi.ResourceOptions:
        """Options of a resource inside the cluster.

        With a deleted cluster it is gone, so nobody asks a dead API server to delete it (pulumi-kubernetes#950).
        """
        return child(
            parent,
            self.environment_class,
            depends_on=depends_on,
            ignore_changes=ignore_changes,
            provider=self.provider,
            deleted_with=self.cluster,
            custom_timeouts=custom_timeouts,
        )


def privileged_namespace(name: str, namespace: str, opts: pulumi.ResourceOptions) -> core.v1.Namespace:
    """A namespace whose pods may be privileged: operators load kernel modules (Azure/aks-rdma-infiniband)."""
    return core.v1.Namespace(
        name,
        metadata=meta.v1.ObjectMetaArgs(name=namespace, labels={labels.POD_SECURITY_ENFORCE: "privileged"}),
        opts=opts,
    )


def release(
    name: str,
    chart: Chart,
    namespace: core.v1.Namespace,
    *,
    values: Mapping[str, object],
    skip_await: bool,
    opts: pulumi.ResourceOptions,
    release_name: str = "",
    skip_crds: bool = False,
) -> helm.v3.Release:
    """A Helm release of a pinned chart, by the chart's name unless it has one of its own.

    `Release` and not `Chart`: it installs the chart's CRDs before anything that needs them (pulumi-kubernetes#1735),
    and it previews without a cluster (#2346).
    """
    in_registry = chart.repository.startswith("oci://")
    return helm.v3.Release(
        name,
        name=release_name or chart.chart,
        chart=f"{chart.repository}/{chart.chart}" if in_registry else chart.chart,
        version=chart.version,
        namespace=namespace.metadata.name,
        create_namespace=False,
        # Helm takes a registry's chart by its whole address and refuses a repository beside it.
        repository_opts=None if in_registry else helm.v3.RepositoryOptsArgs(repo=chart.repository),
        values=dict(values),
        skip_await=skip_await,
        skip_crds=skip_crds or None,
        timeout=CHART_TIMEOUT_SECONDS,
        opts=opts,
    )


def controller_tolerations() -> list[dict[str, str]]:
    """Operators' controllers run on the system pool: it is the one pool that always has nodes."""
    return [{"key": "CriticalAddonsOnly", "operator": "Exists"}]


def system_pool_affinity() -> dict[str, object]:
    """For controllers that must not run elsewhere; AKS labels the nodes of each pool with its mode."""
    return node_affinity("kubernetes.azure.com/mode", "system")


def node_affinity(label: str, value: str) -> dict[str, object]:
    """An affinity to the nodes with this label alone."""
    term = {"matchExpressions": [{"key": label, "operator": "In", "values": [value]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


def node_agent_tolerations() -> list[dict[str, str]]:
    """Daemon sets on GPU nodes; without the spot key they never start on spot pools (NVIDIA/gpu-operator#577)."""
    return [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "amd.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": labels.SPOT_LABEL[0], "operator": "Equal", "value": labels.SPOT_LABEL[1], "effect": "NoSchedule"},
    ]
