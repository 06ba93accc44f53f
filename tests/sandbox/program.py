"""A small program with one of each resource type, in typed Args, for the real engine."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pulumi
import pulumi_kubernetes as k8s
from pulumi_azure_native import (
    authorization,
    cdn,
    consumption,
    containerregistry,
    containerservice,
    managedidentity,
    monitor,
    network,
    operationalinsights,
    privatedns,
    resources,
    storage,
    storagecache,
)
from pulumi_kubernetes.helm import v3 as helm

MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
LOCATION = "eastus"
Program = Callable[[], None]


def role(subscription: str, role_id: str) -> str:
    return f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"


def everything(*, pools: int = 1, pool_max: int = 4) -> None:
    """One of each type; ``pools`` GPU pools."""
    client = authorization.get_client_config()
    subscription = client.subscription_id
    group = resources.ResourceGroup("rg", resource_group_name="rg-t-east", location=LOCATION, tags={"env": "t"})
    name = group.name
    vnet, subnets = _network(name)
    cluster_identity = managedidentity.UserAssignedIdentity(
        "id-cluster", resource_name_="id-t-cluster", resource_group_name=name, location=LOCATION
    )
    kubelet = managedidentity.UserAssignedIdentity(
        "id-kubelet", resource_name_="id-t-kubelet", resource_group_name=name, location=LOCATION
    )
    assignment = authorization.RoleAssignment(
        "network-contributor",
        scope=vnet.id,
        principal_id=cluster_identity.principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=role(subscription, NETWORK_CONTRIBUTOR),
    )
    operator = authorization.RoleAssignment(
        "identity-operator",
        scope=kubelet.id,
        principal_id=cluster_identity.principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=role(subscription, MANAGED_IDENTITY_OPERATOR),
    )
    workspace = operationalinsights.Workspace(
        "log",
        workspace_name="log-t-east",
        resource_group_name=name,
        location=LOCATION,
        sku=operationalinsights.WorkspaceSkuArgs(name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018),
        retention_in_days=30,
    )
    cluster = _cluster(name, subnets["system"], cluster_identity, kubelet, [assignment, operator])
    monitor.DiagnosticSetting(
        "diag",
        name="control-plane",
        resource_uri=cluster.id,
        workspace_id=workspace.id,
        logs=[monitor.DiagnosticsLogSettingsArgs(category="kube-audit-admin", enabled=True)],
    )
    for index in range(pools):
        _gpu_pool(name, cluster, subnets["gpu"], index, pool_max)
    containerservice.MaintenanceConfiguration(
        "maintenance",
        config_name="aksManagedNodeOSUpgradeSchedule",
        resource_group_name=name,
        resource_name_=cluster.name,
        maintenance_window=containerservice.MaintenanceWindowArgs(
            duration_hours=4,
            start_time="02:00",
            schedule=containerservice.ScheduleArgs(
                weekly=containerservice.WeeklyScheduleArgs(
                    interval_weeks=1, day_of_week=containerservice.WeekDay.SUNDAY
                )
            ),
        ),
    )
    _storage(name, vnet, subnets)
    _global(name, subscription)
    _kubernetes(name, cluster)
    pulumi.export("fqdn", cluster.fqdn)
    pulumi.export("principal", cluster_identity.principal_id)


def _network(name: pulumi.Output[str]) -> tuple[network.VirtualNetwork, dict[str, network.Subnet]]:
    vnet = network.VirtualNetwork(
        "vnet",
        virtual_network_name="vnet-t-east",
        resource_group_name=name,
        location=LOCATION,
        address_space=network.AddressSpaceArgs(address_prefixes=["10.0.0.0/16"]),
    )
    address = network.PublicIPAddress(
        "pip",
        public_ip_address_name="pip-t-nat",
        resource_group_name=name,
        location=LOCATION,
        sku=network.PublicIPAddressSkuArgs(name=network.PublicIPAddressSkuName.STANDARD),
        public_ip_allocation_method=network.IPAllocationMethod.STATIC,
        dns_settings=network.PublicIPAddressDnsSettingsArgs(domain_name_label="t-gateway"),
        zones=["1", "2", "3"],
    )
    nat = network.NatGateway(
        "nat",
        nat_gateway_name="ng-t-east",
        resource_group_name=name,
        location=LOCATION,
        sku=network.NatGatewaySkuArgs(name=network.NatGatewaySkuName.STANDARD),
        public_ip_addresses=[network.SubResourceArgs(id=address.id)],
    )
    security = network.NetworkSecurityGroup(
        "nsg",
        network_security_group_name="nsg-t-gpu",
        resource_group_name=name,
        location=LOCATION,
        security_rules=[
            network.SecurityRuleArgs(
                name="lustre",
                priority=100,
                access=network.SecurityRuleAccess.ALLOW,
                direction=network.SecurityRuleDirection.INBOUND,
                protocol=network.SecurityRuleProtocol.TCP,
                source_address_prefix="VirtualNetwork",
                source_port_range="*",
                destination_address_prefix="*",
                destination_port_range="988",
            )
        ],
    )
    subnets: dict[str, network.Subnet] = {}
    for index, short in enumerate(("system", "gpu", "lustre", "privateendpoints")):
        subnets[short] = network.Subnet(
            f"snet-{short}",
            subnet_name=f"snet-{short}",
            resource_group_name=name,
            virtual_network_name=vnet.name,
            address_prefix=f"10.0.{index * 16}.0/20",
            network_security_group=network.NetworkSecurityGroupArgs(id=security.id),
            nat_gateway=network.SubResourceArgs(id=nat.id),
        )
    return vnet, subnets


def _cluster(
    name: pulumi.Output[str],
    subnet: network.Subnet,
    identity: managedidentity.UserAssignedIdentity,
    kubelet: managedidentity.UserAssignedIdentity,
    assignments: list[authorization.RoleAssignment],
) -> containerservice.ManagedCluster:
    return containerservice.ManagedCluster(
        "aks",
        resource_name_="aks-t-east",
        resource_group_name=name,
        location=LOCATION,
        dns_prefix="t-east",
        kubernetes_version="1.34",
        disable_local_accounts=True,
        enable_rbac=True,
        aad_profile=containerservice.ManagedClusterAADProfileArgs(managed=True, enable_azure_rbac=True),
        identity=containerservice.ManagedClusterIdentityArgs(
            type=containerservice.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
        ),
        identity_profile={
            "kubeletidentity": containerservice.UserAssignedIdentityArgs(
                resource_id=kubelet.id, client_id=kubelet.client_id, object_id=kubelet.principal_id
            )
        },
        oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
        security_profile=containerservice.ManagedClusterSecurityProfileArgs(
            workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True)
        ),
        sku=containerservice.ManagedClusterSKUArgs(
            name=containerservice.ManagedClusterSKUName.BASE, tier=containerservice.ManagedClusterSKUTier.STANDARD
        ),
        network_profile=containerservice.ContainerServiceNetworkProfileArgs(
            network_plugin=containerservice.NetworkPlugin.AZURE,
            network_plugin_mode=containerservice.NetworkPluginMode.OVERLAY,
            pod_cidr="10.240.0.0/12",
            service_cidr="10.1.0.0/16",
            dns_service_ip="10.1.0.10",
            outbound_type=containerservice.OutboundType.USER_ASSIGNED_NAT_GATEWAY,
        ),
        agent_pool_profiles=[
            containerservice.ManagedClusterAgentPoolProfileArgs(
                name="system",
                mode=containerservice.AgentPoolMode.SYSTEM,
                count=3,
                vm_size="Standard_D4s_v5",
                os_sku="Ubuntu2404",
                vnet_subnet_id=subnet.id,
            )
        ],
        opts=pulumi.ResourceOptions(depends_on=assignments),
    )


def _gpu_pool(
    name: pulumi.Output[str],
    cluster: containerservice.ManagedCluster,
    subnet: network.Subnet,
    index: int,
    pool_max: int,
) -> None:
    containerservice.AgentPool(
        f"h100-{index}",
        agent_pool_name=f"h100a{index}",
        resource_group_name=name,
        resource_name_=cluster.name,
        mode=containerservice.AgentPoolMode.USER,
        vm_size="Standard_ND96isr_H100_v5",
        os_sku="Ubuntu2404",
        os_disk_type=containerservice.OSDiskType.EPHEMERAL,
        os_disk_size_gb=512,
        enable_auto_scaling=True,
        count=1,
        min_count=1,
        max_count=pool_max,
        gpu_profile=containerservice.GPUProfileArgs(driver=containerservice.GPUDriver.NONE),
        node_labels={"gpufleet/pool": "h100"},
        node_taints=["nvidia.com/gpu=present:NoSchedule"],
        upgrade_settings=containerservice.AgentPoolUpgradeSettingsArgs(max_surge="0", max_unavailable="1"),
        vnet_subnet_id=subnet.id,
        opts=pulumi.ResourceOptions(ignore_changes=["count"]),
    )


def _storage(name: pulumi.Output[str], vnet: network.VirtualNetwork, subnets: dict[str, network.Subnet]) -> None:
    storagecache.AmlFilesystem(
        "lustre",
        aml_filesystem_name="amlfs-t-east",
        resource_group_name=name,
        location=LOCATION,
        sku=storagecache.SkuNameArgs(name="AMLFS-Durable-Premium-250"),
        storage_capacity_ti_b=32,
        zones=["1"],
        filesystem_subnet=subnets["lustre"].id,
        maintenance_window=storagecache.AmlFilesystemMaintenanceWindowArgs(
            day_of_week=storagecache.MaintenanceDayOfWeekType.SUNDAY, time_of_day_utc="02:00"
        ),
    )
    account = storage.StorageAccount(
        "store",
        account_name="sttesteast",
        resource_group_name=name,
        location=LOCATION,
        kind=storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=storage.SkuName.STANDARD_ZRS),
        is_hns_enabled=True,
        allow_shared_key_access=False,
        minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
    )
    storage.BlobContainer("datasets", container_name="datasets", account_name=account.name, resource_group_name=name)
    endpoint = network.PrivateEndpoint(
        "pe",
        private_endpoint_name="pe-t-blob",
        resource_group_name=name,
        location=LOCATION,
        subnet=network.SubnetArgs(id=subnets["privateendpoints"].id),
        private_link_service_connections=[
            network.PrivateLinkServiceConnectionArgs(
                name="blob", private_link_service_id=account.id, group_ids=["blob"]
            )
        ],
    )
    zone = privatedns.PrivateZone(
        "zone", private_zone_name="privatelink.blob.core.windows.net", resource_group_name=name, location="global"
    )
    privatedns.VirtualNetworkLink(
        "link",
        virtual_network_link_name="vnet-t-east",
        private_zone_name=zone.name,
        resource_group_name=name,
        location="global",
        registration_enabled=False,
        virtual_network=privatedns.SubResourceArgs(id=vnet.id),
    )
    network.PrivateDnsZoneGroup(
        "zonegroup",
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=name,
        private_dns_zone_configs=[network.PrivateDnsZoneConfigArgs(name="blob", private_dns_zone_id=zone.id)],
    )


def _global(name: pulumi.Output[str], subscription: str) -> None:
    registry = containerregistry.Registry(
        "acr",
        registry_name="crtest",
        resource_group_name=name,
        location=LOCATION,
        sku=containerregistry.SkuArgs(name=containerregistry.SkuName.PREMIUM),
    )
    containerregistry.Replication(
        "replica",
        replication_name="swedencentral",
        registry_name=registry.name,
        resource_group_name=name,
        location="swedencentral",
    )
    receivers = [
        monitor.MicrosoftCommonEmailReceiverArgs(
            name="ops", email_address="ml-finops@example.com", use_common_alert_schema=True
        )
    ]
    alerts = monitor.ActionGroup(
        "ag",
        action_group_name="ag-t",
        resource_group_name=name,
        location="Global",
        enabled=True,
        group_short_name="t",
        email_receivers=receivers,
    )
    consumption.Budget(
        "budget",
        budget_name="bud-t",
        scope=f"/subscriptions/{subscription}",
        amount=1000,
        category=consumption.CategoryType.COST,
        time_grain=consumption.TimeGrainType.MONTHLY,
        time_period=consumption.BudgetTimePeriodArgs(start_date="2026-12-01T00:00:00Z"),
        notifications={
            "actual": consumption.NotificationArgs(
                enabled=True,
                operator=consumption.OperatorType.GREATER_THAN,
                threshold=80,
                threshold_type=consumption.ThresholdType.ACTUAL,
                contact_emails=["ml-finops@example.com"],
                contact_groups=[alerts.id],
            )
        },
    )
    profile = cdn.Profile(
        "afd",
        profile_name="afd-t",
        resource_group_name=name,
        location="Global",
        sku=cdn.SkuArgs(name=cdn.SkuName.PREMIUM_AZURE_FRONT_DOOR),
    )
    endpoint = cdn.AFDEndpoint(
        "endpoint", endpoint_name="t", profile_name=profile.name, resource_group_name=name, location="Global"
    )
    group = cdn.AFDOriginGroup(
        "origins",
        origin_group_name="regions",
        profile_name=profile.name,
        resource_group_name=name,
        health_probe_settings=cdn.HealthProbeParametersArgs(
            probe_path="/healthz", probe_protocol=cdn.ProbeProtocol.HTTPS, probe_interval_in_seconds=30
        ),
        load_balancing_settings=cdn.LoadBalancingSettingsParametersArgs(sample_size=4, successful_samples_required=3),
    )
    origin = cdn.AFDOrigin(
        "origin",
        origin_name="eastus",
        origin_group_name=group.name,
        profile_name=profile.name,
        resource_group_name=name,
        host_name="t-gateway.eastus.cloudapp.azure.com",
        priority=1,
        weight=500,
    )
    cdn.Route(
        "route",
        route_name="all",
        endpoint_name=endpoint.name,
        profile_name=profile.name,
        resource_group_name=name,
        origin_group=cdn.ResourceReferenceArgs(id=group.id),
        patterns_to_match=["/*"],
        supported_protocols=[cdn.AFDEndpointProtocols.HTTPS],
        https_redirect=cdn.HttpsRedirect.DISABLED,
        link_to_default_domain=cdn.LinkToDefaultDomain.ENABLED,
        opts=pulumi.ResourceOptions(depends_on=[origin]),
    )


def _kubernetes(name: pulumi.Output[str], cluster: containerservice.ManagedCluster) -> None:
    credentials = containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=name, resource_name=cluster.name
    )
    kubeconfig = credentials.apply(lambda found: base64.b64decode(found.kubeconfigs[0].value).decode())
    provider = k8s.Provider("k8s", kubeconfig=kubeconfig, cluster_identifier=cluster.id)
    options = pulumi.ResourceOptions(provider=provider, deleted_with=cluster)
    namespaces = {
        short: k8s.core.v1.Namespace(
            f"ns-{short}",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=short, labels={"pod-security.kubernetes.io/enforce": "privileged"}
            ),
            opts=options,
        )
        for short in ("network-operator", "gpu-operator")
    }
    k8s.core.v1.ConfigMap(
        "settings",
        metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespaces["gpu-operator"].metadata.name),
        data={"config.yaml": "a: 1"},
        opts=options,
    )
    repository = helm.RepositoryOptsArgs(repo="https://helm.ngc.nvidia.com/nvidia")
    network_operator = helm.Release(
        "network-operator",
        name="network-operator",
        chart="network-operator",
        version="26.4.0",
        namespace=namespaces["network-operator"].metadata.name,
        repository_opts=repository,
        values={"nfd": {"enabled": True}},
        opts=options,
    )
    helm.Release(
        "gpu-operator",
        name="gpu-operator",
        chart="gpu-operator",
        version="v26.3.3",
        namespace=namespaces["gpu-operator"].metadata.name,
        repository_opts=repository,
        values={"nfd": {"enabled": False}, "driver": {"rdma": {"enabled": True}}},
        opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[network_operator])),
    )
    after = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[network_operator]))
    k8s.apiextensions.CustomResource(
        "rule",
        api_version="nfd.k8s-sigs.io/v1alpha1",
        kind="NodeFeatureRule",
        metadata=k8s.meta.v1.ObjectMetaArgs(name="nvidia-networking"),
        spec={"rules": []},
        opts=after,
    )
    k8s.apiextensions.CustomResource(
        "nic",
        api_version="mellanox.com/v1alpha1",
        kind="NicClusterPolicy",
        metadata=k8s.meta.v1.ObjectMetaArgs(name="nic-cluster-policy"),
        spec={
            "ofedDriver": {"repository": "nvcr.io/nvidia/mellanox", "image": "doca-driver", "version": "doca3.2.0"},
        },
        opts=after,
    )
