"""The AKS cluster of one scope, with its identities, roles and the Kubernetes provider that reaches it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_azure_native import containerservice, managedidentity

from components import cluster_access, labels
from components.autoscaler_profile import autoscaler_profile
from components.context import ScopeContext
from components.options import CLUSTER_TIMEOUTS, Keep, child
from components.region_network import RegionNetwork
from components.roles import Role, assign
from gpufleet.catalog import scale_down
from gpufleet.spec.cluster import Cluster, NetworkPolicy
from gpufleet.spec.environment import EnvironmentClass

SYSTEM_OS_DISK_GIB = 128
MAX_SYSTEM_PODS = 110


@dataclass(frozen=True, kw_only=True)
class GpuClusterArgs:
    """Arguments of GpuCluster."""

    scope: ScopeContext
    spec: Cluster
    network: RegionNetwork
    registry_id: pulumi.Input[str]
    """The registry that its nodes pull from."""
    network_scope_id: pulumi.Input[str]
    """Where the control plane may change networks: the virtual network, or the resource group when it also binds a
    public address."""
    follows_priorities: bool
    """Whether the autoscaler goes by the priorities of pools (PriorityExpander)."""
    upgrades_by_itself: bool
    """Whether AKS may bring patches and node images in the weekly window. Not where training runs: it drains nodes
    under a job, and a new image can outrun the Lustre client's kernel module (amlFilesystem-lustre release notes)."""
    maintenance_day: containerservice.WeekDay
    """Day of the weekly window unless the specification names one; different days keep regions from being drained
    together."""
    mounts_blobs: bool = False
    """Whether pods mount blob containers: AKS then runs its blob CSI driver, which is off unless asked for (AKS
    azure-blob-csi)."""
    longest_end_seconds: int = 0
    """Seconds that the pod which takes longest has to end when its node goes."""
    serves_models: bool | None = None
    """Whether AKS runs its Prometheus agent and KEDA; None says nothing of either."""


class GpuCluster(pulumi.ComponentResource):
    """An AKS cluster with one small inline system pool; every other pool is an AgentPool of its own (GpuPool, CpuPool).

    Entra and Azure RBAC for people, workload identity for pods, no local account. Control plane and kubelet have an
    identity each. The control plane's roles exist before the cluster, as AKS asks for a user-assigned kubelet identity
    (AKS use-managed-identity).

    Whoever runs `up` writes into the cluster, so needs to be in one of its admin groups or to have the role Azure
    Kubernetes Service RBAC Cluster Admin already (AKS manage-azure-rbac). It is not assigned here: an assignment to
    whoever runs would change with every other person or pipeline.

    Not here: operators (RdmaStack, GpuOperator), logs (Observability), DNS.

    Limits that shape it: a change to one inline pool profile sets all pools scaling (pulumi-azure-native#4264), and one
    more inline profile is refused (#579), so there is one, with a plain count and no autoscaler. It is not under
    ignore_changes: that would hide its drift for good, and silently drop an edit of `cluster.systemPool`. Azure CNI
    Overlay gives each node a fixed /24 (AKS concepts-network-azure-cni-overlay), checked with the specification.
    """

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    cluster: containerservice.ManagedCluster
    """The cluster itself, for what hangs on it."""
    kubelet_principal_id: pulumi.Output[str]
    kubelet_client_id: pulumi.Output[str]
    provider: kubernetes.Provider
    """Provider of everything inside the cluster."""

    def __init__(self, name: str, args: GpuClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:cluster:GpuCluster", name, {}, opts)
        self._prefix = name
        self._args = args
        scope = args.scope
        environment = scope.environment

        control_plane = self._identity("controlplane")
        kubelet = self._identity("kubelet")
        roles = [
            assign(
                f"{name}-role-network",
                Role.NETWORK_CONTRIBUTOR,
                principal_id=control_plane.principal_id,
                scope=args.network_scope_id,
                environment=environment,
                opts=self._child(),
            ),
            assign(
                f"{name}-role-kubelet",
                Role.MANAGED_IDENTITY_OPERATOR,
                principal_id=control_plane.principal_id,
                scope=kubelet.id,
                environment=environment,
                opts=self._child(),
            ),
        ]
        assign(
            f"{name}-role-acrpull",
            Role.ACR_PULL,
            principal_id=kubelet.principal_id,
            scope=args.registry_id,
            environment=environment,
            opts=self._child(),
        )
        self.cluster = self._managed_cluster(control_plane, kubelet, roles)
        for config_name in ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"):
            self._maintenance_window(config_name)

        self.id = self.cluster.id
        self.name = self.cluster.name
        self.kubelet_principal_id = kubelet.principal_id
        self.kubelet_client_id = kubelet.client_id
        self.provider = self._kubernetes_provider()
        self.register_outputs({"id": self.id, "name": self.name})

    def _child(
        self,
        *,
        keep: Keep = Keep.NOTHING,
        depends_on: Sequence[pulumi.Resource] = (),
        deleted_with: pulumi.Resource | None = None,
        custom_timeouts: pulumi.CustomTimeouts | None = None,
    ) -> pulumi.ResourceOptions:
        return child(
            self,
            self._args.scope.environment.environment_class,
            keep=keep,
            depends_on=depends_on,
            deleted_with=deleted_with,
            custom_timeouts=custom_timeouts,
        )

    def _identity(self, purpose: str) -> managedidentity.UserAssignedIdentity:
        scope = self._args.scope
        return managedidentity.UserAssignedIdentity(
            f"{self._prefix}-id-{purpose}",
            resource_name_=scope.name_of("id", purpose),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            tags=scope.environment.tags,
            opts=self._child(),
        )

    def _managed_cluster(
        self,
        control_plane: managedidentity.UserAssignedIdentity,
        kubelet: managedidentity.UserAssignedIdentity,
        roles: Sequence[pulumi.Resource],
    ) -> containerservice.ManagedCluster:
        scope, spec = self._args.scope, self._args.spec
        environment_class = scope.environment.environment_class
        return containerservice.ManagedCluster(
            f"{self._prefix}-aks",
            resource_name_=scope.name_of("aks"),
            resource_group_name=scope.resource_group_name,
            location=scope.region,
            dns_prefix=scope.name_of("aks"),
            node_resource_group=scope.name_of("rg", "nodes"),
            kubernetes_version=spec.kubernetes_version,
            sku=containerservice.ManagedClusterSKUArgs(
                name=containerservice.ManagedClusterSKUName.BASE,
                tier=containerservice.ManagedClusterSKUTier(spec.tier.value),
            ),
            support_plan=containerservice.KubernetesSupportPlan.KUBERNETES_OFFICIAL,
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[control_plane.id]
            ),
            identity_profile={
                "kubeletidentity": containerservice.UserAssignedIdentityArgs(
                    resource_id=kubelet.id, client_id=kubelet.client_id, object_id=kubelet.principal_id
                )
            },
            enable_rbac=True,
            disable_local_accounts=True,
            aad_profile=containerservice.ManagedClusterAADProfileArgs(
                managed=True,
                enable_azure_rbac=True,
                admin_group_object_ids=list(spec.admin_group_object_ids),
            ),
            oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=containerservice.ManagedClusterSecurityProfileArgs(
                workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True)
            ),
            api_server_access_profile=self._api_server_access(),
            network_profile=containerservice.ContainerServiceNetworkProfileArgs(
                network_plugin=containerservice.NetworkPlugin.AZURE,
                network_plugin_mode=containerservice.NetworkPluginMode.OVERLAY,
                network_dataplane=_dataplane(spec.network_policy),
                network_policy=_network_policy(spec.network_policy),
                pod_cidr=spec.pod_cidr,
                service_cidr=spec.service_cidr,
                dns_service_ip=dns_service_ip(spec.service_cidr),
                load_balancer_sku=containerservice.LoadBalancerSku.STANDARD,
                outbound_type=containerservice.OutboundType.USER_ASSIGNED_NAT_GATEWAY,
            ),
            auto_scaler_profile=autoscaler_profile(
                spec,
                follows_priorities=self._args.follows_priorities,
                idle=scale_down.of_training(production=environment_class is EnvironmentClass.PRODUCTION)
                if scope.fabric
                else None,
                longest_end_seconds=self._args.longest_end_seconds,
            ),
            auto_upgrade_profile=self._auto_upgrade(),
            storage_profile=self._storage_profile(),
            azure_monitor_profile=self._monitoring(),
            workload_auto_scaler_profile=self._workload_autoscaling(),
            agent_pool_profiles=[self._system_pool()],
            tags=scope.environment.tags,
            opts=self._child(
                keep=Keep.CLUSTER,
                depends_on=[*roles, *self._args.network.outbound_ready],
                custom_timeouts=CLUSTER_TIMEOUTS,
            ),
        )

    def _system_pool(self) -> containerservice.ManagedClusterAgentPoolProfileArgs:
        spec = self._args.spec
        return containerservice.ManagedClusterAgentPoolProfileArgs(
            name="system",
            mode=containerservice.AgentPoolMode.SYSTEM,
            type=containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
            vm_size=spec.system_pool.sku,
            count=spec.system_pool.nodes,
            orchestrator_version=spec.kubernetes_version,
            os_type=containerservice.OSType.LINUX,
            os_sku=containerservice.OSSKU.UBUNTU,
            os_disk_size_gb=SYSTEM_OS_DISK_GIB,
            max_pods=MAX_SYSTEM_PODS,
            node_taints=[labels.SYSTEM_POOL_TAINT],
            enable_node_public_ip=False,
            vnet_subnet_id=self._args.network.system_subnet_id,
            tags=self._args.scope.environment.tags,
        )

    def _api_server_access(self) -> containerservice.ManagedClusterAPIServerAccessProfileArgs:
        api_server = self._args.spec.api_server
        if api_server.private:
            return containerservice.ManagedClusterAPIServerAccessProfileArgs(
                enable_private_cluster=True, private_dns_zone="system", enable_private_cluster_public_fqdn=False
            )
        ranges = list(api_server.authorized_ip_ranges)
        if not ranges:
            return containerservice.ManagedClusterAPIServerAccessProfileArgs(enable_private_cluster=False)
        # Nodes reach a public API server by the NAT gateway, so its addresses must be among the ranges (AKS
        # api-server-authorized-ip-ranges).
        nodes = self._args.network.outbound_addresses.apply(
            lambda addresses: [f"{address}/32" for address in addresses]
        )
        return containerservice.ManagedClusterAPIServerAccessProfileArgs(
            enable_private_cluster=False,
            authorized_ip_ranges=nodes.apply(lambda own: [*ranges, *own]),
        )

    def _auto_upgrade(self) -> containerservice.ManagedClusterAutoUpgradeProfileArgs:
        if self._args.upgrades_by_itself:
            return containerservice.ManagedClusterAutoUpgradeProfileArgs(
                upgrade_channel=containerservice.UpgradeChannel.PATCH,
                node_os_upgrade_channel=containerservice.NodeOSUpgradeChannel.NODE_IMAGE,
            )
        return containerservice.ManagedClusterAutoUpgradeProfileArgs(
            upgrade_channel=containerservice.UpgradeChannel.NONE,
            node_os_upgrade_channel=containerservice.NodeOSUpgradeChannel.NONE,
        )

    def _storage_profile(self) -> containerservice.ManagedClusterStorageProfileArgs | None:
        if not self._args.mounts_blobs:
            return None
        return containerservice.ManagedClusterStorageProfileArgs(
            blob_csi_driver=containerservice.ManagedClusterStorageProfileBlobCSIDriverArgs(enabled=True)
        )

    def _monitoring(self) -> containerservice.ManagedClusterAzureMonitorProfileArgs | None:
        # Stated either way for a cluster that may serve: what a request leaves out AKS keeps as it is.
        if self._args.serves_models is None:
            return None
        return containerservice.ManagedClusterAzureMonitorProfileArgs(
            metrics=containerservice.ManagedClusterAzureMonitorProfileMetricsArgs(enabled=self._args.serves_models)
        )

    def _workload_autoscaling(self) -> containerservice.ManagedClusterWorkloadAutoScalerProfileArgs | None:
        if self._args.serves_models is None:
            return None
        return containerservice.ManagedClusterWorkloadAutoScalerProfileArgs(
            keda=containerservice.ManagedClusterWorkloadAutoScalerProfileKedaArgs(enabled=self._args.serves_models)
        )

    def _maintenance_window(self, config_name: str) -> None:
        window = self._args.spec.maintenance
        day = containerservice.WeekDay(window.day.value) if window.day else self._args.maintenance_day
        containerservice.MaintenanceConfiguration(
            f"{self._prefix}-{config_name}",
            config_name=config_name,
            resource_group_name=self._args.scope.resource_group_name,
            resource_name_=self.cluster.name,
            maintenance_window=containerservice.MaintenanceWindowArgs(
                duration_hours=window.duration_hours,
                start_time=window.start,
                utc_offset=window.utc_offset,
                schedule=containerservice.ScheduleArgs(
                    weekly=containerservice.WeeklyScheduleArgs(day_of_week=day, interval_weeks=1)
                ),
            ),
            opts=self._child(deleted_with=self.cluster),
        )

    def _kubernetes_provider(self) -> kubernetes.Provider:
        scope = self._args.scope
        cluster_name = scope.name_of("aks")
        login = scope.environment.kube_login
        credentials = containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=scope.resource_group_name,
            resource_name=self.cluster.name,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        authority = credentials.apply(lambda result: cluster_access.certificate_authority(result.kubeconfigs[0].value))
        fqdn = self.cluster.private_fqdn if self._args.spec.api_server.private else self.cluster.fqdn
        text = pulumi.Output.all(fqdn=fqdn, authority=authority).apply(
            lambda known: cluster_access.kubeconfig(
                cluster=cluster_name,
                fqdn=known["fqdn"],
                certificate_authority_data=known["authority"],
                login=login,
            )
        )
        kubeconfig: pulumi.Output[str] = pulumi.Output.secret(text)
        return kubernetes.Provider(
            f"{self._prefix}-kubernetes",
            kubeconfig=kubeconfig,
            # Without it any new kubeconfig text replaces the provider and all that is in the cluster
            # (pulumi-kubernetes#1148, #4019). delete_unreachable and skip_update_unreachable stay with the operator
            # (PULUMI_K8S_DELETE_UNREACHABLE, PULUMI_K8S_SKIP_UPDATE_UNREACHABLE): an `up` that passes over a region by
            # default would look green while that region is stale.
            cluster_identifier=self.cluster.id,
            enable_server_side_apply=True,
            opts=self._child(),
        )


def _dataplane(engine: NetworkPolicy) -> containerservice.NetworkDataplane:
    if engine is NetworkPolicy.CILIUM:
        return containerservice.NetworkDataplane.CILIUM
    return containerservice.NetworkDataplane.AZURE


def _network_policy(engine: NetworkPolicy) -> containerservice.NetworkPolicy | None:
    """Nothing rather than `none`: stated later, that would be a change of clusters which are there."""
    return containerservice.NetworkPolicy.CILIUM if engine is NetworkPolicy.CILIUM else None


def dns_service_ip(service_cidr: str) -> str:
    """The cluster's DNS address: .10 of the service range, AKS's default; it refuses .1 (AKS configure-azure-cni)."""
    return str(ipaddress.IPv4Network(service_cidr)[10])
