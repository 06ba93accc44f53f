"""The global endpoint by DNS: Azure Traffic Manager over all regions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import trafficmanager

from components.context import EnvironmentContext
from components.options import child
from components.region_origin import RegionOrigin
from gpufleet.spec.traffic_manager import TrafficManager as Spec


@dataclass(frozen=True, kw_only=True)
class TrafficManagerArgs:
    """Arguments of TrafficManager."""

    environment: EnvironmentContext
    spec: Spec
    resource_group_name: pulumi.Input[str]


class TrafficManager(pulumi.ComponentResource):
    """A profile that routes by priority, and below it one for each priority that routes by latency.

    Nested even where all regions have one priority, so that a standby region can join without a change of the profile
    that clients know. Endpoints are the public addresses of the gateways: a client that has its answer connects
    to the gateway itself, so there is no limit on how long an answer takes, and no firewall before the gateway.

    Each endpoint is a resource of its own: the profile is not written when a region comes or goes, and an endpoint goes
    before its region.
    """

    url: pulumi.Output[str]
    dns_records: pulumi.Output[dict[str, dict[str, str]]]
    """By the public domain: the DNS records it needs."""

    def __init__(self, name: str, args: TrafficManagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:TrafficManager", name, {}, opts)
        self._prefix = name
        self._args = args
        self._label = args.environment.names.traffic_manager_label()
        self._top = self._profile("", trafficmanager.TrafficRoutingMethod.PRIORITY)
        self.url = pulumi.Output.from_input(f"https://{args.spec.domain}")
        self.dns_records = pulumi.Output.format("{0}.trafficmanager.net", self._label).apply(
            lambda host: {args.spec.domain: {f"{args.spec.domain} CNAME": host}}
        )
        self.register_outputs({"url": self.url, "dnsRecords": self.dns_records})

    def serve(self, origins: Sequence[RegionOrigin]) -> None:
        """Send requests to these regions; called once."""
        by_priority: dict[int, list[RegionOrigin]] = defaultdict(list)
        for origin in origins:
            by_priority[origin.spec.priority].append(origin)
        for priority, group in sorted(by_priority.items()):
            profile = self._profile(f"-{priority}", trafficmanager.TrafficRoutingMethod.PERFORMANCE)
            made = [self._region(profile, origin) for origin in group]
            trafficmanager.Endpoint(
                f"{self._prefix}-priority-{priority}",
                endpoint_name=f"priority-{priority}",
                endpoint_type="nestedEndpoints",
                profile_name=self._top.name,
                resource_group_name=self._args.resource_group_name,
                target_resource_id=profile.id,
                # The priority is left when its last region fails (traffic-manager-nested-profiles).
                min_child_endpoints=1,
                priority=priority,
                endpoint_status=trafficmanager.EndpointStatus.ENABLED,
                opts=self._endpoint_options(made),
            )

    def _profile(self, suffix: str, method: trafficmanager.TrafficRoutingMethod) -> trafficmanager.Profile:
        environment, monitor = self._args.environment, self._args.spec.monitor
        return trafficmanager.Profile(
            f"{self._prefix}{suffix}-traf",
            profile_name=f"{environment.names.once('traf')}{suffix}",
            resource_group_name=self._args.resource_group_name,
            location="global",
            profile_status=trafficmanager.ProfileStatus.ENABLED,
            traffic_routing_method=method,
            dns_config=trafficmanager.DnsConfigArgs(
                relative_name=pulumi.Output.concat(self._label, suffix), ttl=self._args.spec.ttl_seconds
            ),
            monitor_config=trafficmanager.MonitorConfigArgs(
                protocol=trafficmanager.MonitorProtocol.HTTPS,
                port=443,
                path=monitor.path,
                interval_in_seconds=monitor.interval_seconds,
                timeout_in_seconds=monitor.timeout_seconds,
                tolerated_number_of_failures=monitor.tolerated_failures,
                # The gateway answers for the name that clients use; without this the check asks for the address's.
                custom_headers=[
                    trafficmanager.MonitorConfigCustomHeadersItemArgs(name="host", value=self._args.spec.domain)
                ],
            ),
            tags=environment.tags,
            opts=child(self, environment.environment_class),
        )

    def _region(self, profile: trafficmanager.Profile, origin: RegionOrigin) -> trafficmanager.Endpoint:
        status = trafficmanager.EndpointStatus
        return trafficmanager.Endpoint(
            f"{self._prefix}-endpoint-{origin.spec.name}",
            endpoint_name=origin.spec.name,
            # An address with a DNS name; the location, by which latency is known, is the address's own.
            endpoint_type="azureEndpoints",
            profile_name=profile.name,
            resource_group_name=self._args.resource_group_name,
            target_resource_id=origin.address_id,
            endpoint_status=status.DISABLED if origin.spec.drain else status.ENABLED,
            opts=self._endpoint_options(origin.depends_on),
        )

    def _endpoint_options(self, depends_on: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
        # Not left to the profile's deletion: until that is done, an endpoint's address or profile is in use.
        return child(self, self._args.environment.environment_class, depends_on=depends_on)
