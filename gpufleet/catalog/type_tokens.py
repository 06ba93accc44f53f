"""Pulumi's type tokens: with and without an API version, and those of the components that everything is placed by."""

from __future__ import annotations

import re
from typing import Final

ENVIRONMENT: Final = "gpufleet:environment:Environment"
FABRIC: Final = "gpufleet:training:TrainingFabric"
REGION: Final = "gpufleet:inference:InferenceRegion"

# `azure-native:containerservice/v20250801:AgentPool`, and the form of packages that are generated for one version,
# `azure-native_containerservice_v20250801:containerservice:AgentPool` (pulumi-azure-native v3 local packages).
_VERSIONED: Final = re.compile(r"^(?P<provider>azure-native):(?P<module>\w+)/v[0-9][0-9a-z]*:(?P<name>\w+)$")
_PACKAGED: Final = re.compile(r"^(?P<provider>azure-native)_\w+_v[0-9][0-9a-z]*:(?P<module>\w+):(?P<name>\w+)$")


def plain_type(token: str) -> str:
    """A type token without the API version: an explicit version is the same resource."""
    for form in (_VERSIONED, _PACKAGED):
        if match := form.match(token):
            return f"{match['provider']}:{match['module']}:{match['name']}"
    return token
