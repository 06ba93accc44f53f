"""Scratch on GPU nodes: their local NVMe disks as one file system."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pulumi
from pulumi_kubernetes import apps, core, meta

from components import labels
from components.in_cluster import ClusterAccess, privileged_namespace
from components.readiness import NOT_WAITED_FOR
from components.volume_settings import volume_settings
from gpufleet.spec.pool import Pool

_SCRIPT = Path(__file__).parent / "data" / "node_scratch.sh"
_APP = "node-scratch"
_SCRIPTS = "/scripts"
_CHECK_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class NodeScratchArgs:
    """Arguments of NodeScratch."""

    access: ClusterAccess
    pools: Sequence[Pool]
    """The pools whose nodes have scratch; one at least."""
    directories: Sequence[str]
    """Made in the file system, open to every user: what volumes are of."""


class NodeScratch(pulumi.ComponentResource):
    """A daemon set that joins the local NVMe disks of the pools' nodes (RAID 0) and mounts them at /mnt/nvme.

    It runs data/node_scratch.sh in the nodes' own mount namespace, once a minute: a node that came back from a reboot
    has its array mounted again, and a new one gets its file system. Pods have it by a claim (TrainingVolumes). What is
    on it is gone with the node.

    Not here: claims on shares of the disks (Azure Container Storage does that), quotas between jobs. Pods must be
    privileged and root to mount a disk on a node, so their namespace says so.
    """

    def __init__(self, name: str, args: NodeScratchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:storage:NodeScratch", name, {}, opts)
        access = args.access
        namespace = privileged_namespace(f"{name}-namespace", _APP, access.child(self))
        script = core.v1.ConfigMap(
            f"{name}-script",
            metadata=meta.v1.ObjectMetaArgs(name=_APP, namespace=namespace.metadata.name),
            data={_SCRIPT.name: script_text()},
            opts=access.child(self),
        )
        selector = {"app.kubernetes.io/name": _APP}
        apps.v1.DaemonSet(
            f"{name}-daemonset",
            metadata=meta.v1.ObjectMetaArgs(
                name=_APP,
                namespace=namespace.metadata.name,
                # Pools may be at zero nodes, or their nodes on the way.
                annotations=NOT_WAITED_FOR,
            ),
            spec=apps.v1.DaemonSetSpecArgs(
                selector=meta.v1.LabelSelectorArgs(match_labels=selector),
                # What is mounted stays mounted while a pod is replaced.
                update_strategy=apps.v1.DaemonSetUpdateStrategyArgs(
                    type="RollingUpdate", rolling_update=apps.v1.RollingUpdateDaemonSetArgs(max_unavailable="100%")
                ),
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(
                        labels=selector,
                        # Another script is another pod.
                        annotations={"gpufleet.io/script": hashlib.sha256(script_text().encode()).hexdigest()[:16]},
                    ),
                    spec=_pod(args, script),
                ),
            ),
            opts=access.child(self),
        )
        self.register_outputs({})


@lru_cache(maxsize=1)
def script_text() -> str:
    """The script that runs on the nodes."""
    return _SCRIPT.read_text(encoding="utf-8")


def _pod(args: NodeScratchArgs, script: core.v1.ConfigMap) -> core.v1.PodSpecArgs:
    settings = volume_settings().scratch
    on_node = "nsenter --target 1 --mount"
    arguments = " ".join([settings.mount_point, *args.directories])
    run = f"{on_node} -- /bin/bash -s -- {arguments} <{_SCRIPTS}/{_SCRIPT.name}"
    return core.v1.PodSpecArgs(
        # The node's own mdadm and mkfs, and mounts that outlive the pod.
        host_pid=True,
        automount_service_account_token=False,
        priority_class_name="system-node-critical",
        termination_grace_period_seconds=5,
        # Any taint: scratch must be there before a node's start-up taints are gone.
        tolerations=[core.v1.TolerationArgs(operator="Exists")],
        affinity=core.v1.AffinityArgs(
            node_affinity=core.v1.NodeAffinityArgs(
                required_during_scheduling_ignored_during_execution=core.v1.NodeSelectorArgs(
                    node_selector_terms=[
                        core.v1.NodeSelectorTermArgs(
                            match_expressions=[
                                core.v1.NodeSelectorRequirementArgs(
                                    key=labels.POOL, operator="In", values=sorted(pool.name for pool in args.pools)
                                )
                            ]
                        )
                    ]
                )
            )
        ),
        containers=[
            core.v1.ContainerArgs(
                name="scratch",
                image=str(settings.image),
                command=[
                    "sh",
                    "-c",
                    f"trap 'exit 0' TERM; while {run}; do sleep {_CHECK_SECONDS} & wait $!; done; exit 1",
                ],
                security_context=core.v1.SecurityContextArgs(privileged=True, run_as_user=0),
                readiness_probe=core.v1.ProbeArgs(
                    exec_=core.v1.ExecActionArgs(
                        command=[*on_node.split(), "--", "mountpoint", "-q", settings.mount_point]
                    ),
                    period_seconds=10,
                ),
                resources=core.v1.ResourceRequirementsArgs(
                    requests={"cpu": "10m", "memory": "32Mi"}, limits={"cpu": "1", "memory": "512Mi"}
                ),
                volume_mounts=[core.v1.VolumeMountArgs(name="scripts", mount_path=_SCRIPTS, read_only=True)],
            )
        ],
        volumes=[
            core.v1.VolumeArgs(name="scripts", config_map=core.v1.ConfigMapVolumeSourceArgs(name=script.metadata.name))
        ],
    )
