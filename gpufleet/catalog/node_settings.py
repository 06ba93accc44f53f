"""What AKS lets a node pool set of kubelet and kernel (data/node_settings.csv), and what pools get by default.

The names are those of the ARM body: `kubeletConfig`, `linuxOSConfig.sysctls` and `linuxOSConfig`. A pool gets them at
its creation and never again (AKS docs: custom-node-configuration; Azure/AKS#2591).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from gpufleet.catalog import node_profiles, sizes
from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.table import Row, read

_FIRST_PORTS = (1024, 60999)
_LAST_PORTS = (32768, 65535)
"""Of `net.ipv4.ip_local_port_range` (AKS docs: custom-node-configuration-reference)."""
_MOST_BITS = 256
"""Of a number that is shown: to text takes quadratic time, and Python refuses beyond 4,300 digits."""


class Section(StrEnum):
    """Where in a pool a setting stands."""

    KUBELET = "kubelet"
    """ARM `kubeletConfig`."""
    SYSCTLS = "sysctls"
    """ARM `linuxOSConfig.sysctls`."""
    LINUX_OS = "linuxOs"
    """ARM `linuxOSConfig`, apart from its sysctls."""


class Kind(StrEnum):
    """What a value looks like."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MILLISECONDS = "milliseconds"
    PORT_RANGE = "port-range"
    SYSCTL_PATTERNS = "sysctl-patterns"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting and the values it takes."""

    section: Section
    name: str
    """As in the ARM body, such as `vmMaxMapCount`."""
    setting: str
    """As kubelet or kernel call it, such as `vm.max_map_count`."""
    kind: Kind
    low: int | None
    high: int | None
    """Closed range; None where AKS documents no bound."""
    choices: tuple[str, ...]

    @property
    def form(self) -> str:
        """What a value must be, in words."""
        match self.kind:
            case Kind.INTEGER:
                return _range_text(self.low, self.high)
            case Kind.BOOLEAN:
                return "true or false"
            case Kind.CHOICE:
                return f"one of {', '.join(self.choices)}"
            case Kind.MILLISECONDS:
                return "a number of milliseconds such as 100ms"
            case Kind.PORT_RANGE:
                first, last = ("-".join(map(str, bounds)) for bounds in (_FIRST_PORTS, _LAST_PORTS))
                return f'two ports such as "32768 60999", the first in {first}, the last in {last} and above the first'
            case Kind.SYSCTL_PATTERNS:
                return f"a list of sysctls out of {', '.join(self.choices)}"

    def takes(self, value: object) -> bool:
        """Whether AKS takes this value."""
        match self.kind:
            case Kind.INTEGER:
                return (
                    isinstance(value, int)
                    and not isinstance(value, bool)
                    and (self.low is None or value >= self.low)
                    and (self.high is None or value <= self.high)
                )
            case Kind.BOOLEAN:
                return isinstance(value, bool)
            case Kind.CHOICE:
                return value in self.choices
            case Kind.MILLISECONDS:
                return isinstance(value, str) and re.fullmatch(r"[1-9]\d{0,6}ms", value) is not None
            case Kind.PORT_RANGE:
                return _ports(value)
            case Kind.SYSCTL_PATTERNS:
                return isinstance(value, list) and all(
                    isinstance(item, str) and any(_covers(choice, item) for choice in self.choices) for item in value
                )


@dataclass(frozen=True, kw_only=True)
class NodeConfiguration:
    """Settings of a pool's nodes, by their ARM names; empty is AKS's own."""

    kubelet: Mapping[str, object] = field(default_factory=dict)
    sysctls: Mapping[str, object] = field(default_factory=dict)
    linux_os: Mapping[str, object] = field(default_factory=dict)

    def of(self, section: Section) -> Mapping[str, object]:
        """The settings of one section."""
        return {Section.KUBELET: self.kubelet, Section.SYSCTLS: self.sysctls, Section.LINUX_OS: self.linux_os}[section]


@dataclass(frozen=True, kw_only=True)
class _Default:
    """One value that pools with InfiniBand get unless the specification has another."""

    section: Section
    name: str
    value: object
    os_sku: str | None
    """AKS `osSKU` that it is for; None for any."""


def settings(section: Section) -> dict[str, Setting]:
    """The settings of a section, by name."""
    return {setting.name: setting for setting in _settings() if setting.section is section}


def faults(section: Section, given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What AKS would refuse of a pool's settings in one section: name and reason, a sentence without its full stop."""
    known = settings(section)
    for name, value in given.items():
        setting = known.get(name)
        if setting is None:
            near = nearest_name(name, known)
            yield name, f"AKS has no such setting{f'; did you mean {near}?' if near else ''}"
        elif not setting.takes(value):
            yield name, f"must be {setting.form}, not {_shown(value)}"
    yield from _disorder(given)


def configuration(size: sizes.Size | None) -> NodeConfiguration:
    """What pools of this size get by default; nothing for a size without GPUs or InfiniBand, or an unknown one."""
    profile = node_profiles.find(size) if size is not None else None
    if profile is None:
        return NodeConfiguration()
    mine = [default for default in _defaults() if default.os_sku in {None, profile.os_sku}]
    kubelet, sysctls, linux_os = (
        {default.name: default.value for default in mine if default.section is section} for section in Section
    )
    return NodeConfiguration(kubelet=kubelet, sysctls=sysctls, linux_os=linux_os)


# Pairs of which the first must not be above the second: AKS docs: custom-node-configuration-reference (images); Linux
# kernel documentation: ip-sysctl (neighbour table).
_ORDERED = (
    ("imageGcLowThreshold", "imageGcHighThreshold"),
    ("netIpv4NeighDefaultGcThresh1", "netIpv4NeighDefaultGcThresh2"),
    ("netIpv4NeighDefaultGcThresh2", "netIpv4NeighDefaultGcThresh3"),
)


def _disorder(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for lower, upper in _ORDERED:
        low, high = given.get(lower), given.get(upper)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield lower, f"{low} is above {upper}, {high}"


def _covers(allowed: str, wanted: str) -> bool:
    return wanted == allowed or (allowed.endswith("*") and wanted.startswith(allowed[:-1]))


def _ports(value: object) -> bool:
    found = re.fullmatch(r"(\d{1,5})[ \t]+(\d{1,5})", value) if isinstance(value, str) else None
    if found is None:
        return False
    first, last = int(found[1]), int(found[2])
    return _FIRST_PORTS[0] <= first <= _FIRST_PORTS[1] and _LAST_PORTS[0] <= last <= _LAST_PORTS[1] and first < last


def _range_text(low: int | None, high: int | None) -> str:
    if low is None:
        return "a whole number" if high is None else f"a whole number of at most {high}"
    return f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nothing"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "a number that long"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _integer(row: Row, column: str) -> int | None:
    text = row.optional_text(column)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise row.error(f"{column} is {text!r}, not a whole number") from None


@lru_cache(maxsize=1)
def _settings() -> tuple[Setting, ...]:
    columns = ("section", "name", "setting", "kind", "low", "high", "choices", "as_of", "confidence", "source", "note")
    return tuple(
        Setting(
            section=Section(row.choice("section", *Section)),
            name=row.text("name"),
            setting=row.text("setting"),
            kind=Kind(row.choice("kind", *Kind)),
            low=_integer(row, "low"),
            high=_integer(row, "high"),
            choices=tuple(choices.split(";")) if (choices := row.optional_text("choices")) else (),
        )
        for row in read("node_settings.csv", columns)
    )


@lru_cache(maxsize=1)
def _defaults() -> tuple[_Default, ...]:
    columns = ("pools", "os_sku", "section", "name", "value", "why", "as_of", "confidence", "source")
    return tuple(_default(row) for row in read("node_configuration.csv", columns))


def _default(row: Row) -> _Default:
    row.choice("pools", "infiniband")
    section, name, text = Section(row.choice("section", *Section)), row.text("name"), row.text("value")
    setting = settings(section).get(name)
    if setting is None:
        raise row.error(f"AKS has no {section.value} setting {name!r}")
    value: object = int(text) if setting.kind is Kind.INTEGER and text.lstrip("-").isdigit() else text
    if not setting.takes(value):
        raise row.error(f"{name} must be {setting.form}, not {text}")
    return _Default(section=section, name=name, value=value, os_sku=row.optional_text("os_sku"))
