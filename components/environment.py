"""One environment: everything a stack makes."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, resources

from components.container_registry import ContainerRegistry, ContainerRegistryArgs
from components.context import EnvironmentContext, KubeLogin
from components.cost_budget import CostBudget, CostBudgetArgs
from components.inference_platform import InferencePlatform, InferencePlatformArgs
from components.naming import Names
from components.options import Keep, child
from components.outputs import ClusterSummary
from components.training_fabric import TrainingFabric, TrainingFabricArgs
from gpufleet.spec.addresses import address_plan, scopes
from gpufleet.spec.base import GLOBAL_SCOPE
from gpufleet.spec.environment import Environment as EnvironmentSpec
from gpufleet.spec.own_tags import environment_tags


@dataclass(frozen=True, kw_only=True)
class EnvironmentArgs:
    """Arguments of Environment."""

    spec: EnvironmentSpec
    kube_login: KubeLogin = KubeLogin.AZURE_CLI


class Environment(pulumi.ComponentResource):
    """Training fabrics, the inference platform, and what there is one of: registry, front door, budget.

    One stack holds all regions, so that one preview and one policy see the whole cost. The environment's name is the
    stack's name, and part of every Azure name.
    """

    clusters: dict[str, ClusterSummary]
    """By fabric or inference region."""
    registry_login_server: pulumi.Output[str]
    budget_name: pulumi.Output[str]
    endpoint_url: pulumi.Output[str] | None
    """Of the global endpoint, whatever it is."""
    dns_records: pulumi.Input[dict[str, dict[str, str]]]
    """By domain of one's own: the DNS records it needs."""
    private_link_approvals: dict[str, pulumi.Output[str]]
    """By region with a private gateway: the command that approves Front Door's connection to it."""
    lustre_mount_addresses: dict[str, pulumi.Output[str]]
    """By fabric; only fabrics with a file system."""
    storage_accounts: dict[str, pulumi.Output[str]]
    """By fabric."""

    def __init__(self, name: str, args: EnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:environment:Environment", name, {"specification": _recorded(args.spec)}, opts)
        self._spec = args.spec
        own = pulumi.ResourceOptions(parent=self)
        context = self._context(name, args)
        all_regions = list(dict.fromkeys(scope.region for scope in scopes(args.spec))) or [args.spec.allowed_regions[0]]
        group = resources.ResourceGroup(
            f"{name}-rg",
            resource_group_name=context.names.of("rg", GLOBAL_SCOPE),
            location=all_regions[0],
            tags=context.tags,
            opts=child(self, context.environment_class, keep=Keep.DATA),
        )
        registry = ContainerRegistry(
            f"{name}-registry",
            ContainerRegistryArgs(
                environment=context, spec=args.spec.registry, resource_group_name=group.name, regions=all_regions
            ),
            opts=own,
        )
        fabrics = self._fabrics(context, registry.id)
        platform = self._platform(name, context, registry, group.name)
        budget = CostBudget(
            f"{name}-budget",
            CostBudgetArgs(environment=context, spec=args.spec.budget, resource_group_name=group.name),
            opts=own,
        )

        regions = platform.regions if platform else []
        self.clusters = {fabric: component.summary for fabric, component in fabrics.items()}
        self.clusters |= {region.summary.region: region.summary for region in regions}
        self.registry_login_server = registry.login_server
        self.budget_name = budget.name
        self.endpoint_url = platform.url if platform else None
        self.dns_records = platform.dns_records if platform else {}
        self.private_link_approvals = platform.private_link_approvals if platform else {}
        self.storage_accounts = {fabric: component.storage_account_name for fabric, component in fabrics.items()}
        self.lustre_mount_addresses = {
            fabric: component.lustre_mount_address
            for fabric, component in fabrics.items()
            if component.lustre_mount_address is not None
        }
        self.register_outputs(self.outputs())

    def outputs(self) -> dict[str, pulumi.Input[object]]:
        """What the stack exports; nothing in it is secret."""
        return {
            "clusters": {scope: cluster.as_output() for scope, cluster in self.clusters.items()},
            "registryLoginServer": self.registry_login_server,
            "budgetName": self.budget_name,
            "endpointUrl": self.endpoint_url,
            "dnsRecords": self.dns_records,
            "privateLinkApprovals": self.private_link_approvals,
            "lustreMountAddresses": self.lustre_mount_addresses,
            "storageAccounts": self.storage_accounts,
        }

    def _context(self, name: str, args: EnvironmentArgs) -> EnvironmentContext:
        client = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=self))
        return EnvironmentContext(
            environment_class=args.spec.environment_class,
            names=Names(environment=name, subscription_id=client.subscription_id),
            tags=environment_tags(name, args.spec),
            subscription_id=client.subscription_id,
            kube_login=args.kube_login,
            contacts=args.spec.budget.contacts,
        )

    def _fabrics(self, context: EnvironmentContext, registry_id: pulumi.Output[str]) -> dict[str, TrainingFabric]:
        plan = address_plan(self._spec)
        return {
            fabric.name: TrainingFabric(
                fabric.name,
                TrainingFabricArgs(
                    environment=context, spec=fabric, addresses=plan[fabric.name], registry_id=registry_id
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for fabric in self._spec.training
        }

    def _platform(
        self,
        name: str,
        context: EnvironmentContext,
        registry: ContainerRegistry,
        group_name: pulumi.Output[str],
    ) -> InferencePlatform | None:
        if self._spec.inference is None:
            return None
        return InferencePlatform(
            f"{name}-inference",
            InferencePlatformArgs(
                environment=context,
                spec=self._spec.inference,
                addresses=address_plan(self._spec),
                registry_id=registry.id,
                registry_login_server=registry.login_server,
                global_resource_group_name=group_name,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _recorded(spec: EnvironmentSpec) -> str:
    """The specification as the state keeps it, so that a policy, or an exported state, says what was declared.

    Text, for the engine knows no difference between 6 and 6.0 and drops what is null.
    """
    return spec.model_dump_json(by_alias=True, exclude_defaults=True)
