"""The MPI operator of Kubeflow, from plain resources: it has no Helm chart (data/mpi_operator.yaml)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pulumi
from pulumi_kubernetes import apiextensions, apps, core, meta, rbac

from components.in_cluster import ClusterAccess, controller_tolerations
from components.labels import POD_SECURITY_ENFORCE
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec

_FILE = Path(__file__).parent / "data" / "mpi_operator.yaml"
_NAME = "mpi-operator"
_LABELS = {"app.kubernetes.io/name": _NAME}


class _Rule(Spec):
    api_groups: list[str]
    resources: list[str]
    verbs: list[str]


class _Manifest(Spec):
    source: str
    as_of: dt.date
    image: str
    rules: list[_Rule]
    definition: dict[str, Any]


@lru_cache(maxsize=1)
def _manifest() -> _Manifest:
    return _Manifest.model_validate(read_yaml(_FILE))


@dataclass(frozen=True, kw_only=True)
class MpiOperatorArgs:
    """Arguments of MpiOperator."""

    access: ClusterAccess


class MpiOperator(pulumi.ComponentResource):
    """The kind MPIJob and the controller that runs such jobs: a launcher, and workers that it reaches by SSH.

    The kind's schema has the fields of MPIJob and leaves pod templates open; what the operator's own manifest has
    there is a copy of Kubernetes' pod schema, which the API server checks anyway when the pods are made.

    Its ClusterRole reads and writes secrets in all namespaces, as upstream's does: each job has an SSH key of its own.
    """

    def __init__(self, name: str, args: MpiOperatorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:operators:MpiOperator", name, {}, opts)
        access, manifest = args.access, _manifest()
        definition = apiextensions.CustomResource(
            f"{name}-definition",
            api_version="apiextensions.k8s.io/v1",
            kind="CustomResourceDefinition",
            metadata=meta.v1.ObjectMetaArgs(name="mpijobs.kubeflow.org"),
            spec=manifest.definition,
            opts=access.child(self),
        )
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata=meta.v1.ObjectMetaArgs(name=_NAME, labels={POD_SECURITY_ENFORCE: "restricted"}),
            opts=access.child(self),
        )
        metadata = meta.v1.ObjectMetaArgs(name=_NAME, namespace=namespace.metadata.name)
        account = core.v1.ServiceAccount(f"{name}-account", metadata=metadata, opts=access.child(self))
        role = rbac.v1.ClusterRole(
            f"{name}-role",
            metadata=meta.v1.ObjectMetaArgs(name=_NAME),
            rules=[
                rbac.v1.PolicyRuleArgs(api_groups=rule.api_groups, resources=rule.resources, verbs=rule.verbs)
                for rule in manifest.rules
            ],
            opts=access.child(self),
        )
        binding = rbac.v1.ClusterRoleBinding(
            f"{name}-binding",
            metadata=meta.v1.ObjectMetaArgs(name=_NAME),
            role_ref=rbac.v1.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=role.metadata.name
            ),
            subjects=[
                rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=account.metadata.name, namespace=namespace.metadata.name
                )
            ],
            opts=access.child(self),
        )
        apps.v1.Deployment(
            f"{name}-controller",
            metadata=metadata,
            spec=apps.v1.DeploymentSpecArgs(
                # A second one would only wait for the lock.
                replicas=1,
                selector=meta.v1.LabelSelectorArgs(match_labels=_LABELS),
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(labels=_LABELS), spec=_controller(manifest.image)
                ),
            ),
            # The controller leaves when its kind is missing, and can read nothing before the binding.
            opts=access.child(self, depends_on=[definition, binding]),
        )
        self.register_outputs({})


def _controller(image: str) -> core.v1.PodSpecArgs:
    return core.v1.PodSpecArgs(
        service_account_name=_NAME,
        priority_class_name="system-cluster-critical",
        tolerations=[
            core.v1.TolerationArgs(key=one["key"], operator=one["operator"]) for one in controller_tolerations()
        ],
        # The image's own user is root; the controller needs nothing of it.
        security_context=core.v1.PodSecurityContextArgs(
            run_as_non_root=True,
            run_as_user=65532,
            seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        containers=[
            core.v1.ContainerArgs(
                name=_NAME,
                image=image,
                args=["-alsologtostderr", f"-lock-namespace={_NAME}"],
                resources=core.v1.ResourceRequirementsArgs(
                    requests={"cpu": "100m", "memory": "256Mi"}, limits={"cpu": "1", "memory": "1Gi"}
                ),
                security_context=core.v1.SecurityContextArgs(
                    allow_privilege_escalation=False,
                    read_only_root_filesystem=True,
                    capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
                ),
            )
        ],
    )
