"""Whether a region can answer for every model it serves: one address for the global endpoint's probes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
from jinja2 import Environment, StrictUndefined
from pulumi_kubernetes import apps, core, meta, policy

from components import labels, serving_names
from components.gateway_settings import gateway_settings
from components.in_cluster import ClusterAccess, controller_tolerations
from components.inference_pools import apart, system_pod_security
from components.server_pod import HEALTH_PATH, container_security
from gpufleet.sizing.serving_plan import ServerPlan

NAME = "region-health"
_LABELS = {"app.kubernetes.io/name": NAME}
_TEMPLATE = Path(__file__).parent / "data" / "region_health.cfg.j2"
_FILE = "haproxy.cfg"


@dataclass(frozen=True, kw_only=True)
class RegionHealthArgs:
    """Arguments of RegionHealth."""

    access: ClusterAccess
    namespace: pulumi.Input[str]
    plans: Sequence[ServerPlan]


class RegionHealth(pulumi.ComponentResource):
    """HAProxy asks a server of every model for its health, and answers 200 while each model has one that is well.

    All models and not one of them: Front Door knows a region as a whole, and sends requests for every model there. Two
    are enough: they carry probes alone.
    """

    ready: Sequence[pulumi.Resource]
    """What a route to it comes after."""

    def __init__(self, name: str, args: RegionHealthArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:RegionHealth", name, {}, opts)
        settings, child = gateway_settings().health, args.access.child(self)
        text = configuration(args.plans)
        own = {**_LABELS, **labels.MANAGED_BY}
        # Another content is another name, so that pods are replaced by ones that have read it.
        config = f"{NAME}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        file = core.v1.ConfigMap(
            f"{name}-config",
            metadata=meta.v1.ObjectMetaArgs(name=config, namespace=args.namespace, labels=own),
            data={_FILE: text},
            opts=child,
        )
        metadata = meta.v1.ObjectMetaArgs(name=NAME, namespace=args.namespace, labels=own)
        deployment = apps.v1.Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec=deployment_spec(config),
            opts=args.access.child(self, depends_on=[file]),
        )
        service = core.v1.Service(
            f"{name}-service",
            metadata=metadata,
            spec=core.v1.ServiceSpecArgs(
                selector=_LABELS,
                ports=[core.v1.ServicePortArgs(name="http", port=settings.port, protocol="TCP", target_port="http")],
            ),
            opts=args.access.child(self, depends_on=[deployment]),
        )
        policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=metadata,
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=meta.v1.LabelSelectorArgs(match_labels=_LABELS)
            ),
            opts=child,
        )
        self.ready = [service]
        self.register_outputs({})


def configuration(plans: Sequence[ServerPlan]) -> str:
    """HAProxy's configuration: a backend for each model, with the Service of each of its servers' kinds."""
    settings = gateway_settings().health
    models: Mapping[str, list[dict[str, object]]] = defaultdict(list)
    for plan in plans:
        host = f"{plan.name}.{serving_names.namespace_of(plan)}.svc.cluster.local"
        models[plan.model.name].append({"name": plan.name, "host": host, "port": serving_names.HTTP_PORT})
    template = Environment(  # noqa: S701 - no HTML
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    ).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        models=models,
        path=HEALTH_PATH,
        port=settings.port,
        check_seconds=settings.check_seconds,
        check_failures=settings.check_failures,
    )


def deployment_spec(config: str) -> apps.v1.DeploymentSpecArgs:
    """Two of it on the system pool, under Pod Security `restricted`."""
    settings = gateway_settings().health

    def probe(period: int) -> core.v1.ProbeArgs:
        # The port and not the path: while a model is down the path says so, and that is no reason to restart.
        return core.v1.ProbeArgs(tcp_socket=core.v1.TCPSocketActionArgs(port="http"), period_seconds=period)

    container = core.v1.ContainerArgs(
        name="haproxy",
        image=settings.image,
        args=["haproxy", "-W", "-db", "-f", f"/config/{_FILE}"],
        ports=[core.v1.ContainerPortArgs(name="http", container_port=settings.port)],
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": settings.cpu, "memory": settings.memory}, limits={"memory": settings.memory}
        ),
        readiness_probe=probe(5),
        liveness_probe=probe(10),
        security_context=container_security(),
        volume_mounts=[core.v1.VolumeMountArgs(name="config", mount_path="/config", read_only=True)],
    )
    return apps.v1.DeploymentSpecArgs(
        replicas=2,
        selector=meta.v1.LabelSelectorArgs(match_labels=_LABELS),
        template=core.v1.PodTemplateSpecArgs(
            metadata=meta.v1.ObjectMetaArgs(labels={**_LABELS, **labels.MANAGED_BY}),
            spec=core.v1.PodSpecArgs(
                automount_service_account_token=False,
                priority_class_name="system-cluster-critical",
                tolerations=[
                    core.v1.TolerationArgs(key=one["key"], operator=one["operator"]) for one in controller_tolerations()
                ],
                affinity=apart(_LABELS),
                security_context=system_pod_security(settings.user),
                containers=[container],
                volumes=[core.v1.VolumeArgs(name="config", config_map=core.v1.ConfigMapVolumeSourceArgs(name=config))],
            ),
        ),
    )
