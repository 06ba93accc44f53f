"""The queue of a training fabric: Kueue, the kinds of jobs it lets in, and each team's share of the GPU pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import yaml
from pulumi_kubernetes import apiextensions, core, helm, meta

from components import labels
from components.in_cluster import ClusterAccess, controller_tolerations, release
from components.mpi_operator import MpiOperator, MpiOperatorArgs
from components.operators import chart
from components.team_namespaces import TeamNamespaces, TeamNamespacesArgs
from gpufleet.catalog import node_capacity, sizes
from gpufleet.catalog.gpu_stack import GpuStack, RdmaDevices
from gpufleet.spec.base import Priority
from gpufleet.spec.gpu_stack import gpu_needs
from gpufleet.spec.pool import NodeRange, Pool
from gpufleet.spec.queue import LOCAL_QUEUE, JobPriority, Team, team_namespace
from gpufleet.spec.teams import queued_pools, teams
from gpufleet.spec.training import TrainingFabric

TOPOLOGY = "fabric"
ADMISSION_CHECK = "whole-gang"
"""Name of the AdmissionCheck of autoscaled pools, and of its configuration."""
COMPUTE_DOMAIN_CHANNEL = "gpufleet.io/compute-domain-channel"
"""What Kueue counts a pod's claim on its NVLink domain as: it refuses claims of a device class that it can't count."""
CLAIMED = {
    "nvidia.com/gpu": "gpu.nvidia.com",
    COMPUTE_DOMAIN_CHANNEL: "compute-domain-default-channel.nvidia.com",
}
"""DeviceClasses of NVIDIA's DRA driver (NVIDIA/k8s-dra-driver-gpu), by the resource that Kueue counts them as."""

_KUEUE = "kueue.x-k8s.io/v1beta2"
_HOSTNAME = "kubernetes.io/hostname"
_PRIORITIES: Mapping[JobPriority, int] = {JobPriority.LOW: 100, JobPriority.NORMAL: 1000, JobPriority.HIGH: 10_000}
"""Room between them for classes of one's own."""


@dataclass(frozen=True, kw_only=True)
class BatchQueueArgs:
    """Arguments of BatchQueue."""

    access: ClusterAccess
    fabric: TrainingFabric


class BatchQueue(pulumi.ComponentResource):
    """Kueue with a flavor for each GPU pool and a ClusterQueue for each team; Kubeflow Trainer and the MPI operator.

    A gang is let in whole or not at all: quota first, then, on autoscaled pools, all missing nodes at once by a
    ProvisioningRequest, then a place within one InfiniBand domain by the topology. Shares are whole nodes in terms of
    `node_capacity`; idle ones are borrowed within the cohort and given back by eviction.

    Not here: CPU pools. Their pods are scheduled as they come.
    """

    namespaces: dict[str, core.v1.Namespace]
    """By team."""

    def __init__(self, name: str, args: BatchQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:queue:BatchQueue", name, {}, opts)
        access, fabric = args.access, args.fabric
        own = pulumi.ResourceOptions(parent=self)
        self._name, self._access, self._fabric = name, access, fabric
        self._labels = {**labels.MANAGED_BY, labels.FABRIC: fabric.name}
        self._release("trainer", "kubeflow-system", trainer_values())
        MpiOperator(f"{name}-mpi-operator", MpiOperatorArgs(access=access), opts=own)
        kueue = self._release("kueue", "kueue-system", kueue_values(fabric))
        self.namespaces = TeamNamespaces(
            f"{name}-teams",
            TeamNamespacesArgs(
                access=access,
                fabric=fabric.name,
                teams=[team.name for team in teams(fabric)],
                gpu_resources=_gpu_resources(fabric),
            ),
            opts=own,
        ).namespaces
        self._objects(kueue)
        self.register_outputs({})

    def _release(self, name: str, namespace: str, values: Mapping[str, object]) -> helm.v3.Release:
        made = core.v1.Namespace(
            f"{self._name}-{name}-namespace",
            metadata=meta.v1.ObjectMetaArgs(name=namespace, labels={labels.POD_SECURITY_ENFORCE: "restricted"}),
            opts=self._access.child(self),
        )
        return release(
            f"{self._name}-{name}",
            chart(name),
            made,
            values=values,
            # They run on the system pool, which always has nodes, and their webhooks must answer before objects come.
            skip_await=False,
            opts=self._access.child(self),
        )

    def _object(
        self,
        kind: str,
        name: str,
        spec: Mapping[str, object],
        *,
        after: Sequence[pulumi.Resource],
        namespace: str | None = None,
        ignore_changes: Sequence[str] = (),
    ) -> apiextensions.CustomResource:
        word = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind)
        return apiextensions.CustomResource(
            f"{self._name}{word}-{name}" if namespace is None else f"{self._name}{word}-{namespace}-{name}",
            api_version=_KUEUE,
            kind=kind,
            metadata=meta.v1.ObjectMetaArgs(name=name, namespace=namespace, labels=self._labels),
            spec=dict(spec),
            opts=self._access.child(self, depends_on=after, ignore_changes=ignore_changes),
        )

    def _objects(self, kueue: helm.v3.Release) -> None:
        topology = self._object("Topology", TOPOLOGY, topology_spec(), after=[kueue])
        flavors = [
            self._object("ResourceFlavor", pool.name, flavor_spec(pool), after=[topology])
            for pool in queued_pools(self._fabric)
        ]
        checks = []
        if autoscaled_pools(self._fabric):
            config = self._object(
                "ProvisioningRequestConfig", ADMISSION_CHECK, provisioning_spec(self._fabric), after=[kueue]
            )
            checks = [self._object("AdmissionCheck", ADMISSION_CHECK, admission_check_spec(), after=[config])]
        for priority, value in _PRIORITIES.items():
            # The SDK's class for custom resources sends nothing beside `spec`, which this kind doesn't have.
            pulumi.CustomResource(
                f"kubernetes:{_KUEUE}:WorkloadPriorityClass",
                f"{self._name}-priority-{priority}",
                {
                    "apiVersion": _KUEUE,
                    "kind": "WorkloadPriorityClass",
                    "metadata": {"name": priority.value, "labels": self._labels},
                    "value": value,
                    "description": f"{priority.capitalize()} priority among the jobs of a team",
                },
                opts=self._access.child(self, depends_on=[kueue]),
            )
        for team in teams(self._fabric):
            queue = self._object(
                "ClusterQueue",
                team.name,
                cluster_queue_spec(self._fabric, team),
                after=[*flavors, *checks],
                # The fabric's schedules stop and start queues; a deployment in between must not.
                ignore_changes=["spec.stopPolicy"],
            )
            self._object(
                "LocalQueue",
                LOCAL_QUEUE,
                {"clusterQueue": team.name},
                namespace=team_namespace(team.name),
                after=[queue, self.namespaces[team.name]],
            )


def trainer_values() -> dict[str, object]:
    """Values of the Kubeflow Trainer's chart, which brings JobSet; no ready-made runtimes, for a job has its own."""
    resources = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    return {
        "manager": {"tolerations": controller_tolerations(), "resources": resources},
        "jobset": {"install": True, "controller": {"tolerations": controller_tolerations()}},
        "runtimes": {"defaultEnabled": False},
    }


def kueue_values(fabric: TrainingFabric) -> dict[str, object]:
    """Values of Kueue's chart: where it runs and how it is configured."""
    return {
        "controllerManager": {
            # Its webhooks are in the way of every job, so a node that goes must not take them along.
            "replicas": 2,
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
            "tolerations": controller_tolerations(),
            "manager": {
                "priorityClassName": "system-cluster-critical",
                # With topology-aware scheduling it keeps all nodes and pods in memory (chart's README).
                "resources": {
                    "requests": {"cpu": "1", "memory": "2Gi"},
                    "limits": {"cpu": "2", "memory": "2Gi"},
                },
            },
        },
        "managerConfig": {"controllerManagerConfigYaml": yaml.safe_dump(configuration(fabric), sort_keys=False)},
    }


def configuration(fabric: TrainingFabric) -> dict[str, object]:
    """Kueue's own configuration (config.kueue.x-k8s.io/v1beta2), whole: the chart's default text is replaced by it."""
    resources: dict[str, object] = {}
    if fabric.cluster.gpu_stack is GpuStack.OPERATOR_DRA:
        resources["deviceClassMappings"] = [
            {"name": resource, "deviceClassNames": [device_class]}
            for resource, device_class in CLAIMED.items()
            if resource in covered_resources(fabric)
        ]
    if fabric.cluster.rdma_devices is RdmaDevices.SHARED:
        # All devices go to every pod that asks, so there is nothing to count.
        resources["excludeResourcePrefixes"] = [fabric.cluster.rdma_devices.resource]
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": ":8081"},
        "metrics": {"bindAddress": ":8443", "enableClusterQueueResources": True},
        "webhook": {"port": 9443},
        "leaderElection": {"leaderElect": True, "resourceName": "c1f6bfd2.kueue.x-k8s.io"},
        "controller": {
            "groupKindConcurrency": {
                "Job.batch": 5,
                "Pod": 5,
                "Workload.kueue.x-k8s.io": 10,
                "LocalQueue.kueue.x-k8s.io": 5,
                "ClusterQueue.kueue.x-k8s.io": 5,
                "ResourceFlavor.kueue.x-k8s.io": 1,
            }
        },
        "clientConnection": {"qps": 300, "burst": 500},
        "manageJobsWithoutQueueName": False,
        "waitForPodsReady": {
            "timeout": f"{fabric.queue.start_minutes}m",
            "recoveryTimeout": f"{fabric.queue.start_minutes}m",
            "blockAdmission": False,
            "requeuingStrategy": {"timestamp": "Eviction", "backoffBaseSeconds": 60, "backoffMaxSeconds": 3600},
        },
        "integrations": {
            "frameworks": [
                "batch/job",
                "kubeflow.org/mpijob",
                "jobset.x-k8s.io/jobset",
                "trainer.kubeflow.org/trainjob",
            ]
        },
        "fairSharing": {"preemptionStrategies": ["LessThanOrEqualToFinalShare", "LessThanInitialShare"]},
        **({"resources": resources} if resources else {}),
    }


def topology_spec() -> dict[str, object]:
    """Fabric, InfiniBand domain, node. A node that misses one of the labels is none of the topology's (Kueue)."""
    return {"levels": [{"nodeLabel": label} for label in (labels.FABRIC, labels.INFINIBAND_DOMAIN, _HOSTNAME)]}


def flavor_spec(pool: Pool) -> dict[str, object]:
    """The ResourceFlavor of a GPU pool.

    Kueue never changes node labels, tolerations or topology of a flavor with a topology, so nothing of the pool that
    can change is among them: its own taints, and spot's, are `nodeTaints`, which jobs must tolerate by themselves. That
    is what keeps jobs that can't resume off spot nodes.
    """
    taints = [*pool.taints, *([labels.SPOT_TAINT] if pool.priority is Priority.SPOT else [])]
    spec: dict[str, object] = {
        "nodeLabels": {labels.POOL: pool.name},
        "tolerations": [
            {"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in ("nvidia.com/gpu", "amd.com/gpu")
        ],
    }
    if sizes.get(pool.sku).rdma:
        spec["topologyName"] = TOPOLOGY
    if taints:
        spec["nodeTaints"] = [taint_fields(taint) for taint in taints]
    return spec


def taint_fields(taint: str) -> dict[str, str]:
    """`key=value:effect` as Kubernetes' fields."""
    rest, _, effect = taint.rpartition(":")
    key, _, value = rest.partition("=")
    return {"key": key, **({"value": value} if value else {}), "effect": effect}


def autoscaled_pools(fabric: TrainingFabric) -> list[Pool]:
    """The GPU pools whose nodes the autoscaler brings."""
    return [pool for pool in queued_pools(fabric) if isinstance(pool.nodes, NodeRange)]


def provisioning_spec(fabric: TrainingFabric) -> dict[str, object]:
    """How Kueue asks the autoscaler for nodes: all of a gang at once, or none.

    AKS configure-kueue-with-cluster-autoscaler. Only pods with GPUs are asked for; a gang's are alike, so that they are
    one template in the request.
    """
    return {
        "provisioningClassName": "best-effort-atomic-scale-up.autoscaling.x-k8s.io",
        "managedResources": _gpu_resources(fabric),
        "podSetMergePolicy": "IdenticalWorkloadSchedulingRequirements",
        "retryStrategy": {"backoffLimitCount": 3, "backoffBaseSeconds": 60, "backoffMaxSeconds": 1800},
    }


def admission_check_spec() -> dict[str, object]:
    """Kueue's own controller for ProvisioningRequests, configured."""
    return {
        "controllerName": "kueue.x-k8s.io/provisioning-request",
        "parameters": {
            "apiGroup": "kueue.x-k8s.io",
            "kind": "ProvisioningRequestConfig",
            "name": ADMISSION_CHECK,
        },
    }


def cluster_queue_spec(fabric: TrainingFabric, team: Team) -> dict[str, object]:
    """A team's ClusterQueue: its nodes of every pool as quotas, in one cohort with the other teams."""
    covered = covered_resources(fabric)
    spec: dict[str, object] = {
        "cohortName": fabric.name,
        "namespaceSelector": {"matchLabels": {labels.TEAM: team.name}},
        "queueingStrategy": fabric.queue.strategy.value,
        "resourceGroups": [
            {
                "coveredResources": covered,
                "flavors": [
                    {"name": pool.name, "resources": _quotas(fabric, pool, team, covered)}
                    for pool in queued_pools(fabric)
                ],
            }
        ],
        # What is lent comes back when its owner has work; within a team the higher priority goes first.
        "preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"},
    }
    if autoscaled := autoscaled_pools(fabric):
        spec["admissionChecksStrategy"] = {
            "admissionChecks": [{"name": ADMISSION_CHECK, "onFlavors": [pool.name for pool in autoscaled]}]
        }
    return spec


def covered_resources(fabric: TrainingFabric) -> list[str]:
    """What the queue counts: what pods of GPU pools may ask for."""
    needs = gpu_needs(fabric.pools)
    counted = ["cpu", "memory", *_gpu_resources(fabric)]
    if needs.rdma and fabric.cluster.rdma_devices is RdmaDevices.SRIOV:
        counted.append(fabric.cluster.rdma_devices.resource)
    if needs.racks:
        counted.append(COMPUTE_DOMAIN_CHANNEL)
    return counted


def _quotas(fabric: TrainingFabric, pool: Pool, team: Team, covered: Sequence[str]) -> list[dict[str, str]]:
    limits = {
        "nominalQuota": team.nominal_nodes.get(pool.name, 0),
        "borrowingLimit": team.borrowing_nodes.get(pool.name),
        "lendingLimit": team.lending_nodes.get(pool.name),
    }
    return [
        {
            "name": resource,
            **{limit: _quantity(fabric, pool, resource, nodes) for limit, nodes in limits.items() if nodes is not None},
        }
        for resource in covered
    ]


def _quantity(fabric: TrainingFabric, pool: Pool, resource: str, nodes: int) -> str:
    """So many nodes' worth of a resource."""
    capacity = node_capacity.of(sizes.get(pool.sku))
    if resource == "memory":
        return f"{nodes * capacity.memory_gib}Gi"
    each = {
        "cpu": capacity.cpus,
        capacity.gpu_resource: capacity.gpus,
        fabric.cluster.rdma_devices.resource: capacity.rdma_devices,
        # One pod a node is in the NVLink domain.
        COMPUTE_DOMAIN_CHANNEL: 1 if gpu_needs([pool]).racks else 0,
    }
    return str(nodes * each.get(resource, 0))


def _gpu_resources(fabric: TrainingFabric) -> list[str]:
    return sorted({node_capacity.of(sizes.get(pool.sku)).gpu_resource for pool in queued_pools(fabric)}, reverse=True)
