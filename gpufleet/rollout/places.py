"""Where a roll-out finds what it asks, in a stack's state: registry, clusters and workspaces of the regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpufleet.catalog.type_tokens import plain_type
from gpufleet.errors import ConfigurationError
from gpufleet.graph.state import read
from gpufleet.rollout.regions import NOWHERE, region_of


@dataclass(frozen=True, kw_only=True)
class Places:
    """What a state says.

    Attributes:
        registry: ARM id of the environment's registry.
        login_server: its host name.
        clusters: ARM id by inference region.
        prometheus: query endpoint of managed Prometheus by inference region.
    """

    registry: str
    login_server: str
    clusters: Mapping[str, str]
    prometheus: Mapping[str, str]

    @property
    def subscription(self) -> str:
        """GUID of the Azure subscription that all of it is in."""
        return self.registry.split("/")[2]


def places(state: Mapping[str, Any]) -> Places:
    """Read a state as `pulumi stack export` gives it.

    Raises:
        ConfigurationError: it holds no registry: the environment was never made.
    """
    graph = read(state)
    registry, login_server = "", ""
    clusters: dict[str, str] = {}
    prometheus: dict[str, str] = {}
    for resource in (state.get("deployment") or {}).get("resources") or []:
        if resource.get("delete") or (node := graph.find(str(resource["urn"]))) is None:
            continue
        found, outputs = str(resource.get("id") or ""), resource.get("outputs") or {}
        region = region_of(node, graph)
        match plain_type(node.type):
            case "azure-native:containerregistry:Registry":
                registry, login_server = found, str(outputs.get("loginServer") or "")
            case "azure-native:containerservice:ManagedCluster" if region != NOWHERE:
                clusters[region] = found
            case "azure-native:monitor:AzureMonitorWorkspace" if region != NOWHERE:
                endpoint = (outputs.get("metrics") or {}).get("prometheusQueryEndpoint")
                if isinstance(endpoint, str):
                    prometheus[region] = endpoint
    if not registry:
        raise ConfigurationError(
            "nothing is there to roll out to: the state has no registry", hint="gpufleet up makes the environment."
        )
    return Places(registry=registry, login_server=login_server, clusters=clusters, prometheus=prometheus)
