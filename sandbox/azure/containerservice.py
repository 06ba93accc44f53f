"""Microsoft.ContainerService: AKS clusters, node pools, maintenance windows and credentials."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox import arm
from sandbox.azure import aks_addresses, aks_checks, aks_credentials, aks_pool_checks, aks_rules
from sandbox.azure.aks_pool_checks import POOL_NAME, SPEC
from sandbox.azure.aks_rules import full_version, node_resource_group
from sandbox.azure.checks import DATE, GUID, at_most, below, cidr, in_range, matches, unique
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType
from sandbox.values import Properties, Value, lookup

_CLUSTER = RESOURCE_GROUP + "/providers/Microsoft.ContainerService/managedClusters/{resourceName}"
_MAINTENANCE = "AKS docs: planned-maintenance"
_IPV4 = r"(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}"

_NODE_DEFAULTS: Properties = {
    "osType": "Linux",
    "osSKU": "Ubuntu",
    "osDiskType": "Managed",
    "osDiskSizeGB": 128,
    "kubeletDiskType": "OS",
    "maxPods": 250,
    "count": 1,
    "enableAutoScaling": False,
    "enableFIPS": False,
    "enableNodePublicIP": False,
    "enableEncryptionAtHost": False,
    "scaleDownMode": "Delete",
    "powerState": {"code": "Running"},
}


def _image(os_sku: Value) -> str:
    release = {
        "Ubuntu2404": "AKSUbuntu-2404gen2containerd",
        "AzureLinux": "AKSAzureLinux-V3gen2",
        "AzureLinux3": "AKSAzureLinux-V3gen2",
    }
    return f"{release.get(str(os_sku), 'AKSUbuntu-2204gen2containerd')}-202610.15.0"


def _cluster(context: Context) -> Properties:
    inputs = context.inputs
    version = full_version(inputs.get("kubernetesVersion"))
    prefix = inputs.get("dnsPrefix") or inputs.get("fqdnSubdomain") or context.name
    host = f"{prefix}-{context.token('fqdn')}"
    outputs: Properties = {
        "fqdn": f"{host}.hcp.{context.location}.azmk8s.io",
        "azurePortalFQDN": f"{host}.portal.hcp.{context.location}.azmk8s.io",
        "currentKubernetesVersion": version,
        "kubernetesVersion": inputs.get("kubernetesVersion") or version,
        "nodeResourceGroup": node_resource_group(context),
        "maxAgentPools": 100,
        "powerState": {"code": "Running"},
        "resourceUID": context.token("uid", 24),
        "agentPoolProfiles": _inline_pools(context, version),
        "networkProfile": _network(inputs.get("networkProfile") or {}),
        "identityProfile": _identity_profile(context),
    }
    if lookup(inputs, "apiServerAccessProfile.enablePrivateCluster") == [True]:
        outputs["privateFQDN"] = f"{host}.{context.guid('private')}.privatelink.{context.location}.azmk8s.io"
    issuer = inputs.get("oidcIssuerProfile")
    if isinstance(issuer, dict) and issuer.get("enabled"):
        url = f"https://{context.location}.oic.prod-aks.azure.com/{context.tenant}/{context.guid('issuer')}/"
        outputs["oidcIssuerProfile"] = {**issuer, "issuerURL": url}
    return outputs


def _inline_pools(context: Context, version: str) -> list[Properties]:
    """The pools that the program names, and those that it no longer names: AKS leaves them running
    (pulumi-azure-native#1686)."""  # noqa: D205, D209
    given = [_inline_pool(profile, version) for profile in context.inputs.get("agentPoolProfiles", ())]
    names = {profile.get("name") for profile in given}
    before = (context.find(context.id) or {}).get("agentPoolProfiles") or () if context.previous is not None else ()
    return given + [profile for profile in before if profile.get("name") not in names]


def _inline_pool(profile: Properties, version: str) -> Properties:
    return {
        **_NODE_DEFAULTS,
        "type": "VirtualMachineScaleSets",
        "orchestratorVersion": version,
        **profile,
        "currentOrchestratorVersion": version,
        "nodeImageVersion": _image(profile.get("osSKU")),
        "provisioningState": "Succeeded",
    }


def _network(profile: Properties) -> Properties:
    # AKS docs: concepts-network-azure-cni-overlay (podCidr), configure-azure-cni (service range and DNS address).
    defaults = {
        "networkPlugin": "azure",
        "loadBalancerSku": "standard",
        "outboundType": "loadBalancer",
        "serviceCidr": "10.0.0.0/16",
        "dnsServiceIP": "10.0.0.10",
        "ipFamilies": ["IPv4"],
    }
    merged = {**defaults, **profile}
    if merged.get("networkPluginMode") == "overlay":
        merged.setdefault("podCidr", "10.244.0.0/16")
    for one, many in (("podCidr", "podCidrs"), ("serviceCidr", "serviceCidrs")):
        if merged.get(one):
            merged.setdefault(many, [merged[one]])
    return merged


def _identity_profile(context: Context) -> Properties:
    given = context.inputs.get("identityProfile") or {}
    kubelet = given.get("kubeletidentity") or {}
    resource_id = kubelet.get("resourceId")
    identity = context.find(resource_id) if resource_id else None
    if identity is None:
        group = f"/subscriptions/{context.subscription}/resourceGroups/{node_resource_group(context)}"
        resource_id = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{context.name}-agentpool"
        identity = {"clientId": context.guid("kubelet-client"), "principalId": context.guid("kubelet-principal")}
    return {
        **given,
        "kubeletidentity": {
            "resourceId": resource_id,
            "clientId": identity["clientId"],
            "objectId": identity["principalId"],
        },
    }


def _node_group(context: Context) -> Iterable[tuple[str, Properties]]:
    name = node_resource_group(context)
    outputs = {
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": context.location,
        "managedBy": context.id,
        "properties": {"provisioningState": "Succeeded"},
    }
    yield f"/subscriptions/{context.subscription}/resourceGroups/{name}", outputs


def _pool(context: Context) -> Properties:
    cluster = context.find(arm.parent_of(context.id)) or {}
    version = full_version(context.inputs.get("orchestratorVersion") or cluster.get("currentKubernetesVersion"))
    outputs: Properties = {
        "type": context.inputs.get("type", "VirtualMachineScaleSets"),
        "currentOrchestratorVersion": version,
        "orchestratorVersion": context.inputs.get("orchestratorVersion") or version,
        "nodeImageVersion": _image(context.inputs.get("osSKU")),
    }
    if context.inputs.get("scaleSetPriority") == "Spot":
        outputs.setdefault("scaleSetEvictionPolicy", context.inputs.get("scaleSetEvictionPolicy", "Delete"))
        outputs.setdefault("spotMaxPrice", context.inputs.get("spotMaxPrice", -1))
    return outputs


TYPES = (
    ResourceType(
        pulumi_type=aks_rules.CLUSTER_TYPE,
        path=_CLUSTER,
        names={
            "resourceName": NameRule(
                pattern=r"[a-zA-Z0-9]([\w-]{0,61}[a-zA-Z0-9])?",
                text="1 to 63 letters, digits, '-' or '_', starting and ending with a letter or digit",
                source=SPEC,
            ),
            "dnsPrefix": NameRule(
                pattern=r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,52}[a-zA-Z0-9])?",
                text="1 to 54 letters, digits or '-', starting and ending with a letter or digit",
                source=SPEC,
            ),
            "nodeResourceGroup": NameRule(
                pattern=r"[-\w.()]{0,79}[-\w()]",
                text="1 to 80 letters, digits, '_', '-', '.', '(' or ')', not ending with '.'",
                source="AKS FAQ: node resource group",
            ),
        },
        # pulumi-azure-native provider/pkg/gen/replacement.go; of the network profile only what AKS cannot update
        # (pulumi-azure-native#4756).
        replace_on=(
            "diskEncryptionSetID",
            "dnsPrefix",
            "fqdnSubdomain",
            "linuxProfile",
            "location",
            "networkProfile.dnsServiceIP",
            "networkProfile.networkDataplane",
            "networkProfile.networkMode",
            "networkProfile.networkPlugin",
            "networkProfile.networkPluginMode",
            "networkProfile.networkPolicy",
            "networkProfile.outboundType",
            "networkProfile.podCidr",
            "networkProfile.serviceCidr",
            "networkProfile.serviceCidrs",
            "nodeResourceGroup",
            "windowsProfile",
        ),
        immutable=("apiServerAccessProfile.enablePrivateCluster",),
        defaults={
            "enableRBAC": True,
            "disableLocalAccounts": False,
            "supportPlan": "KubernetesOfficial",
            "sku": {"name": "Base", "tier": "Free"},
        },
        nested_defaults={"aadProfile": {"managed": True}},
        checks=(
            aks_checks.local_accounts,
            aks_checks.inline_pools,
            aks_checks.identity,
            aks_checks.kubelet_identity,
            aks_checks.address_plan,
            aks_checks.overlay,
            aks_checks.private_api,
            aks_checks.dns_prefix,
            aks_checks.workload_identity,
            aks_checks.autoscaler,
            aks_pool_checks.version,
            below("agentPoolProfiles[]", aks_checks.inline_pool_name),
            *(below("agentPoolProfiles[]", check) for check in aks_pool_checks.CHECKS),
            unique("agentPoolProfiles[].name", SPEC),
            cidr("networkProfile.podCidr", SPEC),
            cidr("networkProfile.serviceCidr", SPEC),
            matches("identityProfile{}.clientId", GUID, "a GUID", SPEC),
            matches("identityProfile{}.objectId", GUID, "a GUID", SPEC),
            matches("networkProfile.dnsServiceIP", _IPV4, "an IPv4 address", SPEC),
            matches(
                "aadProfile.adminGroupObjectIDs[]",
                GUID,
                "the object id (a GUID) of a group",
                "AKS docs: entra-id-control-plane",
            ),
            matches(
                "apiServerAccessProfile.authorizedIPRanges[]",
                rf"{_IPV4}(/\d{{1,2}})?",
                "an IPv4 address or network",
                SPEC,
            ),
            at_most("apiServerAccessProfile.authorizedIPRanges", 200, "AKS docs: api-server-authorized-ip-ranges"),
            in_range("networkProfile.loadBalancerProfile.allocatedOutboundPorts", 0, 64000, SPEC),
            in_range("networkProfile.loadBalancerProfile.idleTimeoutInMinutes", 4, 120, SPEC),
            in_range("networkProfile.natGatewayProfile.idleTimeoutInMinutes", 4, 120, SPEC),
        ),
        rules=(
            aks_rules.cluster_version,
            aks_rules.pools_follow,
            aks_rules.no_new_inline_pool,
            aks_rules.inline_pool_stays,
            aks_rules.node_group_is_free,
            aks_addresses.services_off_the_network,
            aks_addresses.network_off_reserved_ranges,
            aks_addresses.nat_gateway_is_there,
            aks_rules.kubelet_operator,
            aks_addresses.pod_addresses,
            aks_addresses.subnet_has_room,
            aks_rules.nodes_fit,
        ),
        outputs=_cluster,
        lists={"agentPoolProfiles": "agentPools"},
        companions=_node_group,
    ),
    ResourceType(
        pulumi_type=aks_rules.POOL_TYPE,
        path=_CLUSTER + "/agentPools/{agentPoolName}",
        names={"agentPoolName": POOL_NAME},
        # pulumi-azure-native replaces for these two only (PR 3655); the service refuses the rest (AKS docs:
        # create-node-pools, spot-node-pool, aks-managed-gpu-nodes; agentPools specification: "may not be changed").
        replace_on=("gpuInstanceProfile", "networkProfile.nodePublicIPTags", "vmSize"),
        immutable=(
            "availabilityZones",
            "capacityReservationGroupID",
            "enableEncryptionAtHost",
            "gpuProfile.driver",
            "hostGroupID",
            "kubeletDiskType",
            "maxPods",
            "osDiskSizeGB",
            "osDiskType",
            "osType",
            "podSubnetID",
            "proximityPlacementGroupID",
            "scaleSetEvictionPolicy",
            "scaleSetPriority",
            "spotMaxPrice",
            "type",
            "vnetSubnetID",
        ),
        defaults={**_NODE_DEFAULTS, "mode": "User"},
        checks=aks_pool_checks.CHECKS,
        rules=(
            aks_rules.node_configuration_stays,
            aks_rules.pool_count,
            aks_rules.pool_version,
            aks_rules.last_system_pool_keeps_its_mode,
            aks_addresses.pools_share_a_network,
            aks_addresses.network_off_reserved_ranges,
            aks_addresses.pod_addresses,
            aks_addresses.subnet_has_room,
            aks_rules.pool_limits,
            aks_rules.nodes_fit,
        ),
        delete_rules=(aks_rules.last_system_pool_stays,),
        outputs=_pool,
    ),
    ResourceType(
        pulumi_type="azure-native:containerservice:MaintenanceConfiguration",
        path=_CLUSTER + "/maintenanceConfigurations/{configName}",
        names={
            "configName": NameRule(
                pattern=r"default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule",
                text="'default', 'aksManagedAutoUpgradeSchedule' or 'aksManagedNodeOSUpgradeSchedule'",
                source=_MAINTENANCE,
            )
        },
        checks=(
            aks_checks.schedule,
            in_range("maintenanceWindow.durationHours", 4, 24, SPEC),
            matches("maintenanceWindow.startTime", r"([01]\d|2[0-3]):[0-5]\d", "a time such as '02:00'", SPEC),
            matches("maintenanceWindow.utcOffset", r"[-+]\d{2}:\d{2}", "an offset such as '+05:30'", SPEC),
            matches("maintenanceWindow.startDate", DATE, "a date such as '2026-12-01'", SPEC),
            matches("maintenanceWindow.notAllowedDates[].start", DATE, "a date such as '2026-12-01'", SPEC),
            matches("maintenanceWindow.notAllowedDates[].end", DATE, "a date such as '2026-12-01'", SPEC),
            in_range("maintenanceWindow.schedule.daily.intervalDays", 1, 7, SPEC),
            in_range("maintenanceWindow.schedule.weekly.intervalWeeks", 1, 4, SPEC),
            in_range("maintenanceWindow.schedule.absoluteMonthly.intervalMonths", 1, 6, SPEC),
            in_range("maintenanceWindow.schedule.absoluteMonthly.dayOfMonth", 1, 31, SPEC),
            in_range("maintenanceWindow.schedule.relativeMonthly.intervalMonths", 1, 6, SPEC),
        ),
    ),
)

INVOKES = {
    "azure-native:containerservice:listManagedClusterUserCredentials": aks_credentials.user_credentials,
    "azure-native:containerservice:listManagedClusterAdminCredentials": aks_credentials.admin_credentials,
}
