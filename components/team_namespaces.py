"""The namespaces that teams submit their jobs to, and what pods may be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta

from components import labels
from components.in_cluster import ClusterAccess
from components.pod_admission import Rule, baseline_rules, pod_policy
from gpufleet.spec.queue import team_namespace

POLICY = "gpufleet-team-pods"

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
        binding = pod_policy(
            self,
            name,
            args.access,
            name=POLICY,
            namespaces=meta.v1.LabelSelectorArgs(
                match_expressions=[meta.v1.LabelSelectorRequirementArgs(key=labels.TEAM, operator="Exists")]
            ),
            rules=pod_rules(args.gpu_resources),
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


def pod_rules(gpu_resources: Sequence[str]) -> list[Rule]:
    """CEL expressions that hold for every pod of a team, and what is said when one doesn't."""
    asks = " || ".join(f"'{name}' in c.?resources.?limits.orValue({{}})" for name in gpu_resources)
    return [
        *baseline_rules("of a team"),
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
