"""What AKS refuses of a cluster's addresses in the state that the cloud is in: ranges, subnets, outbound ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gpufleet.catalog import limits, sizes
from gpufleet.catalog.sizes import Size
from sandbox import arm
from sandbox.azure import subscription
from sandbox.azure.aks_checks import DEFAULT_SERVICES
from sandbox.azure.aks_rules import CLUSTER_TYPE, POOL_TYPE, profiles
from sandbox.azure.checks import Network, get, networks
from sandbox.azure.model import Context
from sandbox.errors import ArmError
from sandbox.values import Properties, Value, reveal


def pod_addresses(context: Context) -> None:
    """Each node of an overlay cluster takes a /24 of the pod range (AKS docs: concepts-network-azure-cni-overlay)."""
    cluster = context.inputs if "/agentPools/" not in context.id else context.find(arm.parent_of(context.id)) or {}
    profile = reveal(cluster.get("networkProfile")) or {}
    found = networks(
        profile.get("podCidr") or ("10.244.0.0/16" if profile.get("networkPluginMode") == "overlay" else None)
    )
    if profile.get("networkPluginMode") != "overlay" or not found:
        return
    cluster_id = context.id.partition("/agentPools/")[0].lower()
    counts = {
        nodes.pool.lower(): nodes.count
        for nodes in subscription.live(context)
        if nodes.pool.lower().startswith(cluster_id + "/")
    }
    counts |= {
        pool_id.lower(): subscription.pool_nodes(pool_id, "", pool).count for pool_id, pool, _ in profiles(context)
    }
    blocks = 2 ** max(limits.value("aks.overlay_node_prefix") - found[0].prefixlen, 0)
    if sum(counts.values()) > blocks:
        text = (
            f"Pod CIDR {found[0]} holds {blocks} nodes of a /{limits.value('aks.overlay_node_prefix')} each, but the "
            f"cluster would have {sum(counts.values())}."
        )
        raise ArmError(400, "InsufficientPodCidrSize", text)


def subnet_has_room(context: Context) -> None:
    """The subnet of a pool has an address for each node, and one for each pod where pods live in the subnet."""
    for pool_id, profile, _ in profiles(context):
        subnet_id = profile.get("vnetSubnetID")
        subnet = (context.find(subnet_id) if isinstance(subnet_id, str) else None) or {}
        available = sum(
            network.num_addresses
            for network in networks(subnet.get("addressPrefix"), *(subnet.get("addressPrefixes") or ()))
        )
        if not available:
            continue
        # Azure keeps five addresses of every subnet (Azure docs: virtual-networks-faq).
        available -= limits.value("azure.subnet_reserved_addresses")
        wanted = sum(_addresses(context, pool) for pool in _pools_in(context, str(subnet_id), but=pool_id))
        wanted += _addresses(context, profile)
        if wanted > available:
            text = (
                f"Pre-allocated IPs {wanted} exceeds IPs available {available} in Subnet Cidr "
                f"{subnet.get('addressPrefix')}, Subnet Name {arm.name_of(str(subnet_id))}. "
                "http://aka.ms/aks/insufficientsubnetsize"
            )
            raise ArmError(400, "InsufficientSubnetSize", text)


def _pools_in(context: Context, subnet_id: str, *, but: str) -> Iterator[Mapping[str, Value]]:
    for record in context.of_type(POOL_TYPE):
        if (
            str(record["outputs"].get("vnetSubnetID", "")).lower() == subnet_id.lower()
            and record["id"].lower() != but.lower()
        ):
            yield record["outputs"]
    for record in context.of_type(CLUSTER_TYPE):
        for profile in record["outputs"].get("agentPoolProfiles") or ():
            if str(profile.get("vnetSubnetID", "")).lower() == subnet_id.lower():
                yield profile


def _addresses(context: Context, pool: Mapping[str, Value]) -> int:
    cluster = context.inputs if "/agentPools/" not in context.id else context.find(arm.parent_of(context.id)) or {}
    profile = reveal(cluster.get("networkProfile")) or {}
    each = 1
    if (
        profile.get("networkPlugin", "azure") == "azure"
        and profile.get("networkPluginMode") != "overlay"
        and not pool.get("podSubnetID")
    ):
        each += int(pool.get("maxPods") or 30)  # flat Azure CNI: AKS docs, concepts-network-legacy-cni
    count = pool.get("count")
    return each * (int(count) if isinstance(count, int | float) else 1)


def services_off_the_network(context: Context) -> None:
    """The service range touches no subnet of the cluster's network, the pod range of an overlay neither."""
    if context.previous is not None:
        return
    profile = reveal(context.inputs.get("networkProfile")) or {}
    services, pods = networks(profile.get("serviceCidr") or DEFAULT_SERVICES), networks(profile.get("podCidr"))
    for subnet in _subnets_of(context):
        for taken in networks(subnet.get("addressPrefix"), *(subnet.get("addressPrefixes") or ())):
            if _overlap(services, taken):
                text = (
                    f"The specified service CIDR {services[0]} is conflicted with an existing subnet CIDR {taken}. "
                    "Please see https://aka.ms/aks/servicecidroverlap for how to fix the error."
                )
                raise ArmError(400, "ServiceCidrOverlapExistingSubnetsCidr", text)
            if _overlap(pods, taken):
                text = f"The specified pod CIDR {pods[0]} is conflicted with an existing subnet CIDR {taken}."
                raise ArmError(400, "PodCidrOverlapExistingSubnetsCidr", text)


def _overlap(ranges: list[Network], other: Network) -> bool:
    return any(item.version == other.version and item.overlaps(other) for item in ranges)


def _networks_of(context: Context) -> set[str]:
    """The virtual networks that the pools of a request stand in."""
    subnets = (profile.get("vnetSubnetID") for _, profile, _ in profiles(context))
    return {str(subnet).rpartition("/subnets/")[0] for subnet in subnets if isinstance(subnet, str)}


def _subnets_of(context: Context) -> Iterator[Properties]:
    for network in _networks_of(context):
        yield from context.below(f"{network}/subnets/")


def network_off_reserved_ranges(context: Context) -> None:
    """No address of the pool's network, pods or services is in a range that AKS keeps, or InfiniBand for an RDMA size.

    AKS refuses its own ranges. 172.16.0.0/16 Azure lets through, and RDMA then fails on the nodes (Azure docs:
    setup-infiniband), so the sandbox refuses an RDMA pool there.
    """
    cluster = context.inputs if "/agentPools/" not in context.id else context.find(arm.parent_of(context.id)) or {}
    profile = reveal(cluster.get("networkProfile")) or {}
    spaces = [
        space
        for network in _networks_of(context)
        for space in (get(context.find(network) or {}, "addressSpace.addressPrefixes") or ())
    ]
    rdma = any(size.rdma for size in _sizes(context))
    for reserved in limits.reserved_ranges():
        touched = [*spaces, *((profile.get("podCidr"), profile.get("serviceCidr")) if rdma else ())]
        if ("AKS" in reserved.reserved_by or rdma) and _overlap(networks(*touched), reserved.network):
            text = f"The address range {reserved.network} is reserved by {reserved.reserved_by}."
            raise ArmError(400, "ReservedCidrOverlap", text)


def _sizes(context: Context) -> Iterable[Size]:
    return [size for _, profile, _ in profiles(context) if (size := sizes.find(str(profile.get("vmSize")))) is not None]


def pools_share_a_network(context: Context) -> None:
    """All pools of a cluster stand in one virtual network (AKS docs: create-node-pools, limitations)."""
    cluster = context.find(arm.parent_of(context.id)) or {}
    known = {
        str(profile.get("vnetSubnetID")).rpartition("/subnets/")[0].lower()
        for profile in cluster.get("agentPoolProfiles") or ()
        if profile.get("vnetSubnetID")
    }
    mine = {network.lower() for network in _networks_of(context)}
    if known and not mine <= known:
        raise ArmError(
            400, "BadRequest", "All agent pools must be in the same virtual network as the cluster's other pools."
        )


def nat_gateway_is_there(context: Context) -> None:
    """Outbound type userAssignedNATGateway needs a NAT gateway on the subnets (AKS docs: nat-gateway)."""
    if context.previous is not None or get(context.inputs, "networkProfile.outboundType") != "userAssignedNATGateway":
        return
    for _, profile, _ in profiles(context):
        subnet = context.find(str(profile.get("vnetSubnetID"))) or {}
        if profile.get("vnetSubnetID") is None or not subnet.get("natGateway"):
            text = (
                "the subnet of an agent pool (vnetSubnetID) must have a NAT gateway associated when outboundType is "
                "userAssignedNATGateway"
            )
            raise arm.invalid_parameter("networkProfile.outboundType", text)
