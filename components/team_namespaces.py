"""The namespaces that teams submit their jobs to, and what pods may be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import admissionregistration, core, meta

from components import labels
from components.in_cluster import ClusterAccess
from gpufleet.spec.queue import team_namespace

POLICY = "gpufleet-team-pods"

# Pod Security Standards, "baseline", capabilities that may be added (Kubernetes 1.34), and IPC_LOCK: RDMA pins memory
# (Azure/aks-rdma-infiniband tests/scenarios/k8s).
_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "IPC_LOCK", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip
# Set on every pod that Kueue has let in (Kueue pkg/constants: PodSetLabel).
_ADMITTED = "kueue.x-k8s.io/podset"


@dataclass(frozen=True, kw_only=True)
class TeamNamespacesArgs:
    """Arguments of TeamNamespaces."""

    access: ClusterAccess
    fabric: str
    teams: Sequence[str]
    gpu_resources: Sequence[str]
    """Extended resources of the fabric's GPUs."""


class TeamNamespaces(pulumi.ComponentResource):
    """One namespace a team, and the policy that stands in for Pod Security's `baseline` there.

    RDMA needs the capability IPC_LOCK, which `baseline` forbids and which Pod Security can't allow by itself; so the
    namespaces are `privileged`, and a ValidatingAdmissionPolicy has `baseline`'s rules with that one more. It also
    refuses pods that take GPUs past the queue.

    Not here: who may submit to a team's namespace. That is Azure RBAC of the cluster (AKS manage-azure-rbac).
    """

    namespaces: dict[str, core.v1.Namespace]
    """By team."""

    def __init__(self, name: str, args: TeamNamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:queue:TeamNamespaces", name, {}, opts)
        child = args.access.child(self)
        policy = admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{name}-policy",
            metadata=meta.v1.ObjectMetaArgs(name=POLICY),
            spec=_policy(args.gpu_resources),
            opts=child,
        )
        binding = admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{name}-policy-binding",
            metadata=meta.v1.ObjectMetaArgs(name=POLICY),
            spec=admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgs(
                policy_name=POLICY,
                validation_actions=["Deny"],
                match_resources=admissionregistration.v1.MatchResourcesArgs(
                    namespace_selector=meta.v1.LabelSelectorArgs(
                        match_expressions=[meta.v1.LabelSelectorRequirementArgs(key=labels.TEAM, operator="Exists")]
                    )
                ),
            ),
            opts=args.access.child(self, depends_on=[policy]),
        )
        self.namespaces = {
            team: core.v1.Namespace(
                f"{name}-{team}",
                metadata=meta.v1.ObjectMetaArgs(
                    name=team_namespace(team),
                    labels={
                        labels.POD_SECURITY_ENFORCE: "privileged",
                        labels.TEAM: team,
                        labels.FABRIC: args.fabric,
                    },
                ),
                # Never without the policy: `privileged` alone would allow everything.
                opts=args.access.child(self, depends_on=[binding]),
            )
            for team in args.teams
        }
        self.register_outputs({})


def _policy(gpu_resources: Sequence[str]) -> admissionregistration.v1.ValidatingAdmissionPolicySpecArgs:
    return admissionregistration.v1.ValidatingAdmissionPolicySpecArgs(
        failure_policy="Fail",
        match_constraints=admissionregistration.v1.MatchResourcesArgs(
            resource_rules=[
                admissionregistration.v1.NamedRuleWithOperationsArgs(
                    api_groups=[""],
                    api_versions=["v1"],
                    operations=["CREATE", "UPDATE"],
                    resources=["pods", "pods/ephemeralcontainers"],
                )
            ]
        ),
        variables=[
            admissionregistration.v1.VariableArgs(
                name="containers",
                expression="object.spec.containers + object.spec.?initContainers.orValue([]) + "
                "object.spec.?ephemeralContainers.orValue([])",
            )
        ],
        validations=[
            admissionregistration.v1.ValidationArgs(expression=expression, message=message)
            for expression, message in pod_rules(gpu_resources)
        ],
    )


def pod_rules(gpu_resources: Sequence[str]) -> list[tuple[str, str]]:
    """CEL expressions that hold for every pod of a team, and what is said when one doesn't."""
    capabilities = ", ".join(f"'{name}'" for name in _CAPABILITIES)
    asks = " || ".join(f"'{name}' in c.?resources.?limits.orValue({{}})" for name in gpu_resources)
    return [
        (
            (
                "!object.spec.?hostNetwork.orValue(false) && !object.spec.?hostPID.orValue(false) && "
                "!object.spec.?hostIPC.orValue(false)"
            ),
            "pods of a team have no host namespaces (Pod Security baseline)",
        ),
        (
            "variables.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
            "containers of a team are not privileged (Pod Security baseline)",
        ),
        (
            (
                f"variables.containers.all(c, c.?securityContext.?capabilities.?add.orValue([]).all(k, "
                f"k in [{capabilities}]))"
            ),
            "containers of a team add IPC_LOCK at most to what Pod Security's baseline allows",
        ),
        (
            "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
            "pods of a team have no hostPath volumes (Pod Security baseline)",
        ),
        (
            "variables.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))",
            "containers of a team have no host ports (Pod Security baseline)",
        ),
        (
            (
                "variables.containers.all(c, c.?securityContext.?procMount.orValue('Default') == 'Default') && "
                "object.spec.?securityContext.?seccompProfile.?type.orValue('') != 'Unconfined' && "
                "variables.containers.all(c, c.?securityContext.?seccompProfile.?type.orValue('') != 'Unconfined')"
            ),
            "pods of a team keep the default /proc mount and a seccomp profile (Pod Security baseline)",
        ),
        (
            (
                f"'{_ADMITTED}' in object.metadata.?labels.orValue({{}}) || (!has(object.spec.resourceClaims) && "
                f"!variables.containers.exists(c, {asks}))"
            ),
            (
                "pods get GPUs through the team's queue: label the job kueue.x-k8s.io/queue-name=training, as "
                "`gpufleet job render` does"
            ),
        ),
    ]
