"""What the pods of model servers have in common, on one node or on several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pulumi_kubernetes import core, meta

from components import labels, serving_names, serving_priorities
from components.server_times import drain_times, start_times
from components.vllm_settings import vllm_settings
from gpufleet.catalog import node_capacity
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.base import Priority
from gpufleet.spec.model import ServerKind
from gpufleet.spec.pool import Pool

HEALTH_PATH = "/health"
"""vLLM answers 200 while its engine lives (vLLM OpenAI-compatible server)."""
_CACHE, _TEMPORARY, _SHARED_MEMORY = "/cache", "/tmp", "/dev/shm"  # noqa: S108 volumes of the pod's own


def server_labels(plan: ServerPlan) -> dict[str, str]:
    """Labels of everything of a plan. Selectors take SERVER alone: a Deployment's selector never changes."""
    team = {labels.TEAM: plan.model.team} if plan.model.team else {}
    return {
        "app.kubernetes.io/name": plan.name,
        **labels.MANAGED_BY,
        serving_names.MODEL: plan.model.name,
        serving_names.FORM: plan.form.label,
        serving_names.SERVER: plan.name,
        **team,
    }


def selector(plan: ServerPlan) -> dict[str, str]:
    """Labels that the plan's servers have and no other pods."""
    own = serving_names.KAITO_SET if plan.model.server is ServerKind.KAITO else serving_names.SERVER
    return {own: plan.name}


def answering(plan: ServerPlan) -> dict[str, str]:
    """Labels of those of its pods that take requests: of a server over several nodes, the leader."""
    leads = serving_names.namespace_of(plan) == serving_names.RDMA_NAMESPACE
    leader = {serving_names.WORKER_INDEX: "0"} if leads else {}
    return {**selector(plan), **leader}


def priority_class(plan: ServerPlan) -> str:
    """The model's own form goes before the others."""
    own = plan.model.forms[0].label
    return serving_priorities.OWN_FORM if plan.form.label == own else serving_priorities.OTHER_FORM


def tolerations(plan: ServerPlan, pools: Sequence[Pool]) -> list[core.v1.TolerationArgs]:
    """For every taint of the plan's pools, and no other: spot's only where a pool is spot."""
    mine = pools_of(plan, pools)
    taints = [labels.gpu_taint(node_capacity.of(plan.serving.size).gpu_resource)]
    taints += [labels.SPOT_TAINT] if has_spot(mine) else []
    taints += [taint for pool in mine for taint in pool.taints]
    return [core.v1.TolerationArgs(**labels.toleration(taint)) for taint in dict.fromkeys(taints)]


def affinity(plan: ServerPlan, pools: Sequence[Pool]) -> core.v1.AffinityArgs:
    """The plan's pools alone; of those, regular nodes that are there before spot nodes that are there.

    So the warm floor lies on the regular pools' minimum, and what exceeds it waits for a new node: of which kind, says
    the autoscaler's priority expander, spot first (docs/adr/0028).
    """
    mine = pools_of(plan, pools)
    required = core.v1.NodeSelectorArgs(
        node_selector_terms=[
            core.v1.NodeSelectorTermArgs(
                match_expressions=[_requirement(labels.POOL, "In", sorted(pool.name for pool in mine))]
            )
        ]
    )
    regular = core.v1.PreferredSchedulingTermArgs(
        weight=100,
        preference=core.v1.NodeSelectorTermArgs(
            match_expressions=[_requirement(labels.SPOT_LABEL[0], "NotIn", [labels.SPOT_LABEL[1]])]
        ),
    )
    return core.v1.AffinityArgs(
        node_affinity=core.v1.NodeAffinityArgs(
            required_during_scheduling_ignored_during_execution=required,
            preferred_during_scheduling_ignored_during_execution=[regular] if has_spot(mine) else None,
        )
    )


def spread(plan: ServerPlan, pools: Sequence[Pool]) -> list[core.v1.TopologySpreadConstraintArgs]:
    """Over zones, then over nodes, as far as there is room: a rule would leave GPUs idle and requests waiting.

    None beside spot nodes: the scheduler weighs a spread as much as the preference of regular nodes, and an idle spot
    node could get what belongs to the floor (Kubernetes docs: scheduler configuration, default weights of 2).
    """
    if has_spot(pools_of(plan, pools)):
        return []
    return [
        core.v1.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=meta.v1.LabelSelectorArgs(match_labels=selector(plan)),
            # Pods of the version that goes don't count (Kubernetes topology-spread-constraints).
            match_label_keys=["pod-template-hash"],
        )
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def resources(plan: ServerPlan, devices: Mapping[str, str] | None = None) -> core.v1.ResourceRequirementsArgs:
    """GPUs of a replica on one node, and their share of the node's CPUs and memory; with them other `devices`.

    Memory is limited to what is asked for; CPU has no limit, for a server that is held back leaves its GPUs idle.
    """
    fit = plan.serving.fit
    capacity = node_capacity.of(plan.serving.size)
    share = vllm_settings().pod.node_share / fit.replicas_per_node
    memory = f"{max(1, math.floor(capacity.memory_gib * share))}Gi"
    gpus = {capacity.gpu_resource: str(min(fit.tensor_parallel, capacity.gpus)), **(devices or {})}
    return core.v1.ResourceRequirementsArgs(
        requests={"cpu": str(max(1, math.floor(capacity.cpus * share))), "memory": memory, **gpus},
        limits={"memory": memory, **gpus},
    )


def pod_security(plan: ServerPlan) -> core.v1.PodSecurityContextArgs:
    """Neither root nor anything more than `restricted` allows."""
    settings = vllm_settings().pod
    amd = plan.serving.size.gpu_vendor == "AMD"
    return core.v1.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=settings.user,
        run_as_group=settings.group,
        # No fsGroup: emptyDir is open to every user, and the weights belong to all servers of a node.
        supplemental_groups=settings.amd_groups if amd else None,
        seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> core.v1.SecurityContextArgs:
    """No capabilities, nothing written outside of volumes."""
    return core.v1.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
    )


def environment(extra: Mapping[str, str] | None = None) -> list[core.v1.EnvVarArgs]:
    """Environment variables of a server."""
    found = {**vllm_settings().environment.variables, **(extra or {})}
    return [core.v1.EnvVarArgs(name=name, value=value) for name, value in found.items()]


def own_volumes() -> list[core.v1.VolumeArgs]:
    """Caches, /tmp, and shared memory, by which NCCL and vLLM's processes of one node talk to each other."""
    settings = vllm_settings().pod
    sizes = {"cache": settings.cache_gib, "tmp": settings.temporary_gib}
    return [
        core.v1.VolumeArgs(name=name, empty_dir=core.v1.EmptyDirVolumeSourceArgs(size_limit=f"{size}Gi"))
        for name, size in sizes.items()
    ] + [
        core.v1.VolumeArgs(
            name="shm",
            empty_dir=core.v1.EmptyDirVolumeSourceArgs(medium="Memory", size_limit=f"{settings.shared_memory_gib}Gi"),
        )
    ]


def own_mounts() -> list[core.v1.VolumeMountArgs]:
    """Where a server finds them."""
    paths = {"cache": _CACHE, "tmp": _TEMPORARY, "shm": _SHARED_MEMORY}
    return [core.v1.VolumeMountArgs(name=name, mount_path=path) for name, path in paths.items()]


def startup_probe(plan: ServerPlan) -> core.v1.ProbeArgs:
    """As long as a slow start takes; the other probes wait for it."""
    times = start_times(plan)
    return _probe(period=times.probe_period_seconds, failures=times.probe_failures)


def readiness_probe() -> core.v1.ProbeArgs:
    """Fifteen seconds, and routes are taken away."""
    return _probe(period=5, failures=3)


def liveness_probe() -> core.v1.ProbeArgs:
    """Two minutes: a restart loses every answer and the weights. It rests while a pod ends (kubelet, prober/worker)."""
    return _probe(period=10, failures=12)


def lifecycle(plan: ServerPlan) -> core.v1.LifecycleArgs:
    """SIGTERM comes when gateways know that the pod leaves: vLLM takes no request after it."""
    return core.v1.LifecycleArgs(
        pre_stop=core.v1.LifecycleHandlerArgs(sleep=core.v1.SleepActionArgs(seconds=drain_times(plan).lead_seconds))
    )


def pools_of(plan: ServerPlan, pools: Sequence[Pool]) -> list[Pool]:
    """The plan's pools, of those of its region."""
    return [pool for pool in pools if pool.name in plan.pools]


def has_spot(pools: Sequence[Pool]) -> bool:
    """Whether one of them has spot nodes."""
    return any(pool.priority is Priority.SPOT for pool in pools)


def _probe(*, period: int, failures: int) -> core.v1.ProbeArgs:
    return core.v1.ProbeArgs(
        http_get=core.v1.HTTPGetActionArgs(path=HEALTH_PATH, port=serving_names.HTTP_PORT_NAME),
        period_seconds=period,
        failure_threshold=failures,
        timeout_seconds=5,
    )


def _requirement(key: str, operator: str, values: Sequence[str]) -> core.v1.NodeSelectorRequirementArgs:
    return core.v1.NodeSelectorRequirementArgs(key=key, operator=operator, values=list(values))
