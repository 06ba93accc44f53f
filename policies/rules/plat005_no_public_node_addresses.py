"""PLAT005: public addresses of nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, Resource, View

NETWORK_INTERFACE = "azure-native:network:NetworkInterface"


class NoPublicNodeAddresses(Rule[Resource, Settings]):
    """No node and no network interface has a public address.

    Nodes go out by the NAT gateway, and what comes in comes by a load balancer: a public address of its own puts the
    kubelet and everything with a host port in front of the internet, on the most expensive machines there are.
    """

    id = "PLAT005"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    fix = "Take the public address away; nodes go out by the NAT gateway"
    source = "AKS use-node-public-ips"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Every pool and every network interface."""
        return (*view.pools, *view.resources(NETWORK_INTERFACE))

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Its own settings, or those of its addresses."""
        properties = subject.properties
        if not isinstance(subject, Pool):
            for index, configuration in enumerate(properties.each("ipConfigurations")):
                if configuration.has("publicIPAddress"):
                    yield Objection(message=f"{subject.node.name} has a public address (ipConfigurations[{index}])")
            return
        if properties.has("nodePublicIPPrefixID"):
            yield Objection(
                message=f"{subject.name} has a prefix of public addresses for its nodes (nodePublicIPPrefixID)"
            )
        if properties.flag("enableNodePublicIP"):
            yield Objection(message=f"{subject.name} gives each node a public address (enableNodePublicIP)")
