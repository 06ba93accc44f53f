"""Azure API Management in front of the global endpoint: keys and token limits for each team."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pulumi
from jinja2 import Environment, StrictUndefined
from pulumi_azure_native import apimanagement

from components.context import EnvironmentContext
from components.options import child
from components.region_serving import GatewayCaller
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.errors import ConfigurationError
from gpufleet.spec.api_management import ApiManagement as ApiManagementSpec
from gpufleet.spec.api_management import ApiManagementSku, ApiTeam
from gpufleet.spec.base import Spec

CALLER_HEADER = "x-gateway-authorization"
"""Header with the instance's token: `Authorization` is the clients' own."""
AUDIENCE = "https://management.azure.com/"
"""What the token is for: an application that every tenant has. The identity has no role, so the token opens nothing."""
_DATA = Path(__file__).parent / "data"
_TIMEOUT_SECONDS = 240
"""Until the first byte; the network drops idle connections after it (API Management docs: forward-request policy)."""
_TIMEOUTS = pulumi.CustomTimeouts(create="3h", update="3h", delete="3h")
_API = "models"


class _Operation(Spec):
    name: str
    method: str
    path: str


class _Operations(Spec):
    as_of: dt.date
    source: str
    operations: Sequence[_Operation]


@lru_cache(maxsize=1)
def _operations() -> Sequence[_Operation]:
    return _Operations.model_validate(read_yaml(_DATA / "api_management.yaml")).operations


@dataclass(frozen=True, kw_only=True)
class ApiManagementArgs:
    """Arguments of ApiManagement."""

    environment: EnvironmentContext
    spec: ApiManagementSpec
    resource_group_name: pulumi.Input[str]
    regions: Sequence[str]
    """Regions that serve, in the specification's order."""
    backend_url: pulumi.Input[str]
    """The global endpoint."""


class ApiManagement(pulumi.ComponentResource):
    """One instance with OpenAI's API, and for each team a product with its token limits and a subscription with keys.

    Clients call it, it calls the global endpoint, and that the closest healthy region: API Management has no part in
    where a request goes. The gateways take requests of its managed identity alone, so nobody goes around it.

    Keys are Azure's: made there, read there, in the state as secrets at most. Answers aren't buffered, so streams stay
    streams. A limit is for each of its regions, and is exceeded by requests that are under way (llm-token-limit
    policy).

    Not here: a developer portal, a domain of one's own, a circuit breaker (its one backend is the global endpoint,
    which knows which regions are well).
    """

    url: pulumi.Output[str]
    caller: GatewayCaller
    """Whom the gateways must let in, and nobody else."""

    def __init__(self, name: str, args: ApiManagementArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:ApiManagement", name, {}, opts)
        self._name, self._args = name, args
        environment, spec = args.environment, args.spec
        home = spec.region or args.regions[0]
        others = [region for region in args.regions if region != home] if spec.sku is ApiManagementSku.PREMIUM else []
        sku = apimanagement.ApiManagementServiceSkuPropertiesArgs(name=spec.sku.value, capacity=spec.units)
        self._service = apimanagement.ApiManagementService(
            f"{name}-service",
            service_name=environment.names.api_management(),
            resource_group_name=args.resource_group_name,
            location=home,
            sku=sku,
            additional_locations=[apimanagement.AdditionalLocationArgs(location=region, sku=sku) for region in others]
            or None,
            identity=apimanagement.ApiManagementServiceIdentityArgs(
                type=apimanagement.ApimIdentityType.SYSTEM_ASSIGNED
            ),
            developer_portal_status=apimanagement.DeveloperPortalStatus.DISABLED,
            legacy_portal_status=apimanagement.LegacyPortalStatus.DISABLED,
            publisher_name=spec.publisher_name,
            publisher_email=spec.publisher_email,
            tags=environment.tags,
            opts=child(self, environment.environment_class, custom_timeouts=_TIMEOUTS),
        )
        api = self._api(args.backend_url)
        for team in spec.teams:
            self._team(team, api)
        self.url = self._service.gateway_url.apply(lambda url: url or "")
        identity = self._service.identity
        self.caller = GatewayCaller(
            principal_id=identity.apply(_principal_id),
            tenant_id=identity.apply(_tenant_id),
            header=CALLER_HEADER,
            audience=AUDIENCE,
        )
        self.register_outputs({"url": self.url})

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return child(
            self,
            self._args.environment.environment_class,
            depends_on=depends_on,
            deleted_with=self._service,
        )

    def _api(self, backend_url: pulumi.Input[str]) -> apimanagement.Api:
        service, group = self._service.name, self._args.resource_group_name
        api = apimanagement.Api(
            f"{self._name}-api",
            api_id=_API,
            display_name="Models",
            path="v1",
            protocols=[apimanagement.Protocol.HTTPS],
            service_url=pulumi.Output.format("{0}/v1", backend_url),
            subscription_required=True,
            subscription_key_parameter_names=apimanagement.SubscriptionKeyParameterNamesContractArgs(
                header="api-key", query="api-key"
            ),
            opts=self._child(),
            service_name=service,
            resource_group_name=group,
        )
        apimanagement.ApiPolicy(
            f"{self._name}-api-policy",
            api_id=_API,
            policy_id="policy",
            format=apimanagement.PolicyContentFormat.RAWXML,
            value=api_policy(),
            opts=self._child(api),
            service_name=service,
            resource_group_name=group,
        )
        for operation in _operations():
            apimanagement.ApiOperation(
                f"{self._name}-operation-{operation.name}",
                api_id=_API,
                operation_id=operation.name,
                display_name=f"{operation.method} {operation.path}",
                method=operation.method,
                url_template=operation.path,
                opts=self._child(api),
                service_name=service,
                resource_group_name=group,
            )
        return api

    def _team(self, team: ApiTeam, api: apimanagement.Api) -> None:
        service, group = self._service.name, self._args.resource_group_name
        prefix = f"{self._name}-team-{team.name}"
        product = apimanagement.Product(
            f"{prefix}-product",
            product_id=team.name,
            display_name=team.name,
            state=apimanagement.ProductState.PUBLISHED,
            subscription_required=True,
            approval_required=True,
            opts=self._child(),
            service_name=service,
            resource_group_name=group,
        )
        policy = apimanagement.ProductPolicy(
            f"{prefix}-policy",
            product_id=team.name,
            policy_id="policy",
            format=apimanagement.PolicyContentFormat.RAWXML,
            value=team_policy(team),
            opts=self._child(product),
            service_name=service,
            resource_group_name=group,
        )
        # After its limits: a product that has the API without them would let everything through.
        link = apimanagement.ProductApi(
            f"{prefix}-api",
            product_id=team.name,
            api_id=_API,
            opts=self._child(policy, api),
            service_name=service,
            resource_group_name=group,
        )
        apimanagement.Subscription(
            f"{prefix}-subscription",
            sid=team.name,
            display_name=team.name,
            scope=product.id,
            state=apimanagement.SubscriptionState.ACTIVE,
            # Azure makes the keys, and may answer with them once.
            opts=pulumi.ResourceOptions.merge(
                self._child(link),
                pulumi.ResourceOptions(additional_secret_outputs=["primaryKey", "secondaryKey"]),
            ),
            service_name=service,
            resource_group_name=group,
        )


def api_policy() -> str:
    """Policy of the API: the instance's token, and answers as they come."""
    return _render("api_policy.xml.j2", audience=AUDIENCE, header=CALLER_HEADER, timeout_seconds=_TIMEOUT_SECONDS)


def team_policy(team: ApiTeam) -> str:
    """Policy of a team's product: its tokens a minute, and in a month."""
    return _render("team_policy.xml.j2", team=team)


def _render(file: str, **values: object) -> str:
    environment = Environment(undefined=StrictUndefined, autoescape=True)
    return environment.from_string((_DATA / file).read_text(encoding="utf-8")).render(**values)


def _principal_id(identity: apimanagement.outputs.ApiManagementServiceIdentityResponse | None) -> str:
    if identity is None or not identity.principal_id:
        raise ConfigurationError("Azure names no identity of the API Management instance: gateways would let nobody in")
    return identity.principal_id


def _tenant_id(identity: apimanagement.outputs.ApiManagementServiceIdentityResponse | None) -> str:
    if identity is None or not identity.tenant_id:
        raise ConfigurationError("Azure names no tenant of the API Management instance: gateways would let nobody in")
    return identity.tenant_id
