"""What AKS refuses of a node pool's properties on sight, whether it is a resource of its own or inline in a cluster.

Sources: the containerservice API specification of the SDK's version, and AKS docs as named at each rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gpufleet.catalog import node_profiles, sizes
from gpufleet.catalog import node_settings as catalog
from sandbox.azure.checks import get, in_range, values
from sandbox.azure.model import NameRule
from sandbox.errors import Failure
from sandbox.values import UNKNOWN, Properties, has_unknown, lookup, reveal

SPEC = "containerservice API specification 2025-09-01"
_NODE_CONFIGURATION = "AKS docs: custom-node-configuration-reference"

POOL_NAME = NameRule(
    pattern=r"[a-z][a-z0-9]{0,11}", text="1 to 12 lower-case letters or digits, starting with a letter", source=SPEC
)
_SECTIONS = {
    catalog.Section.KUBELET: "kubeletConfig",
    catalog.Section.SYSCTLS: "linuxOSConfig.sysctls",
    catalog.Section.LINUX_OS: "linuxOSConfig",
}
_COUNT_OR_PERCENT = r"\d{1,4}|(100|\d{1,2})%"
_MAX_SPOT_PRICE_DECIMALS = 5


def version(inputs: Properties) -> Iterable[Failure]:
    """A Kubernetes version has two or three parts."""
    for path in ("kubernetesVersion", "orchestratorVersion"):
        for where, value in values(inputs, path):
            if isinstance(value, str) and not re.fullmatch(r"1\.\d{1,2}(\.\d{1,2})?", value):
                yield Failure(
                    where, f"'{value}' is not a Kubernetes version: <major>.<minor> or <major>.<minor>.<patch>"
                )


def known_size(inputs: Properties) -> Iterable[Failure]:
    """The catalogue has the VM size."""
    if inputs.get("vmSize") is None:
        # AKS chooses a size where none is given; by which rule is not documented, so the sandbox does not.
        yield Failure("vmSize", "missing property 'vmSize': the sandbox does not choose a size as AKS may")
    for where, value in values(inputs, "vmSize"):
        if isinstance(value, str) and sizes.find(value) is None:
            near = sizes.nearest(value)
            hint = f"; did you mean '{near}'?" if near else ""
            yield Failure(where, f"the catalogue has no VM size '{value}' (gpufleet/catalog/data/sizes.csv){hint}")


def upgrade(inputs: Properties) -> Iterable[Failure]:
    """An upgrade can add a node or take one away (AKS docs: upgrade-aks-node-pools-rolling)."""
    settings = reveal(inputs.get("upgradeSettings"))
    if not isinstance(settings, dict):
        return
    for name in ("maxSurge", "maxUnavailable"):
        value = settings.get(name)
        if isinstance(value, str) and not re.fullmatch(_COUNT_OR_PERCENT, value):
            where = f"upgradeSettings.{name}"
            yield Failure(where, f"'{where}' must be a number of nodes ('5') or a percentage ('50%'), but is '{value}'")
    surge, unavailable = settings.get("maxSurge"), settings.get("maxUnavailable")
    if str(surge) in {"0", "0%"} and unavailable in {None, "0", "0%"}:
        yield Failure("upgradeSettings.maxSurge", "maxSurge and maxUnavailable cannot both be 0")
    if unavailable not in {None, UNKNOWN, "0", "0%"} and reveal(inputs.get("mode")) == "System":
        yield Failure("upgradeSettings.maxUnavailable", "maxUnavailable cannot be set on a System pool")


def spot(inputs: Properties) -> Iterable[Failure]:
    """What goes with a Spot pool, and what does not (AKS docs: spot-node-pool)."""
    priority = reveal(inputs.get("scaleSetPriority"))
    if priority is UNKNOWN:
        return
    if priority != "Spot":
        for name in ("scaleSetEvictionPolicy", "spotMaxPrice"):
            if inputs.get(name) is not None:
                yield Failure(name, f"'{name}' can only be given with scaleSetPriority 'Spot'")
        return
    if reveal(inputs.get("mode")) == "System":
        yield Failure("scaleSetPriority", "a Spot pool cannot be a System pool")
    for name in ("maxSurge", "maxUnavailable"):
        if lookup(inputs, f"upgradeSettings.{name}"):
            yield Failure(f"upgradeSettings.{name}", f"'{name}' cannot be set on a Spot pool")
    if inputs.get("capacityReservationGroupID") is not None:
        text = "a Spot pool cannot use a capacity reservation group (Azure docs: capacity-reservation-overview)"
        yield Failure("capacityReservationGroupID", text)


def spot_price(inputs: Properties) -> Iterable[Failure]:
    """A bid is -1 or above 0 with at most five decimals (AKS docs: spot-node-pool)."""
    price = reveal(inputs.get("spotMaxPrice"))
    if not isinstance(price, int | float) or price == -1:
        return
    if price <= 0 or len(f"{price:.10f}".rstrip("0").partition(".")[2]) > _MAX_SPOT_PRICE_DECIMALS:
        text = "must be -1 (up to the on-demand price) or above 0 with at most 5 decimals"
        yield Failure("spotMaxPrice", f"'spotMaxPrice' {text}, but is {price}")


def scaling(inputs: Properties) -> Iterable[Failure]:
    """The autoscaler's bounds come with the autoscaler and make sense."""
    automatic, low, high = (reveal(inputs.get(name)) for name in ("enableAutoScaling", "minCount", "maxCount"))
    if automatic is UNKNOWN:
        return
    if not automatic:
        for name in ("minCount", "maxCount"):
            if inputs.get(name) is not None:
                yield Failure(name, f"'{name}' can only be given with enableAutoScaling true")
        return
    for name, value in (("minCount", low), ("maxCount", high)):
        if value is None:
            yield Failure(name, f"'{name}' is required with enableAutoScaling true")
    if isinstance(low, int) and isinstance(high, int):
        if low > high:
            yield Failure("minCount", f"'minCount' ({low}) must not be above 'maxCount' ({high})")
        if low < 1 and reveal(inputs.get("mode")) == "System":
            yield Failure("minCount", "a System pool has at least one node")


def system_count(inputs: Properties) -> Iterable[Failure]:
    """A System pool has at least one node (API specification: 1 to 1000)."""
    value = reveal(inputs.get("count"))
    if isinstance(value, int) and value < 1 and reveal(inputs.get("mode")) == "System":
        yield Failure("count", "a System pool has at least one node")


def capacity_reservation(inputs: Properties) -> Iterable[Failure]:
    """ND sizes and NCads H100 v5 cannot be reserved (Azure docs: capacity-reservation-overview)."""
    size = sizes.find(str(reveal(inputs.get("vmSize"))))
    if inputs.get("capacityReservationGroupID") is None or size is None:
        return
    if size.is_nd or size.series == "NCads H100 v5":
        text = f"on-demand capacity reservation does not support {size.name} (capacity-reservation-overview)"
        yield Failure("capacityReservationGroupID", text)


def gpu(inputs: Properties) -> Iterable[Failure]:
    """A GPU profile and a MIG profile belong to a GPU size (AKS docs: use-nvidia-gpu, gpu-multi-instance)."""
    size = sizes.find(str(reveal(inputs.get("vmSize"))))
    if size is None or size.is_gpu:
        return
    for name in ("gpuInstanceProfile", "gpuProfile"):
        if reveal(inputs.get(name)) is not None:
            yield Failure(name, f"'{name}' can only be given for a VM size with GPUs, which {size.name} is not")


def gpu_image_and_driver(inputs: Properties) -> Iterable[Failure]:
    """What AKS asks of AMD sizes (AKS docs: use-amd-gpus), and of GB200 and GB300
    (Azure/ai-infrastructure-on-azure infrastructure_references/aks)."""  # noqa: D205, D209
    size = sizes.find(str(reveal(inputs.get("vmSize"))))
    if size is None or not size.is_gpu:
        return
    os_sku = reveal(inputs.get("osSKU"))
    if size.gpu_vendor == "AMD":
        if get(inputs, "gpuProfile.driver") not in {"None", UNKNOWN}:
            text = f"AKS installs no GPU driver on {size.name}: 'gpuProfile.driver' must be 'None'"
            yield Failure("gpuProfile.driver", text)
        if isinstance(os_sku, str) and not os_sku.startswith("Ubuntu"):
            yield Failure("osSKU", f"{size.name} is supported with Ubuntu, not with '{os_sku}'")
    profile = node_profiles.find(size)
    if profile is not None and profile.os_sku not in {"Ubuntu", os_sku} and os_sku is not UNKNOWN:
        yield Failure("osSKU", f"{size.name} needs osSKU '{profile.os_sku}', but has '{os_sku}'")


def node_settings(inputs: Properties) -> Iterable[Failure]:
    """Ranges and choices of kubelet and kernel settings (AKS docs: custom-node-configuration-reference)."""
    for section, path in _SECTIONS.items():
        given = get(inputs, path)
        if not isinstance(given, dict):
            continue
        # Names that the catalogue lacks are the contract's affair: it knows every property of the SDK.
        known = catalog.settings(section)
        mine = {name: reveal(value) for name, value in given.items() if name in known and value is not None}
        certain = {name: value for name, value in mine.items() if not has_unknown(value)}
        for name, reason in catalog.faults(section, certain):
            yield Failure(f"{path}.{name}", f"'{path}.{name}' {reason} ({_NODE_CONFIGURATION})")


def undrainable(inputs: Properties) -> Iterable[Failure]:
    """A quarantined node is replaced by a surge node, so there must be some (API specification)."""
    surge = get(inputs, "upgradeSettings.maxSurge")
    if get(inputs, "upgradeSettings.undrainableNodeBehavior") == "Cordon" and surge in {"0", "0%"}:
        text = "undrainableNodeBehavior 'Cordon' needs surge nodes, and maxSurge is 0"
        yield Failure("upgradeSettings.undrainableNodeBehavior", text)


_TAINT = re.compile(
    r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?(?:=[-\w.]{0,63})?:(?:NoSchedule|PreferNoSchedule|NoExecute)"
)
_LABEL_KEY = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?")


def taints_and_labels(inputs: Properties) -> Iterable[Failure]:
    """Node labels and taints have Kubernetes' form (Kubernetes docs: labels, taint-and-toleration)."""
    for where, value in values(inputs, "nodeTaints[]"):
        if isinstance(value, str) and not _TAINT.fullmatch(value):
            yield Failure(where, f"'{value}' is not a taint: key=value:NoSchedule, PreferNoSchedule or NoExecute")
    given = reveal(inputs.get("nodeLabels"))
    for key, value in given.items() if isinstance(given, dict) else ():
        where = f'nodeLabels["{key}"]'
        if not _LABEL_KEY.fullmatch(key):
            yield Failure(
                where, f"'{key}' is not a label's key: an optional DNS prefix and '/', then at most 63 characters"
            )
        if isinstance(value, str) and not _LABEL_VALUE.fullmatch(value):
            yield Failure(where, f"'{value}' is not a label's value: at most 63 letters, digits, '-', '_' or '.'")


def zones(inputs: Properties) -> Iterable[Failure]:
    """Zones are '1', '2' and '3', each once."""
    given = [value for _, value in values(inputs, "availabilityZones[]")]
    for where, value in values(inputs, "availabilityZones[]"):
        if isinstance(value, str) and value not in {"1", "2", "3"}:
            yield Failure(where, f"an availability zone is '1', '2' or '3', not '{value}'")
    if len(set(map(str, given))) != len(given):
        yield Failure("availabilityZones", "a zone is named twice")


CHECKS = (
    version,
    known_size,
    upgrade,
    spot,
    spot_price,
    scaling,
    system_count,
    capacity_reservation,
    gpu,
    gpu_image_and_driver,
    node_settings,
    undrainable,
    taints_and_labels,
    zones,
    in_range("count", 0, 1000, SPEC),
    in_range("minCount", 0, 1000, SPEC),
    in_range("maxCount", 1, 1000, SPEC),
    in_range("osDiskSizeGB", 0, 2048, SPEC),
    in_range("maxPods", 10, 250, "AKS docs: quotas-skus-regions"),
    in_range("upgradeSettings.drainTimeoutInMinutes", 1, 1440, SPEC),
    in_range("upgradeSettings.nodeSoakDurationInMinutes", 0, 30, SPEC),
    in_range("linuxOSConfig.swapFileSizeMB", 1, 2**31, _NODE_CONFIGURATION),
)
