"""What AKS refuses of a cluster's and a maintenance window's properties on sight: checked at preview.

Sources: the containerservice API specification of the SDK's version, and AKS docs as named at each rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gpufleet.catalog import limits
from sandbox.azure.aks_pool_checks import POOL_NAME
from sandbox.azure.checks import Network, get, networks, values
from sandbox.errors import Failure
from sandbox.values import UNKNOWN, Properties, Value, reveal

# What AKS takes where nothing is said (AKS docs: configure-azure-cni).
DEFAULT_SERVICES = "10.0.0.0/16"
_DURATION = r"\d+(\.\d+)?(ms|s|m|h)"


def local_accounts(inputs: Properties) -> Iterable[Failure]:
    """Local accounts go only where Entra comes in (AKS docs: manage-local-accounts-managed-azure-ad)."""
    if reveal(inputs.get("disableLocalAccounts")) is True and inputs.get("aadProfile") is None:
        text = "local accounts can only be disabled with Microsoft Entra integration: 'aadProfile' is missing"
        yield Failure("disableLocalAccounts", text)


def inline_pools(inputs: Properties) -> Iterable[Failure]:
    """A cluster comes with at least one pool, one of them System, with names of their own."""
    profiles = reveal(inputs.get("agentPoolProfiles"))
    if profiles is UNKNOWN:
        return
    if not profiles:
        yield Failure("agentPoolProfiles", "a cluster is created with at least one node pool in 'agentPoolProfiles'")
        return
    modes = [profile.get("mode") for profile in profiles if isinstance(profile, dict)]
    if UNKNOWN not in modes and "System" not in modes:
        yield Failure("agentPoolProfiles", "a cluster must have at least one pool of mode 'System'")


def inline_pool_name(profile: Properties) -> Iterable[Failure]:
    """An inline pool's name follows the rule of pools."""
    yield from POOL_NAME.check("name", profile.get("name"))


def identity(inputs: Properties) -> Iterable[Failure]:
    """A cluster has an identity of one type; a user-assigned one names exactly one (AKS docs: use-managed-identity)."""
    given = reveal(inputs.get("identity"))
    if given is None and inputs.get("servicePrincipalProfile") is None:
        yield Failure("identity", "a cluster needs an 'identity' or a 'servicePrincipalProfile'")
    if not isinstance(given, dict) or given.get("type") in {UNKNOWN, None}:
        return
    assigned = given.get("userAssignedIdentities")
    if assigned is UNKNOWN:
        return
    if given["type"] == "UserAssigned" and (not assigned or len(assigned) != 1):
        yield Failure("identity.userAssignedIdentities", "a cluster with a user-assigned identity has exactly one")
    if given["type"] != "UserAssigned" and assigned:
        yield Failure(
            "identity.userAssignedIdentities", f"identity type '{given['type']}' takes no user-assigned identities"
        )


def kubelet_identity(inputs: Properties) -> Iterable[Failure]:
    """``identityProfile`` has one key, ``kubeletidentity``, and goes with a user-assigned cluster identity."""
    profile = reveal(inputs.get("identityProfile"))
    if not isinstance(profile, dict):
        return
    for key in profile:
        if key != "kubeletidentity":
            yield Failure(
                f"identityProfile.{key}", f"'identityProfile' takes the key 'kubeletidentity' only, not '{key}'"
            )
    if isinstance(profile.get("kubeletidentity"), dict) and profile["kubeletidentity"].get("resourceId") is None:
        where = "identityProfile.kubeletidentity.resourceId"
        yield Failure(where, f"missing required property '{where}'")
    if profile and get(inputs, "identity.type") not in {UNKNOWN, "UserAssigned"}:
        text = (
            "a user-assigned kubelet identity needs a user-assigned cluster identity (AKS docs: use-managed-identity)"
        )
        yield Failure("identityProfile", text)


def _range(value: Value) -> Network | None:
    found = networks(value)
    return found[0] if found else None


def address_plan(inputs: Properties) -> Iterable[Failure]:
    """Pod and service ranges keep off each other and off AKS's own; the DNS address is inside.

    Sources: AKS docs configure-azure-cni and azure-cni-overlay (the service range is smaller than a /12, the DNS
    address is not its first one, forbidden ranges).
    """
    pods = _range(get(inputs, "networkProfile.podCidr"))
    services = _range(get(inputs, "networkProfile.serviceCidr") or DEFAULT_SERVICES)
    for name, given in (("podCidr", pods), ("serviceCidr", services)):
        for reserved in limits.reserved_ranges():
            # AKS itself knows nothing of InfiniBand's range: that is a rule for RDMA pools.
            if (
                given is not None
                and given.version == 4
                and "AKS" in reserved.reserved_by
                and given.overlaps(reserved.network)
            ):
                text = f"{given} overlaps {reserved.network}, which AKS keeps for itself"
                yield Failure(f"networkProfile.{name}", text)
    if pods is not None and services is not None and pods.version == services.version and pods.overlaps(services):
        yield Failure("networkProfile.podCidr", f"podCidr {pods} overlaps serviceCidr {services}")
    if services is None:
        return
    if services.version == 4 and services.prefixlen < limits.value("aks.service_cidr_shortest_prefix"):
        yield Failure("networkProfile.serviceCidr", f"serviceCidr {services} must be smaller than a /12")
    address = get(inputs, "networkProfile.dnsServiceIP")
    if isinstance(address, str) and re.fullmatch(r"[0-9.]+", address) and services.version == 4:
        known = networks(f"{address}/32")
        if not known or not known[0].subnet_of(services):  # type: ignore[arg-type]
            yield Failure("networkProfile.dnsServiceIP", f"{address} is not an address inside serviceCidr {services}")
        elif known[0].network_address in {services[0], services[1]}:
            text = f"{address} is the first address of serviceCidr {services}, which the API server has"
            yield Failure("networkProfile.dnsServiceIP", text)


def overlay(inputs: Properties) -> Iterable[Failure]:
    """Overlay mode is Azure CNI's; the Cilium data plane needs overlay or pod subnets (AKS docs: azure-cni-overlay)."""
    if get(inputs, "networkProfile.networkPluginMode") == "overlay" and get(
        inputs, "networkProfile.networkPlugin"
    ) not in {UNKNOWN, None, "azure"}:
        yield Failure("networkProfile.networkPluginMode", "networkPluginMode 'overlay' needs networkPlugin 'azure'")
    plugin, mode = (get(inputs, f"networkProfile.{name}") for name in ("networkPlugin", "networkPluginMode"))
    if plugin == "azure" and mode is None and get(inputs, "networkProfile.podCidr") not in {None, UNKNOWN}:
        text = "a pod range needs networkPluginMode 'overlay' with networkPlugin 'azure'"
        yield Failure("networkProfile.podCidr", text)
    policy, plane = (get(inputs, f"networkProfile.{name}") for name in ("networkPolicy", "networkDataplane"))
    if policy == "cilium" and plane not in {UNKNOWN, "cilium"}:
        yield Failure("networkProfile.networkPolicy", "networkPolicy 'cilium' needs networkDataplane 'cilium'")


def private_api(inputs: Properties) -> Iterable[Failure]:
    """Authorised ranges are for a public API server, a private DNS zone for a private one."""
    private = get(inputs, "apiServerAccessProfile.enablePrivateCluster")
    if private is UNKNOWN:
        return
    ranges = get(inputs, "apiServerAccessProfile.authorizedIPRanges")
    if private is True and ranges:
        text = "a private cluster takes no authorised ranges (AKS docs: api-server-authorized-ip-ranges)"
        yield Failure("apiServerAccessProfile.authorizedIPRanges", text)
    if not private and get(inputs, "apiServerAccessProfile.privateDNSZone") not in {None, UNKNOWN, ""}:
        yield Failure("apiServerAccessProfile.privateDNSZone", "a private DNS zone needs enablePrivateCluster true")


def dns_prefix(inputs: Properties) -> Iterable[Failure]:
    """Exactly one of ``dnsPrefix`` and ``fqdnSubdomain``."""
    if inputs.get("dnsPrefix") is None and inputs.get("fqdnSubdomain") is None:
        yield Failure("dnsPrefix", "missing required property 'dnsPrefix' (or 'fqdnSubdomain')")
    if inputs.get("dnsPrefix") is not None and inputs.get("fqdnSubdomain") is not None:
        yield Failure("fqdnSubdomain", "'dnsPrefix' and 'fqdnSubdomain' exclude each other")


def workload_identity(inputs: Properties) -> Iterable[Failure]:
    """Workload identity needs the OIDC issuer (AKS docs: workload-identity-deploy-cluster)."""
    asked = get(inputs, "securityProfile.workloadIdentity.enabled") is True
    if asked and get(inputs, "oidcIssuerProfile.enabled") not in {True, UNKNOWN}:
        text = "workload identity needs the OIDC issuer: 'oidcIssuerProfile.enabled' is not true"
        yield Failure("securityProfile.workloadIdentity.enabled", text)


_AUTOSCALER_DURATIONS = (
    "maxNodeProvisionTime",
    "newPodScaleUpDelay",
    "scaleDownDelayAfterAdd",
    "scaleDownDelayAfterDelete",
    "scaleDownDelayAfterFailure",
    "scaleDownUnneededTime",
    "scaleDownUnreadyTime",
    "scanInterval",
)
# How far each number may go: the API's description of the property.
_AUTOSCALER_NUMBERS = {
    "maxEmptyBulkDelete": (0, 1000),
    "maxGracefulTerminationSec": (0, 10_000_000),
    "maxTotalUnreadyPercentage": (0, 100),
    "okTotalUnreadyCount": (0, 10_000_000),
    "scaleDownUtilizationThreshold": (0, 1),
}


def autoscaler(inputs: Properties) -> Iterable[Failure]:
    """The autoscaler's settings are strings that hold a duration, a number or a flag.

    The API's text allows whole minutes only in some of the durations while others' templates use seconds; which holds
    is not confirmed, so every unit passes.
    """
    for name in _AUTOSCALER_DURATIONS:
        for where, value in values(inputs, f"autoScalerProfile.{name}"):
            if isinstance(value, str) and not re.fullmatch(_DURATION, value):
                yield Failure(where, f"'{where}' must be a duration such as '10s' or '15m', but is '{value}'")
    for name, (low, high) in _AUTOSCALER_NUMBERS.items():
        for where, value in values(inputs, f"autoScalerProfile.{name}"):
            if isinstance(value, str) and not (re.fullmatch(r"\d+(\.\d+)?", value) and low <= float(value) <= high):
                yield Failure(where, f"'{where}' must be a number from {low} to {high} in a string, but is '{value}'")
    for name in ("balanceSimilarNodeGroups", "skipNodesWithLocalStorage", "skipNodesWithSystemPods"):
        for where, value in values(inputs, f"autoScalerProfile.{name}"):
            if isinstance(value, str) and value not in {"true", "false"}:
                yield Failure(where, f"'{where}' must be 'true' or 'false', but is '{value}'")


def schedule(inputs: Properties) -> Iterable[Failure]:
    """A maintenance window has exactly one schedule; ``default`` has weekly hours instead (AKS docs:
    planned-maintenance)."""  # noqa: D205, D209
    name = reveal(inputs.get("configName"))
    window = reveal(inputs.get("maintenanceWindow"))
    if name is UNKNOWN or window is UNKNOWN:
        return
    if name == "default":
        if window is not None:
            yield Failure("maintenanceWindow", "configuration 'default' takes 'timeInWeek', not 'maintenanceWindow'")
        return
    if window is None:
        yield Failure("maintenanceWindow", f"configuration '{name}' needs a 'maintenanceWindow'")
        return
    if inputs.get("timeInWeek") is not None:
        yield Failure("timeInWeek", f"'timeInWeek' goes with configuration 'default' only, not with '{name}'")
    if window.get("durationHours") is None:
        yield Failure("maintenanceWindow.durationHours", "missing required property 'maintenanceWindow.durationHours'")
    chosen = reveal(window.get("schedule"))
    if isinstance(chosen, dict) and len([value for value in chosen.values() if value is not None]) != 1:
        kinds = "daily, weekly, absoluteMonthly, relativeMonthly"
        yield Failure("maintenanceWindow.schedule", f"a schedule is exactly one of {kinds}")
