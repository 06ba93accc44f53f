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
    # kubernetes-sigs/lws charts/lws (v0.9.0).
    "lws": Chart(
        repository="oci://registry.k8s.io/lws/charts",
        definitions=(
            Definition(group="leaderworkerset.x-k8s.io", kind="LeaderWorkerSet", versions=("v1",), namespaced=True),
            Definition(group="disaggregatedset.x-k8s.io", kind="DisaggregatedSet", versions=("v1",), namespaced=True),
        ),
        optional={},
    ),
    # kaito-project/kaito charts/kaito/workspace (v0.11.0), without what it brings for others: Karpenter's NodeClaim and
    # kinds of the Gateway API's inference extension, which are this project's own.
    "workspace": Chart(
        repository="https://kaito-project.github.io/kaito/charts/kaito",
        definitions=tuple(
            Definition(group="kaito.sh", kind=kind, versions=versions, namespaced=True)
            for kind, versions in (
                ("InferenceSet", ("v1alpha1", "v1beta1")),
                ("ModelMirror", ("v1alpha1",)),
                ("MultiRoleInference", ("v1alpha1",)),
                ("Workspace", ("v1alpha1", "v1beta1")),
            )
        ),
        optional={},
    ),
    # NVIDIA/k8s-device-plugin deployments/helm/nvidia-device-plugin (v0.19.3).
    "nvidia-device-plugin": Chart(
        repository="https://nvidia.github.io/k8s-device-plugin",
        definitions=(),
        optional={("gfd.enabled", False): _NFD, ("nfd.enabled", False): _NFD},
    ),
    # NVIDIA/dcgm-exporter deployment (4.5.3-4.8.2).
    "dcgm-exporter": Chart(
        repository="https://nvidia.github.io/dcgm-exporter/helm-charts", definitions=(), optional={}
    ),
    # NVIDIA/k8s-dra-driver-gpu deployments/helm/nvidia-dra-driver-gpu (v25.12.0).
    "nvidia-dra-driver-gpu": Chart(
        repository=_NVIDIA,
        definitions=(
            Definition(group="resource.nvidia.com", kind="ComputeDomain", versions=("v1beta1",), namespaced=True),
            Definition(group="resource.nvidia.com", kind="ComputeDomainClique", versions=("v1beta1",), namespaced=True),
        ),
        optional={},
    ),
    # cert-manager/cert-manager deploy/charts/cert-manager (v1.15.1).
    "cert-manager": Chart(
        repository="https://charts.jetstack.io",
        definitions=(),
        optional={
            ("crds.enabled", False): (
                Definition(group="cert-manager.io", kind="Certificate", versions=("v1",), namespaced=True),
                Definition(group="cert-manager.io", kind="CertificateRequest", versions=("v1",), namespaced=True),
                Definition(group="cert-manager.io", kind="ClusterIssuer", versions=("v1",)),
                Definition(group="cert-manager.io", kind="Issuer", versions=("v1",), namespaced=True),
                Definition(group="acme.cert-manager.io", kind="Challenge", versions=("v1",), namespaced=True),
                Definition(group="acme.cert-manager.io", kind="Order", versions=("v1",), namespaced=True),
            )
        },
    ),
    # agentgateway/agentgateway controller/install/helm (v1.4.1).
    "agentgateway-crds": Chart(
        repository="oci://cr.agentgateway.dev/charts",
        definitions=tuple(
            Definition(group="agentgateway.dev", kind=kind, versions=("v1alpha1",), namespaced=True)
            for kind in ("AgentgatewayBackend", "AgentgatewayModel", "AgentgatewayParameters", "AgentgatewayPolicy")
        ),
        optional={},
    ),
    "agentgateway": Chart(repository="oci://cr.agentgateway.dev/charts", definitions=(), optional={}),
    # ROCm/gpu-operator helm-charts-k8s (v1.4.1), and its subchart kmm.
    "gpu-operator-charts": Chart(
        repository="https://rocm.github.io/gpu-operator",
        definitions=(Definition(group="amd.com", kind="DeviceConfig", versions=("v1alpha1",), namespaced=True),),
        optional={
            ("node-feature-discovery.enabled", True): _NFD,
            ("kmm.enabled", True): (
                Definition(group="kmm.sigs.x-k8s.io", kind="Module", versions=("v1beta1",), namespaced=True),
                Definition(group="kmm.sigs.x-k8s.io", kind="NodeModulesConfig", versions=("v1beta1",)),
            ),
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
