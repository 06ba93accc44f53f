"""`--quota REGION:FAMILY=VCPUS`: what a subscription may use, where somebody knows it."""

from __future__ import annotations

import re
from typing import Annotated

import typer

QuotaOption = Annotated[
    list[str] | None,
    typer.Option(
        "--quota",
        metavar="REGION:FAMILY=VCPUS",
        help="vCPUs that may be used; FAMILY may be `total`, or `spot` for all spot vCPUs. Repeatable.",
    ),
]
_QUOTA = re.compile(r"^(?P<region>[A-Za-z][A-Za-z0-9]+):(?P<family>[^=]+)=(?P<vcpus>\d+)$")


def quotas_of(texts: list[str] | None) -> dict[tuple[str, str], float]:
    """Quotas in vCPUs by region and family, as in `gpufleet.sizing.demand.Problem.quotas`.

    Raises:
        ConfigurationError: a text in another form, or of a region or family that doesn't exist.
    """
    from gpufleet.catalog import regions
    from gpufleet.errors import ConfigurationError

    quotas: dict[tuple[str, str], float] = {}
    for text in texts or []:
        match = _QUOTA.match(text)
        if match is None:
            raise ConfigurationError(
                f"--quota {text}: not in the form REGION:FAMILY=VCPUS",
                hint="For example --quota eastus:StandardNCadsH100v5Family=800, or eastus:spot=0.",
            )
        if regions.find(match["region"]) is None:
            near = regions.nearest(match["region"])
            raise ConfigurationError(
                f"--quota {text}: no Azure region {match['region']}", hint=f"Did you mean {near}?" if near else ""
            )
        family = _family(match["family"])
        if family is None:
            raise ConfigurationError(
                f"--quota {text}: no quota family {match['family']}",
                hint="Families stand in gpufleet/catalog/data/sizes.csv; `total` and `spot` count across them.",
            )
        quotas[match["region"], family] = float(match["vcpus"])
    return quotas


def _family(name: str) -> str | None:
    from gpufleet.catalog import sizes
    from gpufleet.sizing.demand import SPOT, TOTAL

    families = {sizes.get(known).quota_family for known in sizes.names()} | {SPOT, TOTAL}
    return next((family for family in families if family.casefold() == name.casefold()), None)
