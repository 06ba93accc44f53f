"""Kinds: group, version and scope, and which changes the provider answers with a replacement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Namespaces that every AKS cluster has from the start (AKS docs: core-aks-concepts, "Namespaces").
INITIAL_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

# Built-in kinds without a namespace (kubectl api-resources --namespaced=false, Kubernetes 1.34).
CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersion",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    }
)

# Versions that a 1.34 API server serves when nobody switches others on (Kubernetes 1.34 API reference; beta versions
# are off by default since 1.24, KEP-3136).
_SERVED = frozenset(
    {
        "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1", "apps/v1",
        "authentication.k8s.io/v1", "authorization.k8s.io/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1",
        "certificates.k8s.io/v1", "coordination.k8s.io/v1", "discovery.k8s.io/v1", "events.k8s.io/v1",
        "flowcontrol.apiserver.k8s.io/v1", "networking.k8s.io/v1", "node.k8s.io/v1", "policy/v1",
        "rbac.authorization.k8s.io/v1", "resource.k8s.io/v1", "scheduling.k8s.io/v1", "storage.k8s.io/v1", "v1",
    }
)  # fmt: skip
# Kinds that a later version added to one of these (Kubernetes 1.36 release notes); the SDK has them already.
_LATER = frozenset(
    {
        "admissionregistration.k8s.io/MutatingAdmissionPolicy",
        "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding",
    }
)

# Fields whose change the provider answers with a replacement (pulumi-kubernetes provider/pkg/provider/diff.go), by
# group and kind.
_POD_FIELDS = (
    "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases",
    "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead",
    "preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName",
    "schedulerName", "securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace", "subdomain",
    "terminationGracePeriodSeconds", "volumes",
)  # fmt: skip
_CONTAINER_FIELDS = (
    "args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe",
    "resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty",
    "volumeDevices", "volumeMounts", "workingDir",
)  # fmt: skip
_VOLUME_SOURCES = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
    "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
)  # fmt: skip
_REPLACE_ON: Mapping[str, tuple[str, ...]] = {
    "/ConfigMap": ("binaryData", "data"),
    "/Secret": ("data", "stringData", "type"),
    "/PersistentVolume": tuple(f"spec.{source}" for source in _VOLUME_SOURCES),
    "/PersistentVolumeClaim": ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    "/Pod": (
        *(f"spec.{field}" for field in _POD_FIELDS),
        *(
            f"spec.{containers}[].{field}"
            for containers in ("containers", "initContainers")
            for field in _CONTAINER_FIELDS
        ),
    ),
    "batch/Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "apps/Deployment": ("spec.selector",),
    "apps/DaemonSet": ("spec.selector",),
    "apps/StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "/ResourceQuota": ("spec.scopes",),
    "/Service": ("spec.clusterIP",),
    "storage.k8s.io/StorageClass": ("parameters", "provisioner"),
    "rbac.authorization.k8s.io/ClusterRoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io/RoleBinding": ("roleRef",),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """Group, version and kind; the core group is empty."""

    group: str
    version: str
    kind: str

    @classmethod
    def from_token(cls, token: str) -> Kind:
        """The kind of ``kubernetes:core/v1:ConfigMap``."""
        _, path, kind = token.split(":")
        group, _, version = path.rpartition("/")
        return cls("" if group == "core" else group, version, kind)

    @property
    def key(self) -> str:
        """Group and kind, without the version: ``apps/Deployment``, ``/Pod``."""
        return f"{self.group}/{self.kind}"

    @property
    def qualified(self) -> str:
        """The kind as errors name it: ``Deployment.apps``, ``Pod``."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def api_version(self) -> str:
        """``v1``, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The plural that the API server's messages use (``configmaps``, ``nicclusterpolicies.mellanox.com``)."""
        name = self.kind.lower()
        if name.endswith("y") and name[-2] not in "aeiou":
            plural = name[:-1] + "ies"
        else:
            plural = name + ("es" if name.endswith(("s", "x", "ch")) else "s")
        return f"{plural}.{self.group}" if self.group else plural


def is_served(kind: Kind) -> bool:
    """Whether a 1.34 API server serves a built-in kind in this version."""
    return kind.api_version in _SERVED and kind.key not in _LATER


def replace_on(kind: Kind, *, config_map_mutable: bool = False, secret_mutable: bool = False) -> tuple[str, ...]:
    """Paths whose change replaces an object; two settings of the provider make config maps and secrets mutable."""
    mutable = (kind.key == "/ConfigMap" and config_map_mutable) or (kind.key == "/Secret" and secret_mutable)
    return ("metadata.name", "metadata.namespace", *(() if mutable else _REPLACE_ON.get(kind.key, ())))
