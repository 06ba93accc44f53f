"""Azure names: Cloud Adoption Framework (CAF) abbreviations, Azure's lengths, and what makes global names unique."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import pulumi

from gpufleet.errors import ConfigurationError

LONGEST_ENVIRONMENT_NAME = 24
"""Leaves room in the tightest name it is part of: a cluster's DNS prefix has 54 characters (AKS), a network 64 (Azure
resource-name-rules)."""

_ENVIRONMENT_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_SEPARATORS = str.maketrans("", "", "-/")
_SUFFIX_LENGTH = 8
_LONGEST_STORAGE_ACCOUNT_NAME = 24
_LONGEST_REGISTRY_NAME = 50


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names of one environment's Azure resources.

    Names that must be unique in the whole of Azure end in a digest of subscription, environment and scope: the same
    environment always gets the same names, and two subscriptions never fight for one.
    """

    environment: str
    """Name of the stack, such as `prod`."""
    subscription_id: pulumi.Input[str]

    def __post_init__(self) -> None:
        """Raise ConfigurationError for a stack name that cannot be part of Azure names."""
        if len(self.environment) > LONGEST_ENVIRONMENT_NAME or not _ENVIRONMENT_NAME.fullmatch(self.environment):
            raise ConfigurationError(
                f"the environment's name {self.environment!r} cannot be part of Azure names",
                hint=(
                    f"Use 1 to {LONGEST_ENVIRONMENT_NAME} characters:"
                    " a letter first, then lower-case letters, digits or '-'."
                ),
            )

    def of(self, abbreviation: str, scope: str, *parts: str) -> str:
        """`aks-prod-frontier`: the type's CAF abbreviation, environment, scope, further parts."""
        return "-".join((abbreviation, self.environment, scope, *parts))

    def once(self, abbreviation: str) -> str:
        """`afd-prod`: name of something that an environment has once."""
        return f"{abbreviation}-{self.environment}"

    def storage_account(self, scope: str, purpose: str = "") -> pulumi.Output[str]:
        """3 to 24 lower-case letters and digits, unique in Azure (resource-name-rules); truncation spares the end.

        `purpose` parts the accounts of a scope that has several.
        """
        whole = f"{scope}/{purpose}" if purpose else scope
        return self._globally_unique("st", whole, longest=_LONGEST_STORAGE_ACCOUNT_NAME)

    def registry(self) -> pulumi.Output[str]:
        """5 to 50 letters and digits, unique in Azure (resource-name-rules)."""
        return self._globally_unique("cr", "", longest=_LONGEST_REGISTRY_NAME)

    def api_management(self) -> pulumi.Output[str]:
        """1 to 50 letters, digits and hyphens, unique in Azure (resource-name-rules)."""
        return self._suffix("api-management").apply(lambda suffix: f"apim-{self.environment}-{suffix}")

    def gateway_label(self, scope: str) -> pulumi.Output[str]:
        """DNS label of a region's gateway, unique among all labels of that Azure region."""
        return self._suffix(scope).apply(lambda suffix: f"gw-{self.environment}-{scope}-{suffix}")

    def firewall_policy(self) -> str:
        """Letters and digits, a letter first (frontdoor API specification 2025-11-01, policyName)."""
        return f"fdfp{self.environment.translate(_SEPARATORS)}"

    def traffic_manager_label(self) -> pulumi.Output[str]:
        """DNS label of a Traffic Manager profile, unique in trafficmanager.net."""
        return self._suffix("traffic-manager").apply(lambda suffix: f"{self.environment}-{suffix}")

    def _globally_unique(self, abbreviation: str, scope: str, *, longest: int) -> pulumi.Output[str]:
        readable = f"{abbreviation}{self.environment}{scope}".translate(_SEPARATORS)[: longest - _SUFFIX_LENGTH]
        return self._suffix(scope).apply(lambda suffix: f"{readable}{suffix}")

    def _suffix(self, scope: str) -> pulumi.Output[str]:
        def digest(subscription_id: str) -> str:
            text = f"{subscription_id.lower()}/{self.environment}/{scope}"
            return hashlib.sha256(text.encode()).hexdigest()[:_SUFFIX_LENGTH]

        return pulumi.Output.from_input(self.subscription_id).apply(digest)
