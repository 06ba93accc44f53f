"""Kinds: group, version and scope; which fields of an object cannot change; names that the API server takes."""

from __future__ import annotations

import re
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

# Fields whose change the provider answers with a replacement (pulumi-kubernetes provider/pkg/provider/diff.go), by
# kind.
_REPLACE_ON: Mapping[str, tuple[str, ...]] = {
    "ConfigMap": ("binaryData", "data"),
    "Secret": ("data", "stringData", "type"),
    "PersistentVolumeClaim": ("spec",),
    "Pod": ("spec",),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "ResourceQuota": ("spec.scopes",),
    "Service": ("spec.clusterIP",),
    "StorageClass": ("parameters", "provisioner"),
    "ClusterRoleBinding": ("roleRef",),
    "RoleBinding": ("roleRef",),
}

# Fields that the API server refuses to change although the provider tries an update (field validation of the API
# types).
IMMUTABLE: Mapping[str, tuple[str, ...]] = {
    "StorageClass": ("reclaimPolicy", "volumeBindingMode", "mountOptions"),
    "PriorityClass": ("value",),
    "RuntimeClass": ("handler",),
}

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# Kinds whose names are labels, not subdomains (k8s.io/apimachinery validation: NameIsDNSLabel).
_LABEL_NAMED = frozenset({"Namespace", "Service"})
# RBAC names are path segments (k8s.io/apimachinery validation/path).
_PATH_NAMED = frozenset({"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})


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


def replace_on(kind: str, *, config_map_mutable: bool = False, secret_mutable: bool = False) -> tuple[str, ...]:
    """Paths whose change replaces an object; two settings of the provider make config maps and secrets mutable."""
    mutable = (kind == "ConfigMap" and config_map_mutable) or (kind == "Secret" and secret_mutable)
    return ("metadata.name", "metadata.namespace", *(() if mutable else _REPLACE_ON.get(kind, ())))


def invalid_name(kind: str, name: str) -> str | None:
    """What is wrong with an object's name, in the API server's words, or None."""
    if kind in _PATH_NAMED:
        forbidden = name in {".", ".."} or set(name) & {"/", "%"}
        return "may not be '.', '..' or contain '/' or '%'" if forbidden else None
    pattern, what, characters = (
        (_LABEL, "label", "alphanumeric characters or '-'")
        if kind in _LABEL_NAMED
        else (_SUBDOMAIN, "subdomain", "alphanumeric characters, '-' or '.'")
    )
    if pattern.fullmatch(name):
        return None
    return (
        f"a lowercase RFC 1123 {what} must consist of lower case {characters}, "
        "and must start and end with an alphanumeric character"
    )
