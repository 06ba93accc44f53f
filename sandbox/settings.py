"""What an operator of the sandbox sets: quotas, capacity, features, principals, durations, answers of its registry.

A setting is a record of the sandbox's own in the store (``setting/<kind>/<key>``), so it outlives a run and goes at a
reset. What is not set follows the tables in ``sandbox/data``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from gpufleet.catalog import regions, sizes
from sandbox.errors import SandboxError
from sandbox.store import Store
from sandbox.tables import read_table
from sandbox.values import Properties

SETTINGS = "setting/"
FEATURE_STATES = ("Registered", "NotRegistered", "Registering", "Unregistered")
PRINCIPAL_TYPES = ("ServicePrincipal", "User", "Group")
REPLICATION_STATES = ("Ready", "Lagging")
SIGNALS: Mapping[str, int] = {"requests-per-second": 10, "error-percent": 0, "ttft-ms": 200}
"""What a region's monitoring says unless it is set."""
SIGNATURES = ("Trusted", "Missing")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SettingError(SandboxError):
    """A setting's kind, key or value is wrong; the text says which and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting as it stands in the store."""

    kind: str
    key: str
    value: str | int


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of setting: the form of its key and value, and what a check of the two says."""

    key: str
    value: str
    what: str
    parse: Callable[[str, str], tuple[str, str | int]]
    """Key and value as stored. Raises SettingError."""


def key_of(kind: str, key: str) -> str:
    """Where a setting stands in the store."""
    return f"{SETTINGS}{kind}/{key}"


def set_setting(store: Store, kind: str, key: str, value: str) -> Setting:
    """Set one.

    Raises:
        SettingError: unknown kind, malformed key or value.
    """
    found = _kind(kind)
    parsed_key, parsed = found.parse(key, value)
    record: Properties = {"id": key_of(kind, parsed_key), "kind": kind, "key": parsed_key, "value": parsed}
    with store.transaction() as transaction:
        transaction.put(record["id"], record)
    return Setting(kind=kind, key=parsed_key, value=parsed)


def unset_setting(store: Store, kind: str, key: str) -> bool:
    """Forget one; False when it was not set.

    Raises:
        SettingError: unknown kind.
    """
    _kind(kind)
    name = key_of(kind, key)
    with store.transaction() as transaction:
        if transaction.get(name) is None:
            return False
        transaction.delete(name)
    return True


def setting(store: Store, kind: str, key: str) -> str | int | None:
    """The value of one, None when it is not set."""
    record = store.get(key_of(kind, key))
    return None if record is None else record["value"]


def settings(store: Store) -> Iterator[Setting]:
    """Everything that is set, in the order of setting."""
    for _, record in store.items(SETTINGS):
        yield Setting(kind=record["kind"], key=record["key"], value=record["value"])


def _kind(kind: str) -> Kind:
    found = KINDS.get(kind)
    if found is None:
        raise SettingError(f"there is no setting '{kind}'; there are: {', '.join(KINDS)}")
    return found


def _whole(kind: str, value: str) -> int:
    if not re.fullmatch(r"\d{1,12}", value):
        raise SettingError(f"the value of a {kind} setting is a whole number of at least 0, not '{value}'")
    return int(value)


def _in_region(kind: str, key: str, form: str) -> tuple[str, str]:
    region, _, rest = key.partition("/")
    if not rest:
        raise SettingError(f"the key of a {kind} setting is {form}, not '{key}'")
    if regions.find(region) is None:
        near = regions.nearest(region)
        raise SettingError(f"there is no region '{region}'" + (f"; did you mean '{near}'?" if near else ""))
    return region, rest


def quota_names() -> tuple[str, ...]:
    """Every quota that a size counts against, and the two totals of a region."""
    return ("cores", "lowPriorityCores", *sorted({sizes.get(name).quota_family for name in sizes.names()}))


def _quota(key: str, value: str) -> tuple[str, str | int]:
    region, name = _in_region("quota", key, KINDS["quota"].key)
    known = {quota.lower(): quota for quota in quota_names()}
    if name.lower() not in known:
        raise SettingError(f"there is no quota '{name}'; there are: {', '.join(known.values())}")
    return f"{region}/{known[name.lower()]}", _whole("quota", value)


def _capacity(key: str, value: str) -> tuple[str, str | int]:
    region, size = _in_region("capacity", key, KINDS["capacity"].key)
    if sizes.find(size) is None:
        near = sizes.nearest(size)
        raise SettingError(
            f"there is no VM size '{size}' in the catalogue" + (f"; did you mean '{near}'?" if near else "")
        )
    return f"{region}/{size}", _whole("capacity", value)


def _feature(key: str, value: str) -> tuple[str, str | int]:
    if not re.fullmatch(r"Microsoft\.\w+/\w+", key):
        raise SettingError(f"the key of a feature setting is {KINDS['feature'].key}, not '{key}'")
    if value not in FEATURE_STATES:
        raise SettingError(f"a feature is {' or '.join(FEATURE_STATES)}, not '{value}'")
    return key, value


def _principal(key: str, value: str) -> tuple[str, str | int]:
    if not _GUID.fullmatch(key.lower()):
        raise SettingError(f"the key of a principal setting is {KINDS['principal'].key}, not '{key}'")
    if value not in PRINCIPAL_TYPES:
        raise SettingError(f"a principal is a {' or '.join(PRINCIPAL_TYPES)}, not '{value}'")
    return key.lower(), value


def _duration(key: str, value: str) -> tuple[str, str | int]:
    known = {row.text("type").lower(): row.text("type") for row in read_table("durations.csv", ("type",))}
    known.pop("*")
    if key.lower() not in known:
        near = get_close_matches(key.lower(), known, n=1)
        raise SettingError(
            f"there is no type '{key}' in sandbox/data/durations.csv"
            + (f"; did you mean '{known[near[0]]}'?" if near else "")
        )
    return known[key.lower()], _whole("duration", value)


def _replication(key: str, value: str) -> tuple[str, str | int]:
    region, _ = _in_region("replication", f"{key}/replica", KINDS["replication"].key)
    if value not in REPLICATION_STATES:
        raise SettingError(f"a replication is {' or '.join(REPLICATION_STATES)}, not '{value}'")
    return region, value


def _signal(key: str, value: str) -> tuple[str, str | int]:
    region, name = _in_region("signal", key, KINDS["signal"].key)
    if name not in SIGNALS:
        raise SettingError(f"there is no signal '{name}'; there are: {', '.join(SIGNALS)}")
    number = _whole("signal", value)
    if name == "error-percent" and number > 100:
        raise SettingError(f"a share of failed requests is at most 100 percent, not {number}")
    return f"{region}/{name}", number


def _signature(key: str, value: str) -> tuple[str, str | int]:
    if not re.fullmatch(r"[a-z0-9._/-]+@sha256:[0-9a-f]{64}", key):
        raise SettingError(f"the key of a signature setting is {KINDS['signature'].key}, not '{key}'")
    if value not in SIGNATURES:
        raise SettingError(f"a signature is {' or '.join(SIGNATURES)}, not '{value}'")
    return key, value


KINDS: Mapping[str, Kind] = {
    "quota": Kind(
        key="REGION/QUOTA (eastus/standardNDSH100v5Family, eastus/cores, eastus/lowPriorityCores)",
        value="vCPUs",
        what="the vCPUs that the subscription may use",
        parse=_quota,
    ),
    "capacity": Kind(
        key="REGION/SIZE (eastus/Standard_ND96isr_H100_v5)",
        value="nodes",
        what="the nodes of a size that a region can give; without a setting there is no bound",
        parse=_capacity,
    ),
    "feature": Kind(
        key="NAMESPACE/FEATURE (Microsoft.ContainerService/AKSInfinibandSupport)",
        value=" or ".join(FEATURE_STATES),
        what="the state of a preview feature of the subscription",
        parse=_feature,
    ),
    "principal": Kind(
        key="the object id (a GUID) of a user, group or service principal",
        value=" or ".join(PRINCIPAL_TYPES),
        what="a person, group or application that the tenant's directory knows",
        parse=_principal,
    ),
    "duration": Kind(
        key="TYPE (Microsoft.ContainerService/managedClusters, helm.sh/Release)",
        value="seconds",
        what="how long the creation of a resource of a type takes, before GPUFLEET_SANDBOX_TIME_SCALE",
        parse=_duration,
    ),
    "replication": Kind(
        key="REGION (eastus)",
        value=" or ".join(REPLICATION_STATES),
        what="whether the registry's replica in a region has what was pushed",
        parse=_replication,
    ),
    "signal": Kind(
        key=f"REGION/SIGNAL (eastus/error-percent; there are: {', '.join(SIGNALS)})",
        value="a whole number",
        what="what a region's monitoring says of its model servers",
        parse=_signal,
    ),
    "signature": Kind(
        key="REPOSITORY@DIGEST (models/chat@sha256:...)",
        value=" or ".join(SIGNATURES),
        what="whether a trusted signature covers an image or weights",
        parse=_signature,
    ),
}
