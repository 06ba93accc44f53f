"""The gateway of one region: what Front Door's requests come to, and how they find a server of their model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, helm, meta

from components import gateway_routes as routes
from components import labels, serving_names
from components.gateway_certificate import GatewayCertificate, GatewayCertificateArgs
from components.gateway_definitions import add_definitions
from components.gateway_health import NAME as HEALTH
from components.gateway_health import RegionHealth, RegionHealthArgs
from components.gateway_policies import add_policies
from components.gateway_proxies import parameters_spec, private_annotations, public_annotations
from components.gateway_settings import gateway_settings
from components.in_cluster import controller_tolerations, release
from components.inference_pools import InferencePools, InferencePoolsArgs, PoolPlan, pool_plans
from components.operators import chart
from components.readiness import waits_for
from components.region_serving import RegionServing
from gpufleet.errors import ConfigurationError

_ROUTE = "HTTPRoute"
_PARAMETERS, _POLICY, _BACKEND = "AgentgatewayParameters", "AgentgatewayPolicy", "AgentgatewayBackend"
_API = {
    "Gateway": "gateway.networking.k8s.io/v1",
    _ROUTE: "gateway.networking.k8s.io/v1",
    _PARAMETERS: "agentgateway.dev/v1alpha1",
    _POLICY: "agentgateway.dev/v1alpha1",
    _BACKEND: "agentgateway.dev/v1alpha1",
}
# Agentgateway says `Programmed` before its load balancer has an address (agentgateway v1.4.1, controller), and with the
# address comes the Private Link service that an origin asks for (cloud-provider-azure: pls-integration).
_REACHABLE = ("condition=Programmed", "jsonpath={.status.addresses[0].value}")
_LIST, _UNKNOWN, _PROBES = "list", "unknown", "probes"


@dataclass(frozen=True, kw_only=True)
class InferenceGatewayArgs:
    """Arguments of InferenceGateway."""

    serving: RegionServing
    namespaces: Mapping[str, pulumi.Input[str]]
    """Namespaces of servers by their names, as outputs of what makes them."""
    servers: Mapping[str, Sequence[pulumi.Resource]]
    """What makes the servers of a plan, by the plan's name: a model's route comes after its servers, and goes before
    them."""


class InferenceGateway(pulumi.ComponentResource):
    """Gateway API with the Inference Extension by agentgateway: one route and its inference pools for every model.

    A request names its model in the body, as OpenAI's API has it; the proxy sets it as a header, and the model's route
    divides the requests among its forms. `/health` tells whether every model has a server that is well. Requests that
    don't come by the environment's own Front Door are refused (403).

    Nothing here knows another region. Routes depend on servers, so that a model's route goes before its servers do.
    """

    ready: Sequence[pulumi.Resource]
    """What must be there before requests come to the region."""

    def __init__(self, name: str, args: InferenceGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:InferenceGateway", name, {}, opts)
        self._name, self._args = name, args
        own = pulumi.ResourceOptions(parent=self)
        serving, access, spec = args.serving, args.serving.access, args.serving.inference.gateway
        definitions = add_definitions(self, name, access)
        self._namespace = self._restricted("gateway", serving_names.GATEWAY_NAMESPACE)
        add_policies(self, name, access, self._namespace)
        controller = self._controller(definitions)
        secret = spec.tls_secret
        if secret is None:
            secret = GatewayCertificate(
                f"{name}-certificate",
                GatewayCertificateArgs(
                    access=access,
                    namespace=self._namespace,
                    acme=spec.acme,
                    host_name=serving.gateway_host_name,
                    definitions=definitions,
                ),
                opts=own,
            ).secret_name
        gateway = self._gateway(secret, controller)
        plans = pool_plans(serving.plans)
        pools = InferencePools(
            f"{name}-pools",
            InferencePoolsArgs(
                access=access,
                pools=plans,
                namespaces=args.namespaces,
                servers=args.servers,
                definitions=definitions,
            ),
            opts=own,
        )
        health = RegionHealth(
            f"{name}-health",
            RegionHealthArgs(
                access=access,
                namespace=self._namespace.metadata.name,
                plans=serving.plans,
            ),
            opts=own,
        )
        self.ready = [*self._routes(plans, gateway, pools.ready), self._probes([*gateway, *health.ready])]
        self.register_outputs({})

    def _restricted(self, purpose: str, namespace: str) -> core.v1.Namespace:
        return core.v1.Namespace(
            f"{self._name}-{purpose}-namespace",
            metadata=meta.v1.ObjectMetaArgs(
                name=namespace, labels={labels.POD_SECURITY_ENFORCE: "restricted", **labels.MANAGED_BY}
            ),
            opts=self._args.serving.access.child(self),
        )

    def _controller(self, definitions: Sequence[pulumi.Resource]) -> helm.v3.Release:
        access = self._args.serving.access
        namespace = self._restricted("controller", "agentgateway-system")
        kinds = release(
            f"{self._name}-kinds",
            chart("agentgatewayCrds"),
            namespace,
            values={},
            skip_await=False,
            opts=access.child(self),
        )
        return release(
            f"{self._name}-controller",
            chart("agentgateway"),
            namespace,
            values=controller_values(),
            # It runs on the system pool, and gateways come to nothing without it.
            skip_await=False,
            opts=access.child(self, depends_on=[*definitions, kinds]),
        )

    def _object(
        self,
        kind: str,
        name: str,
        spec: Mapping[str, object],
        after: Sequence[pulumi.Resource],
        annotations: Mapping[str, str] | None = None,
    ) -> apiextensions.CustomResource:
        return apiextensions.CustomResource(
            f"{self._name}-{kind.lower()}-{name}",
            api_version=_API[kind],
            kind=kind,
            metadata=meta.v1.ObjectMetaArgs(
                name=name,
                namespace=self._namespace.metadata.name,
                labels=labels.MANAGED_BY,
                annotations=annotations,
            ),
            spec=dict(spec),
            opts=self._args.serving.access.child(self, depends_on=after),
        )

    def _gateway(self, secret: str, controller: pulumi.Resource) -> list[pulumi.Resource]:
        serving = self._args.serving
        spec = serving.inference.gateway
        parameters = self._object(
            _PARAMETERS,
            serving_names.GATEWAY,
            parameters_spec(
                spec,
                longest_stream_seconds=max(plan.model.longest_stream_seconds for plan in serving.plans),
                annotations=_annotations(serving),
            ),
            [controller],
        )
        gateway = self._object(
            "Gateway",
            serving_names.GATEWAY,
            routes.gateway_spec(parameters=serving_names.GATEWAY, certificate=secret, acme=spec.tls_secret is None),
            [parameters],
            waits_for(*_REACHABLE),
        )
        before = [gateway]
        if serving.caller is not None:
            before.append(self._object(_BACKEND, routes.TOKEN_ISSUER, routes.token_issuer_spec(), [controller]))
        policies = [
            self._object(_POLICY, "connections", routes.connection_policy(spec.max_request_mib), [gateway]),
            self._object(_POLICY, "entry", routes.entry_policy(serving.front_door_id, serving.caller), before),
        ]
        return [gateway, *policies]

    def _routes(
        self,
        plans: Sequence[PoolPlan],
        gateway: Sequence[pulumi.Resource],
        pools: Mapping[str, Sequence[pulumi.Resource]],
    ) -> list[pulumi.Resource]:
        models = list(pools)
        made: list[pulumi.Resource] = [
            self._object(
                _ROUTE,
                f"model-{model}",
                routes.model_route(
                    [plan for plan in plans if plan.model == model],
                    private_headers=[caller.header] if (caller := self._args.serving.caller) else [],
                ),
                [*gateway, *pools[model]],
            )
            for model in models
        ]
        listed = self._object(_ROUTE, _LIST, routes.list_route(), gateway)
        unknown = self._object(_ROUTE, _UNKNOWN, routes.unknown_route(), gateway)
        self._object(_POLICY, _LIST, routes.list_policy(_LIST, models), [listed])
        self._object(_POLICY, _UNKNOWN, routes.unknown_policy(_UNKNOWN, models), [unknown])
        return made

    def _probes(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
        return self._object(_ROUTE, _PROBES, routes.health_route(HEALTH, gateway_settings().health.port), after)


def controller_values() -> dict[str, object]:
    """Values of agentgateway's chart: two controllers on the system pool, with the Inference Extension."""
    return {
        "inferenceExtension": {"enabled": True},
        "controller": {
            "replicaCount": 2,
            "priorityClassName": "system-cluster-critical",
            "podDisruptionBudget": {"maxUnavailable": 1},
        },
        "tolerations": controller_tolerations(),
        # Go's own limits come from these (the chart's GOMEMLIMIT and GOMAXPROCS).
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "podSecurityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }


def _annotations(serving: RegionServing) -> dict[str, pulumi.Input[str]]:
    group = serving.scope.resource_group_name
    if serving.gateway_address_name is not None:
        return public_annotations(serving.gateway_address_name, group)
    if serving.private_link_service_name is not None:
        return private_annotations(serving.private_link_service_name, group)
    raise ConfigurationError(
        f"{serving.region.name}: the gateway has neither a public address nor a Private Link service"
    )
