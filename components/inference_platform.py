"""The inference platform: regions that serve, behind one global endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice

from components.api_management import ApiManagement, ApiManagementArgs
from components.context import EnvironmentContext
from components.global_front_door import GlobalFrontDoor, GlobalFrontDoorArgs
from components.inference_region import InferenceRegion, InferenceRegionArgs
from components.traffic_manager import TrafficManager, TrafficManagerArgs
from gpufleet.sizing.serving_plan import serving_plan
from gpufleet.spec.addresses import ScopeAddresses
from gpufleet.spec.inference import Inference

_DAYS = (
    containerservice.WeekDay.MONDAY,
    containerservice.WeekDay.TUESDAY,
    containerservice.WeekDay.WEDNESDAY,
    containerservice.WeekDay.THURSDAY,
    containerservice.WeekDay.FRIDAY,
    containerservice.WeekDay.SATURDAY,
    containerservice.WeekDay.SUNDAY,
)


@dataclass(frozen=True, kw_only=True)
class InferencePlatformArgs:
    """Arguments of InferencePlatform."""

    environment: EnvironmentContext
    spec: Inference
    addresses: Mapping[str, ScopeAddresses]
    """Networks by region name."""
    registry_id: pulumi.Input[str]
    registry_login_server: pulumi.Input[str]
    global_resource_group_name: pulumi.Input[str]


class InferencePlatform(pulumi.ComponentResource):
    """The global endpoint and all inference regions behind it."""

    regions: list[InferenceRegion]
    url: pulumi.Output[str]
    dns_records: pulumi.Output[dict[str, dict[str, str]]]
    """By domain of one's own: the DNS records it needs."""
    private_link_approvals: dict[str, pulumi.Output[str]]
    """By region with a private gateway: the command that approves Front Door's connection to it."""

    def __init__(self, name: str, args: InferencePlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:InferencePlatform", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        served = [plan for plan in serving_plan(args.spec) if plan.form.model.is_served]
        endpoint = self._global_endpoint(name, args)
        api = self._api_management(name, args, endpoint.url)
        self.regions = [
            InferenceRegion(
                region.name,
                InferenceRegionArgs(
                    environment=args.environment,
                    inference=args.spec,
                    spec=region,
                    plans=[plan for plan in served if plan.region == region.name],
                    addresses=args.addresses[region.name],
                    registry_id=args.registry_id,
                    registry_login_server=args.registry_login_server,
                    front_door_id=endpoint.front_door_id if isinstance(endpoint, GlobalFrontDoor) else None,
                    caller=api.caller if api else None,
                    maintenance_day=_DAYS[index % len(_DAYS)],
                ),
                opts=own,
            )
            for index, region in enumerate(args.spec.regions)
        ]
        endpoint.serve([region.origin for region in self.regions])
        self.url = api.url if api else endpoint.url
        self.dns_records = endpoint.dns_records
        self.private_link_approvals = endpoint.approvals if isinstance(endpoint, GlobalFrontDoor) else {}
        self.register_outputs({"url": self.url, "dnsRecords": self.dns_records})

    def _api_management(
        self, name: str, args: InferencePlatformArgs, backend_url: pulumi.Output[str]
    ) -> ApiManagement | None:
        if args.spec.api_management is None:
            return None
        return ApiManagement(
            f"{name}-api-management",
            ApiManagementArgs(
                environment=args.environment,
                spec=args.spec.api_management,
                resource_group_name=args.global_resource_group_name,
                regions=[region.name for region in args.spec.regions],
                backend_url=backend_url,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _global_endpoint(self, name: str, args: InferencePlatformArgs) -> GlobalFrontDoor | TrafficManager:
        own = pulumi.ResourceOptions(parent=self)
        if args.spec.traffic_manager is not None:
            return TrafficManager(
                f"{name}-traffic-manager",
                TrafficManagerArgs(
                    environment=args.environment,
                    spec=args.spec.traffic_manager,
                    resource_group_name=args.global_resource_group_name,
                ),
                opts=own,
            )
        return GlobalFrontDoor(
            f"{name}-front-door",
            GlobalFrontDoorArgs(
                environment=args.environment,
                spec=args.spec.front_door,
                resource_group_name=args.global_resource_group_name,
            ),
            opts=own,
        )
