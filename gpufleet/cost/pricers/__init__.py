"""Which resource types are charged for, and how; which are free, and who says so. Any other type has no price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gpufleet.catalog.table import read
from gpufleet.cost.pricers import compute, network, shared, storage
from gpufleet.cost.pricers.context import Context, Pricer

__all__ = ["PRICERS", "Context", "Free", "Pricer", "free"]

PRICERS: Final[Mapping[str, Pricer]] = {
    "azure-native:apimanagement:ApiManagementService": shared.api_management,
    "azure-native:cdn:Profile": shared.front_door,
    "azure-native:containerregistry:Registry": shared.registry,
    "azure-native:containerregistry:Replication": shared.replica,
    "azure-native:containerservice:AgentPool": compute.agent_pool,
    "azure-native:containerservice:ManagedCluster": compute.managed_cluster,
    "azure-native:monitor:AzureMonitorWorkspace": shared.monitor_workspace,
    "azure-native:monitor:DiagnosticSetting": shared.diagnostic_setting,
    "azure-native:network:NatGateway": network.nat_gateway,
    "azure-native:network:PrivateEndpoint": network.private_endpoint,
    "azure-native:network:PublicIPAddress": network.public_ip,
    "azure-native:operationalinsights:Workspace": shared.workspace,
    "azure-native:privatedns:PrivateZone": network.private_zone,
    "azure-native:trafficmanager:Endpoint": shared.traffic_manager_endpoint,
    "azure-native:trafficmanager:Profile": shared.traffic_manager,
    "azure-native:storage:StorageAccount": storage.storage_account,
    "azure-native:storagecache:AmlFilesystem": storage.lustre,
}
"""Type to pricer. A new billed type is one entry here and one function in the module of its kind."""

_NO_RESOURCES = {
    "gpufleet:": "groups resources and is none itself",
    "pulumi:": "of the engine, not of a cloud",
}


@dataclass(frozen=True)
class Free:
    """Why a type is not billed, and who says so; `as_of` is empty where no dated source was read."""

    reason: str
    source: str
    as_of: str


def free(type_: str) -> Free | None:
    """Why resources of a type are not billed; None when they are, or when nobody looked."""
    for prefix, reason in _NO_RESOURCES.items():
        if type_.startswith(prefix):
            return Free(reason, "Pulumi", "")
    return _free_types().get(type_)


@lru_cache(maxsize=1)
def _free_types() -> Mapping[str, Free]:
    columns = ("type", "reason", "source", "as_of")
    found: dict[str, Free] = {}
    for row in read("free.csv", columns, package="gpufleet.cost"):
        if row.text("type") in found:
            raise row.error(f"{row.text('type')} stands twice")
        found[row.text("type")] = Free(row.text("reason"), row.text("source"), row.cells["as_of"])
    return found
