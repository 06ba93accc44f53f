"""What the components of one environment, and of one scope in it, have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi

from components.naming import Names
from gpufleet.spec.environment import EnvironmentClass


class KubeLogin(StrEnum):
    """How kubelogin gets a token for a cluster's API server (`kubelogin get-token --login`)."""

    AZURE_CLI = "azurecli"
    """A person, or a runner that has run `az login`."""
    WORKLOAD_IDENTITY = "workloadidentity"
    """A federated token, as CI systems and pods have it."""
    SERVICE_PRINCIPAL = "spn"
    """A secret or certificate in kubelogin's own environment variables."""


@dataclass(frozen=True, kw_only=True)
class EnvironmentContext:
    """One environment: what every component needs."""

    environment_class: EnvironmentClass
    names: Names
    tags: Mapping[str, str]
    subscription_id: pulumi.Input[str]
    kube_login: KubeLogin = KubeLogin.AZURE_CLI
    contacts: Sequence[str] = ()
    """Mail addresses that alerts go to."""


@dataclass(frozen=True, kw_only=True)
class ScopeContext:
    """One training fabric or inference region: a place with a resource group of its own."""

    environment: EnvironmentContext
    name: str
    """Name of the fabric or inference region."""
    region: str
    resource_group_name: pulumi.Input[str]
    fabric: str | None = None
    """Name of the training fabric; None for an inference region."""

    def name_of(self, abbreviation: str, *parts: str) -> str:
        """Azure name of one of its resources, such as `aks-prod-frontier`."""
        return self.environment.names.of(abbreviation, self.name, *parts)
