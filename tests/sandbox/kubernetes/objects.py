"""One valid object of each kind that the rules speak of: what tests break, and what the official client must take."""

from __future__ import annotations

import json
from typing import Any

LABELS = {"app": "web"}
PASSWORD = "c2VjcmV0"


def pod_spec(**more: object) -> dict[str, Any]:
    """A pod spec that uses most of what the rules look at."""
    return {
        "serviceAccountName": "web",
        "terminationGracePeriodSeconds": 30,
        "nodeSelector": {"kubernetes.azure.com/agentpool": "h100"},
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["1", "2"]}]},
                    ]
                },
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 10, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}}
                ],
            },
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": LABELS}}
                ]
            },
        },
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"},
        ],
        "initContainers": [{"name": "fetch", "image": "example.azurecr.io/fetch:1"}],
        "containers": [
            {
                "name": "web",
                "image": "example.azurecr.io/web:1",
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "env": [
                    {"name": "MODE", "value": "fast"},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "resources": {
                    "requests": {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"},
                    "limits": {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": "1"},
                },
                "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
                "livenessProbe": {"exec": {"command": ["true"]}, "failureThreshold": 3},
                "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
        "volumes": [
            {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
            {"name": "settings", "configMap": {"name": "settings", "items": [{"key": "a", "path": "a"}]}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "host", "hostPath": {"path": "/mnt", "type": "Directory"}},
            {
                "name": "token",
                "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]},
            },
        ],
        **more,
    }


def _template(**more: object) -> dict[str, Any]:
    return {"metadata": {"labels": LABELS}, "spec": pod_spec(**more)}


def _object(token: str, spec: object = None, namespace: str = "team", **fields: object) -> dict[str, Any]:
    path, kind = token.removeprefix("kubernetes:").split(":")
    metadata: dict[str, Any] = {"name": "web", "labels": LABELS, "annotations": {"example.com/note": "a"}}
    if namespace:
        metadata["namespace"] = namespace
    body: dict[str, Any] = {"apiVersion": path.removeprefix("core/"), "kind": kind, "metadata": metadata, **fields}
    return body if spec is None else {**body, "spec": spec}


_SELECTOR = {"matchLabels": LABELS}
_JOB = {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimit": 3}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}, "storageClassName": "fast"}
_METRIC = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
_RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
_SUBJECT = {"kind": "ServiceAccount", "name": "web", "namespace": "team"}
_RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"


def _ref(kind: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "reader"}


_OBJECTS: dict[str, dict[str, Any]] = {
    "Namespace": _object(
        "kubernetes:core/v1:Namespace",
        namespace="",
    ),
    "ConfigMap": _object("kubernetes:core/v1:ConfigMap", data={"a": "b"}, binaryData={"b": PASSWORD}),
    "Secret": _object("kubernetes:core/v1:Secret", type="Opaque", data={"a": PASSWORD}),
    "ServiceAccount": _object("kubernetes:core/v1:ServiceAccount", automountServiceAccountToken=False),
    "Pod": _object("kubernetes:core/v1:Pod", pod_spec(restartPolicy="Never")),
    "Deployment": _object(
        "kubernetes:apps/v1:Deployment",
        {
            "replicas": 2,
            "selector": _SELECTOR,
            "template": _template(),
            "progressDeadlineSeconds": 600,
            "minReadySeconds": 10,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        },
    ),
    "DaemonSet": _object(
        "kubernetes:apps/v1:DaemonSet",
        {
            "selector": _SELECTOR,
            "template": _template(),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
        },
    ),
    "StatefulSet": _object(
        "kubernetes:apps/v1:StatefulSet",
        {
            "replicas": 3,
            "serviceName": "web",
            "podManagementPolicy": "Parallel",
            "selector": _SELECTOR,
            "template": _template(),
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Delete"},
            "updateStrategy": {"type": "RollingUpdate"},
            "volumeClaimTemplates": [{"metadata": {"name": "cache"}, "spec": _CLAIM}],
        },
    ),
    "Job": _object(
        "kubernetes:batch/v1:Job",
        {**_JOB, "template": _template(restartPolicy="Never"), "podReplacementPolicy": "Failed"},
    ),
    "CronJob": _object(
        "kubernetes:batch/v1:CronJob",
        {
            "schedule": "*/15 2-4 * * 1,3",
            "timeZone": "Europe/Berlin",
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {**_JOB, "template": _template(restartPolicy="OnFailure")}},
        },
    ),
    "Service": _object(
        "kubernetes:core/v1:Service",
        {
            "type": "LoadBalancer",
            "selector": LABELS,
            "externalTrafficPolicy": "Local",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "ipFamilyPolicy": "SingleStack",
            "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "ports": [
                {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
                {"name": "metrics", "port": 9090, "targetPort": 9090, "nodePort": 30090},
            ],
        },
    ),
    "PodDisruptionBudget": _object(
        "kubernetes:policy/v1:PodDisruptionBudget",
        {"minAvailable": "50%", "selector": _SELECTOR, "unhealthyPodEvictionPolicy": "AlwaysAllow"},
    ),
    "HorizontalPodAutoscaler": _object(
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 4,
            "metrics": [_METRIC],
            "behavior": {
                "scaleDown": {
                    "selectPolicy": "Max",
                    "stabilizationWindowSeconds": 300,
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
                }
            },
        },
    ),
    "NetworkPolicy": _object(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        {
            "podSelector": _SELECTOR,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                    "ports": [{"port": 80, "endPort": 90, "protocol": "TCP"}],
                }
            ],
        },
    ),
    "PriorityClass": _object(
        "kubernetes:scheduling.k8s.io/v1:PriorityClass",
        namespace="",
        value=1000,
        preemptionPolicy="PreemptLowerPriority",
        description="d",
    ),
    "StorageClass": _object(
        "kubernetes:storage.k8s.io/v1:StorageClass",
        namespace="",
        provisioner="azurelustre.csi.azure.com",
        parameters={"sku": "a"},
        reclaimPolicy="Retain",
        volumeBindingMode="Immediate",
    ),
    "PersistentVolume": _object(
        "kubernetes:core/v1:PersistentVolume",
        {
            "accessModes": ["ReadWriteMany"],
            "capacity": {"storage": "4Ti"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "fast",
            "volumeMode": "Filesystem",
            "csi": {"driver": "azurelustre.csi.azure.com", "volumeHandle": "a"},
        },
        namespace="",
    ),
    "PersistentVolumeClaim": _object(
        "kubernetes:core/v1:PersistentVolumeClaim", {**_CLAIM, "volumeMode": "Filesystem"}
    ),
    "ResourceQuota": _object(
        "kubernetes:core/v1:ResourceQuota",
        {"hard": {"requests.nvidia.com/gpu": "8", "pods": "10", "limits.memory": "1Ti"}, "scopes": ["NotBestEffort"]},
    ),
    "LimitRange": _object(
        "kubernetes:core/v1:LimitRange",
        {"limits": [{"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}, "min": {"cpu": "100m"}}]},
    ),
    "Role": _object(_RBAC + "Role", rules=[_RULE]),
    "ClusterRole": _object(
        _RBAC + "ClusterRole", namespace="", rules=[_RULE, {"nonResourceURLs": ["/healthz"], "verbs": ["get"]}]
    ),
    "RoleBinding": _object(_RBAC + "RoleBinding", roleRef=_ref("Role"), subjects=[_SUBJECT]),
    "ClusterRoleBinding": _object(
        _RBAC + "ClusterRoleBinding", namespace="", roleRef=_ref("ClusterRole"), subjects=[_SUBJECT]
    ),
    "CustomResourceDefinition": {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}},
                }
            ],
        },
    },
}

KINDS = tuple(_OBJECTS)


def example(kind: str) -> dict[str, Any]:
    """A fresh valid object of a kind."""
    found: dict[str, Any] = json.loads(json.dumps(_OBJECTS[kind]))  # no part of it is shared
    return found


def token_of(body: dict[str, Any]) -> str:
    """The type token of an object."""
    group, _, version = body["apiVersion"].rpartition("/")
    return f"kubernetes:{group or 'core'}/{version}:{body['kind']}"
