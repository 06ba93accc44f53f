"""Hours in which a training fabric stands still: CronJobs that hold its queues and let them go on."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import pulumi
from pulumi_kubernetes import batch, core, meta, rbac

from components import labels
from components.in_cluster import ClusterAccess
from components.week_cron import (
    ACTIVE_DEADLINE_SECONDS,
    STARTING_DEADLINE_SECONDS,
    hold_crons,
    release_crons,
    release_deadline_seconds,
)
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec
from gpufleet.spec.stopped_hours import stops
from gpufleet.spec.teams import teams
from gpufleet.spec.training import TrainingFabric

NAMESPACE: Final = "gpufleet-schedules"
HOLD: Final = "HoldAndDrain"
RELEASE: Final = "None"
"""Kueue's `stopPolicy` of a ClusterQueue: lets nothing in and evicts what runs; or lets work in."""

_ACCOUNT: Final = "stop-schedule"
_USER: Final = 65532
"""Nobody in particular, as images without a shell have it."""
_FILE = Path(__file__).parent / "data" / "kubectl.yaml"


class Kubectl(Spec):
    """Where kubectl's image comes from (data/kubectl.yaml)."""

    source: str
    as_of: dt.date
    repository: str
    patch: int

    def image(self, kubernetes_version: str) -> str:
        """The image for a cluster's minor version."""
        return f"{self.repository}:v{kubernetes_version}.{self.patch}"


@lru_cache(maxsize=1)
def kubectl() -> Kubectl:
    """The image in use."""
    return Kubectl.model_validate(read_yaml(_FILE))


@dataclass(frozen=True, kw_only=True)
class StopScheduleArgs:
    """Arguments of StopSchedule."""

    access: ClusterAccess
    fabric: TrainingFabric
    """With one schedule at least, and all on one clock."""
    ready: Sequence[pulumi.Resource] = ()
    """What must be there before the first hold: the queues."""

    @property
    def queues(self) -> list[str]:
        """Names of the fabric's ClusterQueues."""
        return [team.name for team in teams(self.fabric)]


class StopSchedule(pulumi.ComponentResource):
    """CronJobs that set `stopPolicy` of the fabric's ClusterQueues, in a namespace of their own.

    No credential of the cloud: Kueue evicts the jobs, and the cluster autoscaler takes the nodes that are idle then.
    Their service account may change the fabric's own queues and nothing else. They run on the system pool, the one
    that stays.

    The program states no `stopPolicy` anywhere: server-side apply leaves the field to whoever set it, so an `up` while
    the fabric stands still lets nothing go on.

    Not here: pools (their minimum is 0, checked with the specification), jobs that bypass the queues.
    """

    def __init__(self, name: str, args: StopScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:training:StopSchedule", name, {}, opts)
        own = args.access.child(self)
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata=meta.v1.ObjectMetaArgs(
                name=NAMESPACE, labels={**_labels(args), labels.POD_SECURITY_ENFORCE: "restricted"}
            ),
            opts=own,
        )
        inside = args.access.child(self, depends_on=[namespace])
        account = core.v1.ServiceAccount(
            f"{name}-account",
            metadata=meta.v1.ObjectMetaArgs(name=_ACCOUNT, namespace=NAMESPACE, labels=_labels(args)),
            automount_service_account_token=False,
            opts=inside,
        )
        role = rbac.v1.ClusterRole(
            f"{name}-role",
            metadata=meta.v1.ObjectMetaArgs(name=f"gpufleet:{_ACCOUNT}", labels=_labels(args)),
            rules=[
                rbac.v1.PolicyRuleArgs(
                    api_groups=["kueue.x-k8s.io"],
                    resources=["clusterqueues"],
                    resource_names=args.queues,
                    verbs=["get", "patch"],
                )
            ],
            opts=own,
        )
        binding = rbac.v1.ClusterRoleBinding(
            f"{name}-role-binding",
            metadata=meta.v1.ObjectMetaArgs(name=f"gpufleet:{_ACCOUNT}", labels=_labels(args)),
            role_ref=rbac.v1.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=f"gpufleet:{_ACCOUNT}"
            ),
            subjects=[rbac.v1.SubjectArgs(kind="ServiceAccount", name=_ACCOUNT, namespace=NAMESPACE)],
            opts=args.access.child(self, depends_on=[role, account]),
        )
        jobs = args.access.child(self, depends_on=[namespace, account, binding, *args.ready])
        for job, spec in cron_jobs(args).items():
            batch.v1.CronJob(
                f"{name}-{job}",
                metadata=meta.v1.ObjectMetaArgs(name=job, namespace=NAMESPACE, labels=_labels(args)),
                spec=spec,
                opts=jobs,
            )
        self.register_outputs({})


def cron_jobs(args: StopScheduleArgs) -> dict[str, batch.v1.CronJobSpecArgs]:
    """The CronJobs by name: `hold-1`, …, `release-1`, …."""
    week = stops(args.fabric.schedules)
    late = release_deadline_seconds(week)
    holds = {
        f"hold-{number}": _cron_job(args, cron, HOLD, STARTING_DEADLINE_SECONDS)
        for number, cron in enumerate(hold_crons(week), start=1)
    }
    releases = {
        f"release-{number}": _cron_job(args, cron, RELEASE, late)
        for number, cron in enumerate(release_crons(week), start=1)
    }
    return holds | releases


def _cron_job(args: StopScheduleArgs, cron: str, policy: str, late: int) -> batch.v1.CronJobSpecArgs:
    return batch.v1.CronJobSpecArgs(
        schedule=cron,
        time_zone=args.fabric.schedules[0].time_zone,
        starting_deadline_seconds=late,
        concurrency_policy="Forbid",
        successful_jobs_history_limit=1,
        failed_jobs_history_limit=3,
        job_template=batch.v1.JobTemplateSpecArgs(
            spec=batch.v1.JobSpecArgs(
                active_deadline_seconds=ACTIVE_DEADLINE_SECONDS,
                backoff_limit=6,
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(labels=_labels(args)), spec=_pod(args, policy)
                ),
            )
        ),
    )


def _pod(args: StopScheduleArgs, policy: str) -> core.v1.PodSpecArgs:
    patch = json.dumps({"spec": {"stopPolicy": policy}}, separators=(",", ":"))
    return core.v1.PodSpecArgs(
        service_account_name=_ACCOUNT,
        automount_service_account_token=True,
        restart_policy="Never",
        # A system pool that is full must not keep a fleet of GPUs running for the night.
        priority_class_name="system-cluster-critical",
        # AKS's own label and taint of the pool that stays (AKS use-system-pools).
        node_selector={"kubernetes.azure.com/mode": "system"},
        tolerations=[core.v1.TolerationArgs(key="CriticalAddonsOnly", operator="Exists")],
        security_context=core.v1.PodSecurityContextArgs(
            run_as_non_root=True,
            run_as_user=_USER,
            run_as_group=_USER,
            seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        containers=[
            core.v1.ContainerArgs(
                name="kubectl",
                image=kubectl().image(args.fabric.cluster.kubernetes_version),
                args=[
                    "patch",
                    "clusterqueues.kueue.x-k8s.io",
                    *args.queues,
                    "--type=merge",
                    f"--patch={patch}",
                    "--request-timeout=30s",
                ],
                resources=core.v1.ResourceRequirementsArgs(
                    requests={"cpu": "50m", "memory": "64Mi"}, limits={"cpu": "500m", "memory": "128Mi"}
                ),
                security_context=core.v1.SecurityContextArgs(
                    allow_privilege_escalation=False,
                    read_only_root_filesystem=True,
                    capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
                ),
            )
        ],
    )


def _labels(args: StopScheduleArgs) -> Mapping[str, str]:
    return {"app.kubernetes.io/name": _ACCOUNT, **labels.MANAGED_BY, labels.FABRIC: args.fabric.name}
