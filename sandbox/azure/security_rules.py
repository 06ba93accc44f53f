"""What a network security group refuses of its rules, at preview (network API specification, SecurityRule)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from gpufleet.catalog import regions
from sandbox.azure.checks import networks, values
from sandbox.errors import Failure
from sandbox.tables import read_table
from sandbox.values import UNKNOWN, Properties


def rule_priorities_differ(inputs: Properties) -> Iterable[Failure]:
    """Two rules of one direction have different priorities (network API specification)."""
    seen: dict[tuple[object, object], str] = {}
    for where, rule in values(inputs, "securityRules[]"):
        if not isinstance(rule, dict) or UNKNOWN in (rule.get("priority"), rule.get("direction")):
            continue
        key = (str(rule.get("direction")).lower(), rule.get("priority"))
        if key in seen:
            text = f"priority {key[1]} is {seen[key]}'s already: rules of one direction have different priorities"
            yield Failure(f"{where}.priority", text)
        seen.setdefault(key, str(rule.get("name")))


_PAIRS = (
    ("sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups"),
    ("destinationAddressPrefix", "destinationAddressPrefixes", "destinationApplicationSecurityGroups"),
    ("sourcePortRange", "sourcePortRanges"),
    ("destinationPortRange", "destinationPortRanges"),
)


def rule_is_complete(inputs: Properties) -> Iterable[Failure]:
    """A rule says from where, to where and which ports, each in one form."""
    for where, rule in values(inputs, "securityRules[]"):
        if not isinstance(rule, dict):
            continue
        for name in ("name", "priority"):
            if rule.get(name) is None:
                yield Failure(f"{where}.{name}", f"a security rule needs '{name}'")
        for forms in _PAIRS:
            given = [form for form in forms if rule.get(form) not in (None, [])]
            if not given:
                yield Failure(f"{where}.{forms[0]}", f"a security rule needs one of {', '.join(forms[:2])}")
            elif len(given) > 1:
                yield Failure(f"{where}.{given[1]}", f"{' and '.join(given)} exclude each other")


@cache
def _service_tags() -> frozenset[str]:
    return frozenset(row.text("tag") for row in read_table("service_tags.csv", ("tag", "source")))


def _is_service_tag(text: str) -> bool:
    """A tag, or a tag with a region behind it (``AzureCloud.EastUS``)."""
    tag, _, region = text.rpartition(".")
    return text in _service_tags() or (tag in _service_tags() and regions.find(region.lower()) is not None)


def rule_prefixes(inputs: Properties) -> Iterable[Failure]:
    """An address prefix is '*', an address, a network or a service tag."""
    for side in ("source", "destination"):
        for path in (f"securityRules[].{side}AddressPrefix", f"securityRules[].{side}AddressPrefixes[]"):
            for where, value in values(inputs, path):
                if isinstance(value, str) and value != "*" and not networks(value) and not _is_service_tag(value):
                    yield Failure(where, f"'{value}' is neither '*', an address, a network nor a service tag")
