"""SCALE005: addresses for pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from gpufleet.catalog import limits
from policies.reading import MistypedError, may, total
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Resource, View

_PROFILE = "networkProfile"


class PodAddressesSettings(Settings):
    """What SCALE005 reckons with."""

    default_pod_cidr: str = "10.244.0.0/16"
    """The pod range of a cluster that states none: AKS's own (configure-azure-cni-overlay)."""


class PodAddresses(Rule[Resource, PodAddressesSettings]):
    """The pod range has a /24 for every node at its maximum and with surge.

    Azure CNI Overlay and kubenet give each node a fixed /24 out of the cluster's pod range, which can't be changed
    later. AKS's default, 10.244.0.0/16, is full at 256 nodes: pods on the next one get no address.
    """

    id = "SCALE005"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "maxNodes"
    fix = "Give the cluster a larger podCidr before it is made: a /11 holds 8,192 nodes"
    source = "AKS concepts-network-azure-cni-overlay, configure-azure-cni-overlay"
    settings = PodAddressesSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Clusters whose pods have a range of their own."""
        return may(view.resources(CLUSTER), _has_own_range)

    def judge(self, subject: Resource, view: View, settings: PodAddressesSettings) -> Iterator[Objection]:
        """Whether the range has enough /24s."""
        if not _has_own_range(subject):
            return
        prefix = limits.value("aks.overlay_node_prefix")
        range_ = _range(subject, settings)
        room = 2 ** (prefix - range_.prefixlen) if range_.prefixlen <= prefix else 0
        nodes = total(view.pools_of(subject), lambda pool: pool.peak)
        if nodes.known > room:
            yield Objection(
                message=f"{range_} has a /{prefix} for {room:,} nodes, and there may be {nodes.known:,} with surge",
                setting=("cluster", "podCidr"),
                amount=nodes.known,
            )
        nodes.settle()


def _has_own_range(cluster: Resource) -> bool:
    mode = cluster.properties.text(_PROFILE, "networkPluginMode") or ""
    plugin = cluster.properties.text(_PROFILE, "networkPlugin") or ""
    return mode.casefold() == "overlay" or plugin.casefold() == "kubenet"


def _range(cluster: Resource, settings: PodAddressesSettings) -> IPv4Network:
    """Of a dual-stack cluster the IPv4 one: of the other there is no end."""
    properties = cluster.properties
    stated = properties.texts(_PROFILE, "podCidrs") or (properties.text(_PROFILE, "podCidr"),)
    text = next((cidr for cidr in stated if cidr and ":" not in cidr), settings.default_pod_cidr)
    try:
        return IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise MistypedError(f"networkProfile.podCidr is {text[:40]!r}, no IPv4 range") from None
