"""What AKS refuses in the state that the cloud is in: versions, pools, addresses, quotas, deletions."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import limits
from sandbox import arm
from sandbox.azure import subscription
from sandbox.azure.checks import get
from sandbox.azure.model import Context, normalise_location
from sandbox.errors import ArmError
from sandbox.values import Properties, Value

CLUSTER_TYPE = "azure-native:containerservice:ManagedCluster"
POOL_TYPE = "azure-native:containerservice:AgentPool"

# The patch that AKS picks when a program asks for a minor version, and the minor that it picks when the program asks
# for none. The sandbox's own choice: which patch is newest changes weekly and differs by region.
_PATCH = 5
_DEFAULT_VERSION = "1.34"
# How far a pool may lag behind the control plane (AKS docs: supported-kubernetes-versions, upgrade rules of pools).
_MINORS_BEHIND = 2


def full_version(version: Value) -> str:
    """``1.34`` is the newest 1.34.x; a full version stays."""
    wanted = version if isinstance(version, str) and version else _DEFAULT_VERSION
    return wanted if wanted.count(".") == 2 else f"{wanted}.{_PATCH}"


def _parts(version: Value) -> tuple[int, ...]:
    return tuple(int(part) for part in full_version(version).split("."))


def _changed(context: Context, name: str) -> tuple[Value, Value] | None:
    """A property's old and new value when an update changes it."""
    if context.previous is None:
        return None
    old, new = context.previous.get(name), context.inputs.get(name)
    return (old, new) if old != new and old is not None and new is not None else None


def _no_step_back(what: str, name: str, context: Context) -> None:
    changed = _changed(context, name)
    if changed is None:
        return
    old, new = (full_version(version) for version in changed)
    if _parts(new) < _parts(old):
        raise ArmError(400, "OperationNotAllowed", f"Downgrading {what} version {old} to {new} is not allowed.")


def cluster_version(context: Context) -> None:
    """A control plane is upgraded minor by minor and never downgraded (AKS docs: upgrade-aks-cluster)."""
    _no_step_back("Kubernetes", "kubernetesVersion", context)
    changed = _changed(context, "kubernetesVersion")
    if changed is not None and _parts(changed[1])[1] > _parts(changed[0])[1] + 1:
        old, new = (full_version(version) for version in changed)
        text = (
            f"Upgrading Kubernetes version {old} to {new} is not allowed. Available upgrades: "
            f"[1.{_parts(old)[1] + 1}]. Please see https://aka.ms/aks-supported-k8s-ver for version details."
        )
        raise ArmError(400, "OperationNotAllowed", text)


def pool_version(context: Context) -> None:
    """A pool is never newer than its control plane, at most two minors older, and never downgraded."""
    cluster = context.find(arm.parent_of(context.id)) or {}
    _no_step_back("node pool", "orchestratorVersion", context)
    if context.inputs.get("orchestratorVersion") is not None:
        _require_skew(context.inputs["orchestratorVersion"], cluster.get("currentKubernetesVersion"))


def pools_follow(context: Context) -> None:
    """No pool, inline or of its own, is left too far behind by the control plane, or is ahead of it."""
    control_plane = context.inputs.get("kubernetesVersion")
    for profile in context.inputs.get("agentPoolProfiles") or ():
        if profile.get("orchestratorVersion") is not None:
            _require_skew(profile["orchestratorVersion"], control_plane)
    if control_plane is not None:
        for pool in _own_pools(context):
            _require_skew(pool["outputs"].get("orchestratorVersion"), control_plane)


def _require_skew(pool: Value, control_plane: Value) -> None:
    pool_minor, plane_minor = _parts(pool)[1], _parts(control_plane)[1]
    if plane_minor - _MINORS_BEHIND <= pool_minor and _parts(pool) <= _parts(control_plane):
        return
    how = "bigger" if _parts(pool) > _parts(control_plane) else f"more than {_MINORS_BEHIND} minors smaller"
    text = (
        f"Node pool version {full_version(pool)} and control plane version {full_version(control_plane)} are "
        f"incompatible. Minor version of node pool version {pool_minor} is {how} than control plane version "
        f"{plane_minor}. For more information, please check https://aka.ms/version-skew-policy"
    )
    raise ArmError(400, "NodePoolMcVersionIncompatible", text)


def _own_pools(context: Context) -> list[Properties]:
    return [record for record in context.records(f"{context.id}/agentPools/") if record.get("token") == POOL_TYPE]


def no_new_inline_pool(context: Context) -> None:
    """A pool cannot come in through the cluster (pulumi-azure-native#579, #2719)."""
    if context.previous is None:
        return
    known = {profile.get("name") for profile in (context.find(context.id) or {}).get("agentPoolProfiles") or ()}
    known |= {arm.name_of(pool["id"]) for pool in _own_pools(context)}
    for profile in context.inputs.get("agentPoolProfiles") or ():
        if profile.get("name") not in known:
            text = (
                "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through "
                "managed cluster operations. For agent pool specific change, please use per agent pool operations: "
                "https://aka.ms/agent-pool-rest-api"
            )
            raise ArmError(400, "BadRequest", text)


# An inline pool's fields that are fixed at creation, as for a pool of its own (AKS docs: create-node-pools).
_INLINE_FIXED = (
    "vmSize",
    "osDiskSizeGB",
    "osDiskType",
    "osType",
    "maxPods",
    "vnetSubnetID",
    "availabilityZones",
    "type",
    "kubeletConfig",
    "linuxOSConfig",
)


def inline_pool_stays(context: Context) -> None:
    """What a pool is made with stays (the provider tries an update: pulumi-azure-native PR 2774)."""
    if context.previous is None:
        return
    before = {profile.get("name"): profile for profile in context.previous.get("agentPoolProfiles") or ()}
    for profile in context.inputs.get("agentPoolProfiles") or ():
        old = before.get(profile.get("name"), profile)
        for name in _INLINE_FIXED:
            if old.get(name) is not None and old.get(name) != profile.get(name):
                raise arm.change_not_allowed(f"properties.{name}")


def node_group_is_free(context: Context) -> None:
    """AKS makes the node resource group itself, so it must not be there (AKS FAQ)."""
    name = node_resource_group(context)
    if context.previous is None and context.find(f"/subscriptions/{context.subscription}/resourceGroups/{name}"):
        text = f"the node resource group '{name}' exists already; AKS creates and owns it"
        raise arm.invalid_parameter("nodeResourceGroup", text)


def node_resource_group(context: Context) -> str:
    """The group for the cluster's machines (AKS FAQ: MC_<group>_<cluster>_<location>, at most 80 characters)."""
    given = context.inputs.get("nodeResourceGroup")
    return given or f"MC_{arm.resource_group_of(context.id)}_{context.name}_{context.location}"[:80]


def pool_count(context: Context) -> None:
    """A new pool says how many nodes it starts with (azure-rest-api-specs#7746), within the autoscaler's bounds."""
    count = context.inputs.get("count")
    if context.previous is None and count is None:
        raise arm.invalid_parameter("agentPoolProfile.count", "'count' is required when a pool is created")
    if not context.inputs.get("enableAutoScaling") or (context.previous or {}).get("count") == count:
        return  # after creation the count is the autoscaler's, and an unchanged one says nothing
    low, high = context.inputs.get("minCount"), context.inputs.get("maxCount")
    if isinstance(count, int) and isinstance(low, int) and isinstance(high, int) and not low <= count <= high:
        text = f"the count {count} is not in the range of minCount {low} and maxCount {high}"
        raise arm.invalid_parameter("agentPoolProfile.count", text)


def node_configuration_stays(context: Context) -> None:
    """Kubelet and kernel settings are fixed at creation, given or not (code and text: Azure/AKS#2591)."""
    if context.previous is None:
        return
    for name in ("kubeletConfig", "linuxOSConfig"):
        if (context.previous.get(name) or None) != (context.inputs.get(name) or None):
            raise ArmError(
                400,
                "CustomKubeletConfigOrCustomLinuxOSConfigCanNotBeChanged",
                "CustomKubeletConfig or CustomLinuxOSConfig can not be changed for this operation",
            )


def _location(context: Context) -> str:
    cluster = context.find(arm.parent_of(context.id)) or {}
    return normalise_location(str(cluster.get("location", "")))


def profiles(context: Context) -> Iterator[tuple[str, Properties, str]]:
    """Id, properties and region of the pools that a request makes or changes."""
    if "/agentPools/" in context.id:
        yield context.id, context.inputs, _location(context)
        return
    for profile in context.inputs.get("agentPoolProfiles") or ():
        yield f"{context.id}/agentPools/{profile.get('name')}", profile, context.location


def nodes_fit(context: Context) -> None:
    """The subscription is offered the size there, and has the features, quotas and capacity that the nodes need."""
    wanted = [
        (subscription.pool_nodes(pool_id, region, profile), profile)
        for pool_id, profile, region in profiles(context)
        if profile.get("vmSize")
    ]
    for nodes, profile in wanted:
        subscription.require_offered(nodes, [str(zone) for zone in profile.get("availabilityZones") or ()])
        subscription.require_feature(context, nodes)
    subscription.require_nodes(context, [nodes for nodes, _ in wanted])


def pool_limits(context: Context) -> None:
    """Pools and nodes of a cluster (AKS docs: quotas-skus-regions)."""
    cluster_id = arm.parent_of(context.id)
    pools = {
        nodes.pool.lower(): nodes.count
        for nodes in subscription.live(context)
        if nodes.pool.lower().startswith(cluster_id.lower() + "/")
    }
    pools[context.id.lower()] = subscription.pool_nodes(context.id, "", context.inputs).count
    most, nodes = limits.value("aks.pools_per_cluster"), limits.value("aks.nodes_per_cluster")
    if len(pools) > most:
        raise ArmError(
            400, "AgentPoolCountExceeded", f"A cluster has at most {most} agent pools; this would be {len(pools)}."
        )
    if sum(pools.values()) > nodes:
        text = f"A cluster has at most {nodes} nodes; this would be {sum(pools.values())}."
        raise ArmError(400, "NodeCountExceeded", text)


def kubelet_operator(context: Context) -> None:
    """The control plane may use the kubelet's identity before the cluster is made (AKS docs: use-managed-identity)."""
    kubelet = get(context.inputs, "identityProfile.kubeletidentity.resourceId")
    assigned = get(context.inputs, "identity.userAssignedIdentities")
    if context.previous is not None or not isinstance(kubelet, str) or not isinstance(assigned, list):
        return
    principals = {(context.find(str(identity)) or {}).get("principalId") for identity in assigned}
    for record in context.of_type("azure-native:authorization:RoleAssignment"):
        role, scope = arm.name_of(record["inputs"].get("roleDefinitionId", "")), str(record["outputs"].get("scope", ""))
        covers = kubelet.lower().startswith(scope.lower().rstrip("/"))
        if record["inputs"].get("principalId") in principals and covers and role in _MAY_USE_IDENTITIES:
            return
    text = (
        "The cluster user assigned identity must be given permission to assign kubelet identity "
        f"{kubelet}. Check access result not allowed for action "
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action."
    )
    raise ArmError(400, "CustomKubeletIdentityMissingPermissionError", text)


# Managed Identity Operator, Contributor, Owner (Azure docs: built-in-roles).
_MAY_USE_IDENTITIES = {
    "f1a07417-d97a-45cb-824c-7a7467783830",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
}


def last_system_pool_stays(context: Context) -> None:
    """A cluster keeps at least one System pool (AKS docs: use-system-pools)."""
    if _is_last_system_pool(context):
        raise ArmError(400, "OperationNotAllowed", "There has to be at least one system agent pool in the cluster.")


def last_system_pool_keeps_its_mode(context: Context) -> None:
    """The last System pool cannot become a User pool."""
    if context.previous is not None and context.inputs.get("mode") != "System" and _is_last_system_pool(context):
        raise ArmError(400, "OperationNotAllowed", "There has to be at least one system agent pool in the cluster.")


def _is_last_system_pool(context: Context) -> bool:
    pool = context.find(context.id) or {}
    cluster_id = arm.parent_of(context.id)
    inline = (context.find(cluster_id) or {}).get("agentPoolProfiles") or ()
    others = [profile for profile in inline if profile.get("name") != context.name]
    others += [other for other in context.below(f"{cluster_id}/agentPools/") if other.get("name") != context.name]
    return pool.get("mode") == "System" and not any(other.get("mode") == "System" for other in others)
