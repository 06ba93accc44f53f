"""Helm charts that the sandbox knows: where they come from and which custom resource definitions they bring.

Source of the kinds: the files in the charts' crds/ folders, NVIDIA/gpu-operator deployments/gpu-operator and
Mellanox/network-operator deployment/network-operator (seen 2026-11-21), and
kubernetes-sigs/node-feature-discovery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.values import Properties, Value


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A custom resource definition; ``schemas``, by version, where an object brings it (charts' are in crds/)."""

    group: str
    kind: str
    versions: tuple[str, ...]
    namespaced: bool = False
    schemas: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart: its repository, what it always brings, and what a value (``nfd.enabled``, with its default) adds."""

    repository: str
    definitions: tuple[Definition, ...]
    optional: Mapping[tuple[str, bool], tuple[Definition, ...]]


_NFD = (
    Definition(group="nfd.k8s-sigs.io", kind="NodeFeatureRule", versions=("v1alpha1",)),
    Definition(group="nfd.k8s-sigs.io", kind="NodeFeature", versions=("v1alpha1",), namespaced=True),
    Definition(group="nfd.k8s-sigs.io", kind="NodeFeatureGroup", versions=("v1alpha1",), namespaced=True),
)
_NVIDIA = "https://helm.ngc.nvidia.com/nvidia"

CHARTS: Mapping[str, Chart] = {
    "gpu-operator": Chart(
        repository=_NVIDIA,
        definitions=(
            Definition(group="nvidia.com", kind="ClusterPolicy", versions=("v1",)),
            Definition(group="nvidia.com", kind="NVIDIADriver", versions=("v1alpha1",)),
        ),
        optional={("nfd.enabled", True): _NFD},
    ),
    "network-operator": Chart(
        repository=_NVIDIA,
        definitions=(
            Definition(group="mellanox.com", kind="NicClusterPolicy", versions=("v1alpha1",)),
            Definition(group="mellanox.com", kind="HostDeviceNetwork", versions=("v1alpha1",)),
            Definition(group="mellanox.com", kind="IPoIBNetwork", versions=("v1alpha1",)),
            Definition(group="mellanox.com", kind="MacvlanNetwork", versions=("v1alpha1",)),
            Definition(group="k8s.cni.cncf.io", kind="NetworkAttachmentDefinition", versions=("v1",), namespaced=True),
        ),
        optional={
            ("nfd.enabled", True): _NFD,
            ("sriovNetworkOperator.enabled", False): (
                Definition(group="sriovnetwork.openshift.io", kind="SriovNetwork", versions=("v1",), namespaced=True),
                Definition(
                    group="sriovnetwork.openshift.io", kind="SriovNetworkNodePolicy", versions=("v1",), namespaced=True
                ),
            ),
            ("maintenanceOperator.enabled", False): (
                Definition(
                    group="maintenance.nvidia.com", kind="NodeMaintenance", versions=("v1alpha1",), namespaced=True
                ),
                Definition(
                    group="maintenance.nvidia.com",
                    kind="MaintenanceOperatorConfig",
                    versions=("v1alpha1",),
                    namespaced=True,
                ),
            ),
        },
    ),
    # kubernetes-sigs/azurelustre-csi-driver charts/README.md; no definitions that its users have to do with.
    "azurelustre-csi-driver": Chart(
        repository="oci://mcr.microsoft.com/microsoft.azuremanagedlustre", definitions=(), optional={}
    ),
    # kubernetes-sigs/kueue charts/kueue (v0.19.2).
    "kueue": Chart(
        repository="oci://registry.k8s.io/kueue/charts",
        definitions=tuple(
            Definition(
                group="kueue.x-k8s.io",
                kind=kind,
                versions=("v1beta1", "v1beta2"),
                namespaced=kind in {"LocalQueue", "Workload"},
            )
            for kind in (
                "AdmissionCheck",
                "ClusterQueue",
                "Cohort",
                "LocalQueue",
                "MultiKueueCluster",
                "MultiKueueConfig",
                "ProvisioningRequestConfig",
                "ResourceFlavor",
                "Topology",
                "Workload",
                "WorkloadPriorityClass",
            )
        ),
        optional={},
    ),
    # kubeflow/trainer charts/kubeflow-trainer (v2.2.1), and kubernetes-sigs/jobset, which it brings.
    "kubeflow-trainer": Chart(
        repository="oci://ghcr.io/kubeflow/charts",
        definitions=(
            Definition(group="trainer.kubeflow.org", kind="ClusterTrainingRuntime", versions=("v1alpha1",)),
            Definition(group="trainer.kubeflow.org", kind="TrainingRuntime", versions=("v1alpha1",), namespaced=True),
            Definition(group="trainer.kubeflow.org", kind="TrainJob", versions=("v1alpha1",), namespaced=True),
        ),
        optional={
            ("jobset.install", True): (
                Definition(group="jobset.x-k8s.io", kind="JobSet", versions=("v1alpha2",), namespaced=True),
            )
        },
    ),
}


def definitions_of(chart: Chart, values: Properties) -> Iterator[Definition]:
    """The definitions that a chart installs with these values."""
    yield from chart.definitions
    for (path, default), definitions in chart.optional.items():
        setting: object = values
        for step in path.split("."):
            setting = setting.get(step) if isinstance(setting, dict) else None
        if setting if isinstance(setting, bool) else default:
            yield from definitions
