"""vLLM servers whose replicas span nodes: a LeaderWorkerSet, and the operator that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, meta

from components import labels, server_pod, serving_names
from components.in_cluster import ClusterAccess, controller_tolerations, release, system_pool_affinity
from components.model_weights import WEIGHTS_PATH, PodWeights, patience_seconds
from components.operators import chart
from components.pod_admission import baseline_rules, pod_policy, restricted_rules
from components.readiness import waits_for
from components.server_times import drain_times, start_times
from components.vllm_arguments import vllm_arguments
from components.vllm_deployment import server_image
from components.vllm_settings import vllm_settings
from gpufleet.catalog import nccl, node_capacity, node_profiles
from gpufleet.catalog.gpu_stack import RdmaDevices
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.pool import Pool

API_VERSION, KIND = "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet"
_GROUP_KEY = "leaderworkerset.sigs.k8s.io/group-key"
_OPERATOR_NAMESPACE = "lws-system"
_TOPOLOGY_MOUNT = "/etc/nccl"
_MARGIN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class LeaderWorkerSetOperatorArgs:
    """Arguments of LeaderWorkerSetOperator."""

    access: ClusterAccess


class LeaderWorkerSetOperator(pulumi.ComponentResource):
    """The LeaderWorkerSet operator, on the system pool, and the policy over the pods of its groups.

    It makes its webhook's certificate itself, so it needs no cert-manager.
    """

    ready: Sequence[pulumi.Resource]
    """What must be there before a group is."""
    policy: pulumi.Resource
    """What must be there before the namespace of the groups is."""

    def __init__(
        self, name: str, args: LeaderWorkerSetOperatorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gpufleet:inference:LeaderWorkerSetOperator", name, {}, opts)
        access = args.access
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata=meta.v1.ObjectMetaArgs(
                name=_OPERATOR_NAMESPACE, labels={labels.POD_SECURITY_ENFORCE: "restricted", **labels.MANAGED_BY}
            ),
            opts=access.child(self),
        )
        operator = release(
            f"{name}-operator",
            chart("lws"),
            namespace,
            values=lws_values(),
            skip_await=False,
            opts=access.child(self),
        )
        self.policy = pod_policy(
            self,
            name,
            access,
            name="gpufleet-rdma-servers",
            namespaces=meta.v1.LabelSelectorArgs(
                match_labels={"kubernetes.io/metadata.name": serving_names.RDMA_NAMESPACE}
            ),
            rules=[*baseline_rules("of servers over InfiniBand"), *restricted_rules("of servers over InfiniBand")],
        )
        self.ready = [operator]
        self.register_outputs({})


def lws_values() -> dict[str, object]:
    """Values of the chart: its image by the release's tag, on the system pool, under Pod Security `restricted`."""
    return {
        # The chart's own is `main`, pulled at every start.
        "image": {"manager": {"tag": f"v{chart('lws').version}", "pullPolicy": "IfNotPresent"}},
        "podSecurityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "tolerations": controller_tolerations(),
        "affinity": system_pool_affinity(),
    }


@dataclass(frozen=True, kw_only=True)
class VllmGroupsArgs:
    """Arguments of VllmGroups."""

    access: ClusterAccess
    plan: ServerPlan
    pools: Sequence[Pool]
    """Pools of the region."""
    rdma_devices: RdmaDevices
    namespace: pulumi.Input[str]
    weights: PodWeights
    after: Sequence[pulumi.Resource]
    """What is there before the servers, and goes after them: operator, namespace, pools."""


class VllmGroups(pulumi.ComponentResource):
    """The LeaderWorkerSet of a plan, under the plan's name: each replica is a leader, which answers, and workers.

    Tensor parallelism within a node and pipeline parallelism across (vLLM parallelism and scaling). A group is one
    server: a container of it that ends restarts all of it, for none of the others could go on. It lies in one
    InfiniBand domain; several groups share a domain, so this is a pod affinity and not the operator's exclusive
    topology, which gives each group a domain of its own.

    A leader that ends drains as a server on one node does; a worker that is told to end waits until its leader is gone.
    The pods are root: Kubernetes gives IPC_LOCK to no other user, and RDMA pins memory.

    Not here: expert parallelism, prefill and decode apart. Limits that shape it: the operator would make a headless
    Service of the set's own name, which is the servers' Service, so each group has a subdomain of its own.
    """

    groups: apiextensions.CustomResource

    def __init__(self, name: str, args: VllmGroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:VllmGroups", name, {}, opts)
        self._args = args
        plan, access = args.plan, args.access
        topology = self._topology(name)
        own_labels = server_pod.server_labels(plan)
        metadata = {"labels": {**own_labels, **args.weights.labels}, "annotations": dict(args.weights.annotations)}
        room = plan.max_replicas > plan.min_replicas
        times = start_times(plan)
        started = times.progress_seconds + patience_seconds(plan)
        rolls = max(1, plan.max_replicas) * (times.budget_seconds + drain_times(plan).grace_seconds)
        self.groups = apiextensions.CustomResource(
            f"{name}-groups",
            api_version=API_VERSION,
            kind=KIND,
            metadata=meta.v1.ObjectMetaArgs(
                name=plan.name,
                namespace=args.namespace,
                labels=own_labels,
                # True of a set without replicas too.
                annotations=waits_for("condition=Available"),
            ),
            spec={
                "replicas": plan.min_replicas,
                "startupPolicy": "LeaderCreated",
                "networkConfig": {"subdomainPolicy": "UniquePerReplica"},
                "rolloutStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdateConfiguration": {"maxSurge": int(room), "maxUnavailable": int(not room)},
                },
                "leaderWorkerTemplate": {
                    "size": plan.serving.fit.nodes,
                    "restartPolicy": "RecreateGroupOnPodRestart",
                    "leaderTemplate": {"metadata": metadata, "spec": self._pod(leads=True)},
                    "workerTemplate": {"metadata": metadata, "spec": self._pod(leads=False)},
                },
            },
            opts=access.child(
                self,
                depends_on=[*args.after, *args.weights.depends_on, *topology],
                # KEDA's, as of a Deployment.
                ignore_changes=["spec.replicas"],
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{started + _MARGIN_SECONDS}s",
                    update=f"{started + rolls + _MARGIN_SECONDS}s",
                    delete=f"{drain_times(plan).grace_seconds + _MARGIN_SECONDS}s",
                ),
            ),
        )
        self.register_outputs({})

    def _topology(self, name: str) -> list[pulumi.Resource]:
        """NCCL's topology file: without it servers over ND H100 v5 nodes are 16 % slower (edwardsp/azcluster)."""
        profile = node_profiles.find(self._args.plan.serving.size)
        if profile is None or profile.nccl_topology is None:
            return []
        return [
            core.v1.ConfigMap(
                f"{name}-nccl-topology",
                metadata=meta.v1.ObjectMetaArgs(
                    name=_topology_name(self._args.plan), namespace=self._args.namespace, labels=labels.MANAGED_BY
                ),
                data={profile.nccl_topology: nccl.topology_file(profile.nccl_topology)},
                opts=self._args.access.child(self, depends_on=self._args.after),
            )
        ]

    def _pod(self, *, leads: bool) -> core.v1.PodSpecArgs:
        args = self._args
        plan, weights = args.plan, args.weights
        affinity = server_pod.affinity(plan, args.pools)
        affinity.pod_affinity = _one_domain(plan)
        topology = _topology_file(plan)
        volumes = [*server_pod.own_volumes(), *weights.volumes]
        mounts = [*server_pod.own_mounts(), *weights.mounts]
        if topology:
            source = core.v1.ConfigMapVolumeSourceArgs(name=_topology_name(plan))
            volumes.append(core.v1.VolumeArgs(name="nccl-topology", config_map=source))
            mounts.append(core.v1.VolumeMountArgs(name="nccl-topology", mount_path=_TOPOLOGY_MOUNT, read_only=True))
        return core.v1.PodSpecArgs(
            automount_service_account_token=False,
            enable_service_links=False,
            service_account_name=weights.service_account,
            priority_class_name=server_pod.priority_class(plan),
            affinity=affinity,
            tolerations=server_pod.tolerations(plan, args.pools),
            termination_grace_period_seconds=drain_times(plan).grace_seconds,
            security_context=core.v1.PodSecurityContextArgs(
                run_as_user=0, seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault")
            ),
            init_containers=list(weights.init_containers),
            containers=[
                core.v1.ContainerArgs(
                    name=serving_names.SERVER_CONTAINER,
                    image=server_image(plan),
                    command=["vllm", "serve", WEIGHTS_PATH],
                    args=group_arguments(plan, leads=leads),
                    env=[*server_pod.environment(_environment(plan)), _own_address()],
                    ports=[
                        core.v1.ContainerPortArgs(
                            name=serving_names.HTTP_PORT_NAME, container_port=serving_names.HTTP_PORT, protocol="TCP"
                        )
                    ]
                    if leads
                    else None,
                    resources=_resources(plan, args.rdma_devices),
                    security_context=_container_security(),
                    # A worker has no API; one that ends takes the group along.
                    startup_probe=server_pod.startup_probe(plan) if leads else None,
                    readiness_probe=server_pod.readiness_probe() if leads else None,
                    liveness_probe=server_pod.liveness_probe() if leads else None,
                    lifecycle=server_pod.lifecycle(plan) if leads else _after_the_leader(),
                    volume_mounts=mounts,
                )
            ],
            volumes=volumes,
        )


def group_arguments(plan: ServerPlan, *, leads: bool) -> list[str]:
    """Arguments of `vllm serve <weights>` in a leader or a worker."""
    settings = vllm_settings().multi_node
    return [
        *vllm_arguments(plan),
        f"--pipeline-parallel-size={plan.serving.fit.nodes}",
        *settings.arguments,
        f"--master-port={settings.master_port}",
        *([] if leads else settings.worker_arguments),
    ]


def _environment(plan: ServerPlan) -> dict[str, str]:
    size = plan.serving.size
    found = nccl.environment(size.series)
    topology = _topology_file(plan)
    return {**found, "NCCL_TOPO_FILE": f"{_TOPOLOGY_MOUNT}/{topology}"} if topology else found


def _topology_file(plan: ServerPlan) -> str | None:
    profile = node_profiles.find(plan.serving.size)
    return profile.nccl_topology if profile else None


def _topology_name(plan: ServerPlan) -> str:
    return f"{plan.name}-nccl"


def _own_address() -> core.v1.EnvVarArgs:
    """The pod's address: vLLM would take the first that it finds, and nodes with InfiniBand have many."""
    return core.v1.EnvVarArgs(
        name="VLLM_HOST_IP",
        value_from=core.v1.EnvVarSourceArgs(field_ref=core.v1.ObjectFieldSelectorArgs(field_path="status.podIP")),
    )


def _resources(plan: ServerPlan, devices: RdmaDevices) -> core.v1.ResourceRequirementsArgs:
    """A node's GPUs and its InfiniBand devices; of the shared plugin, one is all of them."""
    amount = node_capacity.of(plan.serving.size).rdma_devices if devices is RdmaDevices.SRIOV else 1
    return server_pod.resources(plan, {devices.resource: str(amount)})


def _container_security() -> core.v1.SecurityContextArgs:
    return core.v1.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.v1.CapabilitiesArgs(drop=["ALL"], add=["IPC_LOCK"]),
    )


def _one_domain(plan: ServerPlan) -> core.v1.PodAffinityArgs:
    """All pods of a group in one InfiniBand domain: the operator labels them with the group before they are stored."""
    return core.v1.PodAffinityArgs(
        required_during_scheduling_ignored_during_execution=[
            core.v1.PodAffinityTermArgs(
                topology_key=labels.INFINIBAND_DOMAIN,
                label_selector=meta.v1.LabelSelectorArgs(match_labels=server_pod.selector(plan)),
                match_label_keys=[_GROUP_KEY],
            )
        ]
    )


def _after_the_leader() -> core.v1.LifecycleArgs:
    """Ends once nobody answers at the leader's port any more, or with the pod's grace period."""
    settings = vllm_settings().multi_node
    look = (
        "import os, socket, time\n"
        f"leader = os.environ['LWS_LEADER_ADDRESS'], {settings.master_port}\n"
        "try:\n"
        "    while True:\n"
        f"        socket.create_connection(leader, {settings.look_seconds}).close()\n"
        f"        time.sleep({settings.look_seconds})\n"
        "except OSError:\n"
        "    pass\n"
    )
    return core.v1.LifecycleArgs(
        pre_stop=core.v1.LifecycleHandlerArgs(exec_=core.v1.ExecActionArgs(command=["python3", "-c", look]))
    )
