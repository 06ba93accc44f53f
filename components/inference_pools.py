"""Inference pools of one region: the servers of each form of each model, and who picks one of them for a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, apps, core, meta, networking, rbac

from components import labels, serving_names
from components.gateway_settings import gateway_settings
from components.in_cluster import ClusterAccess, controller_tolerations
from components.readiness import NOT_WAITED_FOR
from components.server_pod import container_security
from gpufleet.sizing.serving_plan import ServerPlan

POOL_API = "inference.networking.k8s.io/v1"
POOL_GROUP = "inference.networking.k8s.io"
_LEADER = {serving_names.WORKER_INDEX: "0"}
"""The first node of a replica over several nodes; it alone answers requests (kubernetes-sigs/lws, labels)."""
_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_PICKER = "gpufleet.io/endpoint-picker"
"""Label: the pool that an endpoint picker is for."""


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """One inference pool: the servers of a form that are in one namespace, of whatever size."""

    model: str
    form: str
    namespace: str
    share: float
    """Part of the model's requests, from 0 to 1, that belongs to the form."""
    rate: float
    """Output tokens a second of its servers at their most; by it several pools of one form share the form's part."""
    leaders_only: bool
    longest_stream_seconds: int
    servers: tuple[str, ...]
    """Names of the plans whose servers are in it."""

    @property
    def name(self) -> str:
        """Name in its namespace."""
        return f"{self.model}-{self.form}"

    @property
    def picker(self) -> str:
        """Name of everything of its endpoint picker."""
        return f"{self.name}-picker"

    @property
    def selector(self) -> dict[str, str]:
        """Labels of its servers. KAITO's have no labels of ours; a model of its own is on one size a region."""
        if self.namespace == serving_names.KAITO_NAMESPACE:
            return {serving_names.KAITO_SET: self.servers[0]}
        chosen = {serving_names.MODEL: self.model, serving_names.FORM: self.form}
        return {**chosen, **_LEADER} if self.leaders_only else chosen

    @property
    def port(self) -> int:
        """Port of its servers."""
        return serving_names.server_port(self.namespace)


def pool_plans(plans: Sequence[ServerPlan]) -> list[PoolPlan]:
    """The pools that hold these servers, in the plans' order."""
    found: dict[tuple[str, str, str], PoolPlan] = {}
    for plan in plans:
        namespace = serving_names.namespace_of(plan)
        key = (plan.model.name, plan.form.label, namespace)
        before = found.get(key)
        found[key] = PoolPlan(
            model=plan.model.name,
            form=plan.form.label,
            namespace=namespace,
            share=plan.form.share,
            rate=(before.rate if before else 0.0) + plan.max_replicas * plan.serving.tokens_per_s_per_replica,
            leaders_only=namespace == serving_names.RDMA_NAMESPACE,
            longest_stream_seconds=plan.model.longest_stream_seconds,
            servers=(*(before.servers if before else ()), plan.name),
        )
    return list(found.values())


def weights(pools: Sequence[PoolPlan]) -> dict[PoolPlan, int]:
    """Weights of one model's pools on its route, in thousandths.

    A form's part is divided among its pools by what they can give. Where nothing that is served here has a part, all
    are equal: better another form than an error.
    """
    exact: dict[PoolPlan, float] = {}
    for pool in pools:
        together = sum(other.rate for other in pools if other.form == pool.form)
        exact[pool] = pool.share * (pool.rate / together if together else 1)
    if not sum(exact.values()):
        return dict.fromkeys(pools, 1)
    return {pool: max(1, round(1000 * value)) if value else 0 for pool, value in exact.items()}


@dataclass(frozen=True, kw_only=True)
class InferencePoolsArgs:
    """Arguments of InferencePools."""

    access: ClusterAccess
    pools: Sequence[PoolPlan]
    namespaces: Mapping[str, pulumi.Input[str]]
    """Namespaces of servers by their names, as outputs of what makes them."""
    servers: Mapping[str, Sequence[pulumi.Resource]]
    """What makes the servers of a plan, by the plan's name: a pool goes before its servers do."""
    definitions: Sequence[pulumi.Resource]
    """What defines the kinds of the Gateway API and its Inference Extension."""


class InferencePools(pulumi.ComponentResource):
    """An InferencePool and an endpoint picker for each, and the gateway's leave to send requests there.

    The picker prefers a server that has the beginning of a prompt in its KV cache, with a short queue and room in the
    cache. Without it the gateway takes any server (`FailOpen`): slower, and nobody is turned away. It has no disruption
    budget: the one that waits for its lease isn't ready, so a budget would hold up a node's drain for ever.
    """

    ready: dict[str, list[pulumi.Resource]]
    """By model: pools and grants, which its route comes after."""

    def __init__(self, name: str, args: InferencePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:InferencePools", name, {}, opts)
        self._name, self._args = name, args
        grants: dict[str, pulumi.Resource] = {}
        for namespace in dict.fromkeys(pool.namespace for pool in args.pools):
            grants[namespace] = self._grant(namespace)
            self._policy(namespace)
        self.ready = {pool.model: [] for pool in args.pools}
        for pool in args.pools:
            self.ready[pool.model] += [grants[pool.namespace], self._pool(pool)]
        self.register_outputs({})

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return self._args.access.child(self, depends_on=after)

    def _grant(self, namespace: str) -> pulumi.Resource:
        return apiextensions.CustomResource(
            f"{self._name}-{namespace}-grant",
            api_version="gateway.networking.k8s.io/v1beta1",
            kind="ReferenceGrant",
            metadata=meta.v1.ObjectMetaArgs(
                name=serving_names.GATEWAY_NAMESPACE,
                namespace=self._args.namespaces[namespace],
                labels=labels.MANAGED_BY,
            ),
            spec={
                "from": [
                    {
                        "group": "gateway.networking.k8s.io",
                        "kind": "HTTPRoute",
                        "namespace": serving_names.GATEWAY_NAMESPACE,
                    }
                ],
                "to": [{"group": POOL_GROUP, "kind": "InferencePool"}],
            },
            opts=self._child(*self._args.definitions),
        )

    def _policy(self, namespace: str) -> None:
        settings = gateway_settings().endpoint_picker
        networking.v1.NetworkPolicy(
            f"{self._name}-{namespace}-pickers",
            metadata=meta.v1.ObjectMetaArgs(
                name="endpoint-pickers", namespace=self._args.namespaces[namespace], labels=labels.MANAGED_BY
            ),
            spec=picker_policy(namespace, port=settings.port, metrics_port=settings.metrics_port),
            opts=self._child(),
        )

    def _pool(self, pool: PoolPlan) -> pulumi.Resource:
        settings = gateway_settings().endpoint_picker
        prefix = f"{self._name}-{pool.namespace}-{pool.name}"
        namespace = self._args.namespaces[pool.namespace]
        servers = [resource for server in pool.servers for resource in self._args.servers[server]]
        own = {**labels.MANAGED_BY, serving_names.MODEL: pool.model, _PICKER: pool.name}
        metadata = meta.v1.ObjectMetaArgs(name=pool.picker, namespace=namespace, labels=own)
        unwaited = meta.v1.ObjectMetaArgs(name=pool.picker, namespace=namespace, labels=own, annotations=NOT_WAITED_FOR)
        account = core.v1.ServiceAccount(f"{prefix}-account", metadata=metadata, opts=self._child())
        role = rbac.v1.Role(f"{prefix}-role", metadata=metadata, rules=picker_rules(), opts=self._child())
        binding = rbac.v1.RoleBinding(
            f"{prefix}-binding",
            metadata=metadata,
            role_ref=rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=pool.picker),
            subjects=[rbac.v1.SubjectArgs(kind="ServiceAccount", name=pool.picker, namespace=namespace)],
            opts=self._child(role),
        )
        service = core.v1.Service(
            f"{prefix}-service",
            # It has an endpoint once a picker leads; the pool, which the picker asks for, comes before.
            metadata=unwaited,
            spec=core.v1.ServiceSpecArgs(
                selector={_PICKER: pool.name},
                ports=[
                    core.v1.ServicePortArgs(
                        name="grpc", port=settings.port, protocol="TCP", app_protocol="kubernetes.io/h2c"
                    )
                ],
            ),
            opts=self._child(),
        )
        made = apiextensions.CustomResource(
            f"{prefix}-pool",
            api_version=POOL_API,
            kind="InferencePool",
            metadata=meta.v1.ObjectMetaArgs(
                name=pool.name,
                namespace=namespace,
                labels={**labels.MANAGED_BY, serving_names.MODEL: pool.model, serving_names.FORM: pool.form},
            ),
            spec=pool_spec(pool),
            opts=self._child(*self._args.definitions, service, *servers),
        )
        apps.v1.Deployment(
            f"{prefix}-picker",
            # The one that waits for its lease isn't ready, so the Deployment never has all of its replicas.
            metadata=unwaited,
            spec=picker_spec(pool, own),
            opts=self._child(made, account, binding),
        )
        return made


def pool_spec(pool: PoolPlan) -> dict[str, object]:
    """The InferencePool: which servers, and who picks."""
    return {
        "selector": {"matchLabels": pool.selector},
        "targetPorts": [{"number": pool.port}],
        "endpointPickerRef": {
            "name": pool.picker,
            "port": {"number": gateway_settings().endpoint_picker.port},
            "failureMode": "FailOpen",
        },
    }


def plugins(scorers: Mapping[str, int]) -> str:
    """The picker's own configuration, as text for its argument."""
    return json.dumps(
        {
            "apiVersion": "llm-d.ai/v1alpha1",
            "kind": "EndpointPickerConfig",
            "plugins": [
                *({"type": scorer} for scorer in scorers),
                {"type": "metrics-data-source", "parameters": {"scheme": "http", "path": "/metrics"}},
                {"type": "core-metrics-extractor"},
            ],
            "schedulingProfiles": [
                {
                    "name": "default",
                    "plugins": [{"pluginRef": scorer, "weight": weight} for scorer, weight in scorers.items()],
                }
            ],
        }
    )


def picker_rules() -> list[rbac.v1.PolicyRuleArgs]:
    """What a picker reads in its namespace, and the lease (llm-d-router deploy/components/inference-gateway/rbac)."""
    read = ["get", "list", "watch"]
    return [
        rbac.v1.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=read),
        rbac.v1.PolicyRuleArgs(api_groups=[POOL_GROUP], resources=["inferencepools"], verbs=read),
        rbac.v1.PolicyRuleArgs(
            api_groups=["coordination.k8s.io"], resources=["leases"], verbs=[*read, "create", "update", "patch"]
        ),
        rbac.v1.PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["create", "patch"]),
    ]


def picker_policy(namespace: str, *, port: int, metrics_port: int) -> networking.v1.NetworkPolicySpecArgs:
    """The gateway asks pickers; they reach servers, DNS and the API server, whose address is none of the cluster's."""
    known_by = serving_names.KAITO_SET if namespace == serving_names.KAITO_NAMESPACE else serving_names.SERVER

    def ports(*numbers: int, protocol: str = "TCP") -> list[networking.v1.NetworkPolicyPortArgs]:
        return [networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=number) for number in numbers]

    def peer(name: str, pods: dict[str, str] | None = None) -> networking.v1.NetworkPolicyPeerArgs:
        return networking.v1.NetworkPolicyPeerArgs(
            namespace_selector=meta.v1.LabelSelectorArgs(match_labels={_NAMESPACE_NAME: name}),
            pod_selector=meta.v1.LabelSelectorArgs(match_labels=pods) if pods else None,
        )

    servers = networking.v1.NetworkPolicyPeerArgs(
        pod_selector=meta.v1.LabelSelectorArgs(
            match_expressions=[
                meta.v1.LabelSelectorRequirementArgs(key=known_by, operator="Exists"),
            ]
        )
    )
    return networking.v1.NetworkPolicySpecArgs(
        pod_selector=meta.v1.LabelSelectorArgs(
            match_expressions=[meta.v1.LabelSelectorRequirementArgs(key=_PICKER, operator="Exists")]
        ),
        policy_types=["Ingress", "Egress"],
        ingress=[
            networking.v1.NetworkPolicyIngressRuleArgs(
                from_=[peer(serving_names.GATEWAY_NAMESPACE)], ports=ports(port)
            ),
            networking.v1.NetworkPolicyIngressRuleArgs(from_=[peer("kube-system")], ports=ports(metrics_port)),
        ],
        egress=[
            networking.v1.NetworkPolicyEgressRuleArgs(to=[servers], ports=ports(serving_names.server_port(namespace))),
            networking.v1.NetworkPolicyEgressRuleArgs(
                to=[peer("kube-system", {"k8s-app": "kube-dns"})], ports=[*ports(53, protocol="UDP"), *ports(53)]
            ),
            networking.v1.NetworkPolicyEgressRuleArgs(ports=ports(443)),
        ],
    )


def picker_spec(pool: PoolPlan, pod_labels: dict[str, str]) -> apps.v1.DeploymentSpecArgs:
    """The picker's Deployment.

    `Recreate`, as its maker says: the one that leads must go before another can be ready. It drains as long as the
    longest answer, for it hears of each answer to its end.
    """
    settings = gateway_settings().endpoint_picker
    arguments = [
        f"--pool-name={pool.name}",
        f"--pool-namespace={pool.namespace}",
        f"--pool-group={POOL_GROUP}",
        f"--grpc-port={settings.port}",
        f"--grpc-health-port={settings.health_port}",
        f"--metrics-port={settings.metrics_port}",
        # The network policy says who may read them; tokens would need a role over the whole cluster.
        "--metrics-endpoint-auth=false",
        "--tracing=false",
        "--zap-encoder=json",
        f"--config-text={plugins(settings.scorers)}",
        *(["--ha-enable-leader-election"] if settings.replicas > 1 else []),
    ]
    fields = {"NAMESPACE": "metadata.namespace", "POD_NAME": "metadata.name"}

    def probe(service: str, period: int) -> core.v1.ProbeArgs:
        return core.v1.ProbeArgs(
            grpc=core.v1.GRPCActionArgs(port=settings.health_port, service=service), period_seconds=period
        )

    container = core.v1.ContainerArgs(
        name="endpoint-picker",
        image=settings.image,
        args=arguments,
        env=[
            core.v1.EnvVarArgs(
                name=variable,
                value_from=core.v1.EnvVarSourceArgs(field_ref=core.v1.ObjectFieldSelectorArgs(field_path=path)),
            )
            for variable, path in fields.items()
        ],
        ports=[
            core.v1.ContainerPortArgs(name="grpc", container_port=settings.port),
            core.v1.ContainerPortArgs(name="metrics", container_port=settings.metrics_port),
        ],
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": settings.cpu, "memory": settings.memory}, limits={"memory": settings.memory}
        ),
        liveness_probe=probe("liveness", 10),
        readiness_probe=probe("readiness", 2),
        security_context=container_security(),
    )
    return apps.v1.DeploymentSpecArgs(
        replicas=settings.replicas,
        strategy=apps.v1.DeploymentStrategyArgs(type="Recreate"),
        selector=meta.v1.LabelSelectorArgs(match_labels={_PICKER: pool.name}),
        template=core.v1.PodTemplateSpecArgs(
            metadata=meta.v1.ObjectMetaArgs(labels=pod_labels),
            spec=core.v1.PodSpecArgs(
                service_account_name=pool.picker,
                priority_class_name="system-cluster-critical",
                termination_grace_period_seconds=pool.longest_stream_seconds + 30,
                tolerations=[
                    core.v1.TolerationArgs(key=one["key"], operator=one["operator"]) for one in controller_tolerations()
                ],
                affinity=apart({_PICKER: pool.name}),
                security_context=system_pod_security(65532),
                containers=[container],
            ),
        ),
    )


def system_pod_security(user: int) -> core.v1.PodSecurityContextArgs:
    """What Pod Security `restricted` asks of a pod, with a user of the image's."""
    return core.v1.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
    )


def apart(pods: dict[str, str]) -> core.v1.AffinityArgs:
    """Preferred on different nodes: a system pool of one node must hold them too."""
    term = core.v1.WeightedPodAffinityTermArgs(
        weight=100,
        pod_affinity_term=core.v1.PodAffinityTermArgs(
            topology_key="kubernetes.io/hostname", label_selector=meta.v1.LabelSelectorArgs(match_labels=pods)
        ),
    )
    return core.v1.AffinityArgs(
        pod_anti_affinity=core.v1.PodAntiAffinityArgs(preferred_during_scheduling_ignored_during_execution=[term])
    )
