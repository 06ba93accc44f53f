"""What a person needs next: the stack's outputs, in camelCase as Azure and Pulumi have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ClusterSummary:
    """One cluster in the stack's outputs."""

    name: str
    resource_group: str
    region: str
    pools: Mapping[str, list[str]]
    """AKS names of each pool, by the pool's name in the specification."""

    def as_output(self) -> dict[str, object]:
        """As the stack exports it."""
        return {
            "name": self.name,
            "resourceGroup": self.resource_group,
            "region": self.region,
            "pools": dict(self.pools),
            "getCredentials": (
                f"az aks get-credentials --resource-group {self.resource_group} --name {self.name}"
                " && kubelogin convert-kubeconfig --login azurecli"
            ),
        }
