"""Microsoft.ContainerService: AKS clusters, node pools, maintenance windows and credentials."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandbox import arm
from sandbox.azure.model import RESOURCE_GROUP, Context, NameRule, ResourceType, in_range
from sandbox.errors import ArmError, Failure
from sandbox.values import UNKNOWN, Properties, Secret, Value, lookup, reveal

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

_CLUSTER = RESOURCE_GROUP + "/providers/Microsoft.ContainerService/managedClusters/{resourceName}"
_SPEC = "containerservice API specification 2025-08-01"

# The patch that AKS picks when a program asks for a minor version, and the minor that it picks when the program asks
# for none. The sandbox's own choice: which patch is newest changes weekly and differs by region.
_PATCH = 5
_DEFAULT_VERSION = "1.34"
# The Entra applications of AKS's own sign-in: the same in every tenant (AKS docs: kubelogin-authentication).
_AKS_SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
_KUBELOGIN_CLIENT = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"

_POOL_NAME = NameRule(
    pattern=r"[a-z][a-z0-9]{0,11}", text="1 to 12 lower-case letters or digits, starting with a letter", source=_SPEC
)
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


def full_version(version: Value) -> str:
    """``1.34`` is the newest 1.34.x; a full version stays."""
    wanted = version if isinstance(version, str) and version else _DEFAULT_VERSION
    return wanted if wanted.count(".") == 2 else f"{wanted}.{_PATCH}"


def _versions(inputs: Properties) -> Iterable[Failure]:
    for path in ("kubernetesVersion", "orchestratorVersion"):
        version = reveal(inputs.get(path))
        if isinstance(version, str) and not re.fullmatch(r"1\.\d{1,2}(\.\d{1,2})?", version):
            yield Failure(path, f"'{version}' is not a Kubernetes version: <major>.<minor> or <major>.<minor>.<patch>")


def _image(os_sku: Value) -> str:
    release = {
        "Ubuntu2404": "AKSUbuntu-2404gen2containerd",
        "AzureLinux": "AKSAzureLinux-V3gen2",
        "AzureLinux3": "AKSAzureLinux-V3gen2",
    }
    return f"{release.get(str(os_sku), 'AKSUbuntu-2204gen2containerd')}-202610.15.0"


def node_resource_group(context: Context) -> str:
    """The group for the cluster's machines (AKS FAQ: MC_<group>_<cluster>_<location>, at most 80 characters)."""
    given = context.inputs.get("nodeResourceGroup")
    return given or f"MC_{arm.resource_group_of(context.id)}_{context.name}_{context.location}"[:80]


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
        "agentPoolProfiles": [_inline_pool(profile, version) for profile in inputs.get("agentPoolProfiles", ())],
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


def _cluster_checks(inputs: Properties) -> Iterable[Failure]:
    if reveal(inputs.get("disableLocalAccounts")) is True and inputs.get("aadProfile") is None:
        yield Failure(
            "disableLocalAccounts",
            "local accounts can only be disabled with Microsoft Entra integration: 'aadProfile' is missing",
        )
    profiles = reveal(inputs.get("agentPoolProfiles"))
    if profiles is UNKNOWN:
        return
    if not profiles:
        yield Failure("agentPoolProfiles", "a cluster is created with at least one node pool in 'agentPoolProfiles'")
        return
    modes = [profile.get("mode") for profile in profiles if isinstance(profile, dict)]
    if UNKNOWN not in modes and "System" not in modes:
        yield Failure("agentPoolProfiles", "a cluster must have at least one pool of mode 'System'")
    for index, profile in enumerate(profiles):
        if isinstance(profile, dict):
            path = f"agentPoolProfiles[{index}]"
            yield from _POOL_NAME.check(f"{path}.name", profile.get("name"))
            yield from (Failure(f"{path}.{failure.path}", failure.reason) for failure in _pool_checks(profile))


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


def _pool_checks(inputs: Properties) -> Iterable[Failure]:
    yield from _spot(inputs)
    yield from _scaling(inputs)
    settings = reveal(inputs.get("upgradeSettings"))
    if (
        isinstance(settings, dict)
        and str(settings.get("maxSurge")) in {"0", "0%"}
        and settings.get("maxUnavailable") in {None, "0", "0%"}
    ):
        # AKS docs, upgrade-aks-node-pools-rolling: an upgrade must be able to take a node away or to add one.
        yield Failure("upgradeSettings.maxSurge", "maxSurge and maxUnavailable cannot both be 0")


def _spot(inputs: Properties) -> Iterable[Failure]:
    # AKS docs: spot-node-pool.
    priority, price = reveal(inputs.get("scaleSetPriority")), reveal(inputs.get("spotMaxPrice"))
    if priority is UNKNOWN:
        return
    if priority != "Spot":
        for name in ("scaleSetEvictionPolicy", "spotMaxPrice"):
            if inputs.get(name) is not None:
                yield Failure(name, f"'{name}' can only be given with scaleSetPriority 'Spot'")
        return
    if isinstance(price, int | float) and price != -1 and price <= 0:
        yield Failure(
            "spotMaxPrice", f"'spotMaxPrice' must be -1 (up to the on-demand price) or above 0, but is {price}"
        )
    if reveal(inputs.get("mode")) == "System":
        yield Failure("scaleSetPriority", "a Spot pool cannot be a System pool")
    for name in ("maxSurge", "maxUnavailable"):
        if lookup(inputs, f"upgradeSettings.{name}"):
            yield Failure(f"upgradeSettings.{name}", f"'{name}' cannot be set on a Spot pool")


def _scaling(inputs: Properties) -> Iterable[Failure]:
    automatic, low, high = (reveal(inputs.get(name)) for name in ("enableAutoScaling", "minCount", "maxCount"))
    if automatic is UNKNOWN:
        return
    if not automatic:
        for name in ("minCount", "maxCount"):
            if inputs.get(name) is not None:
                yield Failure(name, f"'{name}' can only be given with enableAutoScaling true")
        return
    for name, value in (("minCount", low), ("maxCount", high)):
        if value is None:
            yield Failure(name, f"'{name}' is required with enableAutoScaling true")
    if isinstance(low, int) and isinstance(high, int):
        if low > high:
            yield Failure("minCount", f"'minCount' ({low}) must not be above 'maxCount' ({high})")
        if low < 1 and reveal(inputs.get("mode")) == "System":
            yield Failure("minCount", "a System pool has at least one node")


def kubeconfig(context: Context, outputs: Properties, *, user: str) -> str:
    """The kubeconfig (JSON, which is YAML) that AKS hands out; Entra sign-in runs kubelogin as exec plugin."""
    cluster = context.name
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": [
            "get-token",
            "--environment",
            "AzurePublicCloud",
            "--server-id",
            _AKS_SERVER_APPLICATION,
            "--client-id",
            _KUBELOGIN_CLIENT,
            "--tenant-id",
            context.tenant,
            "--login",
            "devicecode",
        ],
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": False,
    }
    certificate = f"-----BEGIN CERTIFICATE-----\n{context.secret_bytes('ca', 480)}\n-----END CERTIFICATE-----\n"
    authority = base64.b64encode(certificate.encode()).decode()
    login = f"{user}_{arm.resource_group_of(context.id)}_{cluster}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {"certificate-authority-data": authority, "server": f"https://{outputs['fqdn']}:443"},
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": login}}],
        "current-context": cluster,
        "preferences": {},
        "users": [
            {
                "name": login,
                "user": {"exec": command} if outputs.get("aadProfile") else {"token": context.token("token", 64)},
            }
        ],
    }
    return json.dumps(config, indent=1)


def _credentials(manager: ResourceManager, arguments: Properties, *, name: str) -> Properties:
    cluster = manager.require(manager.id_of(TYPES[0], arguments))
    text = kubeconfig(manager.context_of(cluster), cluster.outputs, user=name)
    return {"kubeconfigs": Secret([{"name": name, "value": base64.b64encode(text.encode()).decode()}])}


def _user_credentials(manager: ResourceManager, arguments: Properties) -> Properties:
    return _credentials(manager, arguments, name="clusterUser")


def _admin_credentials(manager: ResourceManager, arguments: Properties) -> Properties:
    cluster = manager.require(manager.id_of(TYPES[0], arguments))
    if cluster.outputs.get("disableLocalAccounts"):
        text = "Getting static credential is not allowed because this cluster is set to disable local accounts."
        raise ArmError(400, "BadRequest", text)
    return _credentials(manager, arguments, name="clusterAdmin")


TYPES = (
    ResourceType(
        pulumi_type="azure-native:containerservice:ManagedCluster",
        path=_CLUSTER,
        names={
            "resourceName": NameRule(
                pattern=r"[a-zA-Z0-9]([\w-]{0,61}[a-zA-Z0-9])?",
                text="1 to 63 letters, digits, '-' or '_', starting and ending with a letter or digit",
                source=_SPEC,
            ),
            "dnsPrefix": NameRule(
                pattern=r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,52}[a-zA-Z0-9])?",
                text="1 to 54 letters, digits or '-', starting and ending with a letter or digit",
                source=_SPEC,
            ),
        },
        replace_on=(
            "diskEncryptionSetID",
            "dnsPrefix",
            "fqdnSubdomain",
            "linuxProfile",
            "location",
            "networkProfile",
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
        checks=(_cluster_checks, _versions),
        outputs=_cluster,
        companions=_node_group,
    ),
    ResourceType(
        pulumi_type="azure-native:containerservice:AgentPool",
        path=_CLUSTER + "/agentPools/{agentPoolName}",
        names={"agentPoolName": _POOL_NAME},
        # pulumi-azure-native replaces for these two only (PR 3655); the service refuses the rest (AKS docs:
        # create-node-pools, spot-node-pool, aks-managed-gpu-nodes; agentPools specification: "may not be changed").
        replace_on=("gpuInstanceProfile", "vmSize"),
        immutable=(
            "availabilityZones",
            "capacityReservationGroupID",
            "enableEncryptionAtHost",
            "gpuProfile.driver",
            "hostGroupID",
            "kubeletConfig",
            "kubeletDiskType",
            "linuxOSConfig",
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
        checks=(
            _pool_checks,
            _versions,
            in_range("count", 0, 1000, _SPEC),
            in_range("minCount", 0, 1000, _SPEC),
            in_range("maxCount", 0, 1000, _SPEC),
            in_range("osDiskSizeGB", 0, 2048, _SPEC),
            in_range("maxPods", 10, 250, "AKS docs: quotas-skus-regions"),
            in_range("upgradeSettings.drainTimeoutInMinutes", 1, 1440, _SPEC),
            in_range("upgradeSettings.nodeSoakDurationInMinutes", 0, 30, _SPEC),
        ),
        outputs=_pool,
    ),
    ResourceType(
        pulumi_type="azure-native:containerservice:MaintenanceConfiguration",
        path=_CLUSTER + "/maintenanceConfigurations/{configName}",
        names={
            "configName": NameRule(
                pattern=r"default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule",
                text="'default', 'aksManagedAutoUpgradeSchedule' or 'aksManagedNodeOSUpgradeSchedule'",
                source="AKS docs: planned-maintenance",
            )
        },
        checks=(in_range("maintenanceWindow.durationHours", 4, 24, "AKS docs: planned-maintenance"),),
    ),
)

INVOKES = {
    "azure-native:containerservice:listManagedClusterUserCredentials": _user_credentials,
    "azure-native:containerservice:listManagedClusterAdminCredentials": _admin_credentials,
}
