"""A daemon set that works on the node itself: its root is at /host, and a probe says whether the work is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes import apps, core, meta

from components.in_cluster import node_agent_tolerations
from components.readiness import NOT_WAITED_FOR
from gpufleet.catalog.operator_sets import Image


@dataclass(frozen=True, kw_only=True)
class HostAgent:
    """What one such daemon set does, where."""

    name: str
    image: Image
    command: Sequence[str]
    done: Sequence[str]
    """A command that ends well once the work is done."""
    patience_seconds: int
    """How long the work may take on a new node."""
    node_labels: Mapping[str, str]
    """The nodes it works on have them all."""
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    writes: bool
    """Whether it writes to the node's file system."""
    repeats: bool
    """Whether `done` does the work again where it was undone; else it only looks."""
    environment: Mapping[str, str] = field(default_factory=dict)


def host_agent(
    name: str, agent: HostAgent, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> apps.v1.DaemonSet:
    """The daemon set. Its pods are privileged: they load kernel modules, and nothing less will do."""
    selector = {"app.kubernetes.io/name": agent.name}
    return apps.v1.DaemonSet(
        name,
        metadata=meta.v1.ObjectMetaArgs(
            name=agent.name,
            namespace=namespace,
            # Pools may be at zero nodes, or their nodes on the way.
            annotations=NOT_WAITED_FOR,
        ),
        spec=apps.v1.DaemonSetSpecArgs(
            selector=meta.v1.LabelSelectorArgs(match_labels=selector),
            # What writes to a node starts again on new nodes alone, never under a job.
            update_strategy=apps.v1.DaemonSetUpdateStrategyArgs(type="OnDelete" if agent.writes else "RollingUpdate"),
            template=core.v1.PodTemplateSpecArgs(metadata=meta.v1.ObjectMetaArgs(labels=selector), spec=_pod(agent)),
        ),
        opts=opts,
    )


def _pod(agent: HostAgent) -> core.v1.PodSpecArgs:
    done = core.v1.ExecActionArgs(command=list(agent.done))
    look = core.v1.ProbeArgs(exec_=done, period_seconds=30, timeout_seconds=10, failure_threshold=1)
    return core.v1.PodSpecArgs(
        automount_service_account_token=False,
        node_selector=dict(agent.node_labels),
        priority_class_name="system-node-critical",
        tolerations=[
            core.v1.TolerationArgs(
                key=one["key"], operator=one["operator"], value=one.get("value"), effect=one["effect"]
            )
            for one in node_agent_tolerations()
        ],
        termination_grace_period_seconds=5,
        containers=[
            core.v1.ContainerArgs(
                name="agent",
                image=str(agent.image),
                command=list(agent.command),
                env=[core.v1.EnvVarArgs(name=key, value=value) for key, value in agent.environment.items()] or None,
                startup_probe=core.v1.ProbeArgs(
                    exec_=done, period_seconds=10, timeout_seconds=10, failure_threshold=agent.patience_seconds // 10
                ),
                liveness_probe=look if agent.repeats else None,
                readiness_probe=None if agent.repeats else look,
                resources=core.v1.ResourceRequirementsArgs(requests=dict(agent.requests), limits=dict(agent.limits)),
                security_context=core.v1.SecurityContextArgs(
                    privileged=True, run_as_user=0, read_only_root_filesystem=True
                ),
                volume_mounts=[core.v1.VolumeMountArgs(name="host", mount_path="/host", read_only=not agent.writes)],
            )
        ],
        volumes=[
            core.v1.VolumeArgs(name="host", host_path=core.v1.HostPathVolumeSourceArgs(path="/", type="Directory"))
        ],
    )
