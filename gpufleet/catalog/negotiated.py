"""Prices that a company negotiated: `negotiated.yaml` in the folder of its price lists (docs/guides/prices.md).

An entry is for a VM size, a quota family, a service or one meter of a service, in named regions or everywhere, for a
span of days. The more exact entry wins: a size before its family, a meter before its service, named regions before
everywhere. Two entries that say as much about the same thing on the same day are a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from gpufleet.catalog import regions, services, sizes, snapshots
from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.prices import Priced, PriceKind, Unpriced
from gpufleet.catalog.services import ServicePrice, Tier, UnknownMeterError
from gpufleet.catalog.table import LARGEST_PRICE, CatalogError, label

_HINT = "docs/guides/prices.md has an example."


class Negotiated(BaseModel):
    """One negotiated price, of exactly one of `size`, `family` and `service`."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, allow_inf_nan=False)

    size: str | None = None
    """VM size by its ARM name."""
    family: str | None = None
    """Quota family, such as standardNDSH100v5Family; case does not matter."""
    service: str | None = None
    """Service of the price list, such as Log Analytics."""
    meter: str | None = None
    """One meter of the service; all of them unless given."""
    regions: tuple[str, ...] = ()
    """Where it holds; everywhere unless given."""
    priority: Annotated[str, Field(pattern="^(regular|spot)$")] = "regular"
    """Of a size or family: which of its two prices."""
    usd: Annotated[Decimal | None, Field(gt=0, le=LARGEST_PRICE)] = None
    """The price itself, in the unit of the list price: USD an hour for a node."""
    discount_percent: Annotated[Decimal | None, Field(gt=0, lt=100)] = None
    """What is taken off the list price."""
    reason: Annotated[str, Field(min_length=3, max_length=500)]
    """What was agreed, and where it is written: shown in reports."""
    valid_from: date
    valid_until: date
    """The last day on which it holds."""

    @model_validator(mode="after")
    def _complete(self) -> Negotiated:
        if sum(value is not None for value in (self.size, self.family, self.service)) != 1:
            raise ValueError("give exactly one of size, family and service")
        if (self.usd is None) == (self.discount_percent is None):
            raise ValueError("give either usd or discountPercent")
        if self.meter is not None and self.service is None:
            raise ValueError("a meter needs its service")
        if self.usd is not None and (self.family or (self.service and self.meter is None)):
            raise ValueError("a price in usd is for one size or one meter; give a discountPercent for many")
        if self.valid_until < self.valid_from:
            raise ValueError(f"validUntil {self.valid_until} is before validFrom {self.valid_from}")
        return self

    @property
    def rank(self) -> tuple[bool, bool]:
        """How exact it is; of two that fit, the larger wins."""
        return (self.size is not None or self.meter is not None, bool(self.regions))

    def holds(self, region: str, on: date) -> bool:
        """Whether it is for this region and day."""
        return self.valid_from <= on <= self.valid_until and (not self.regions or region in self.regions)

    @property
    def target(self) -> tuple[str, str, str, str]:
        """What it is for."""
        return (self.size or "", (self.family or "").casefold(), self.service or "", self.meter or "")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    prices: tuple[Negotiated, ...]


def apply(listed: Priced | Unpriced, size: str, region: str, *, spot: bool) -> Priced | Unpriced:
    """The negotiated price of a node, or `listed` where none was agreed. Raises CatalogError for a bad file."""
    known = sizes.find(size)
    family = known.quota_family.casefold() if known else ""
    priority = "spot" if spot else "regular"
    found = _best(
        (place, entry)
        for place, entry in entries()
        if entry.priority == priority
        and (entry.size == size or (entry.family is not None and entry.family.casefold() == family))
        and entry.holds(region, snapshots.today())
    )
    if found is None:
        return listed
    place, entry = found
    listed_usd = listed.usd_per_hour if isinstance(listed, Priced) else None
    if entry.usd is not None:
        return Priced(
            usd_per_hour=entry.usd,
            as_of=str(entry.valid_from),
            source=place,
            confidence="high",
            kind=PriceKind.NEGOTIATED,
            list_usd_per_hour=listed_usd,
            reason=entry.reason,
        )
    if isinstance(listed, Unpriced):
        return Unpriced(f"{listed.reason}, so the discount of {place} has nothing to be taken off")
    return replace(
        listed,
        usd_per_hour=_discounted(listed.usd_per_hour, entry),
        source=f"{listed.source};{place}",
        kind=PriceKind.NEGOTIATED,
        list_usd_per_hour=listed.usd_per_hour,
        reason=entry.reason,
    )


def apply_service(listed: ServicePrice | Unpriced, service: str, meter: str, region: str) -> ServicePrice | Unpriced:
    """The negotiated price of a meter, or `listed` where none was agreed. Raises CatalogError for a bad file."""
    found = _best(
        (place, entry)
        for place, entry in entries()
        if entry.service == service and entry.meter in {None, meter} and entry.holds(region, snapshots.today())
    )
    if found is None:
        return listed
    place, entry = found
    if entry.usd is not None:
        blank = listed if isinstance(listed, ServicePrice) else services.unit_of(service, meter)
        return replace(
            blank,
            tiers=(Tier(from_quantity=Decimal(0), usd=entry.usd, note=""),),
            as_of=str(entry.valid_from),
            source=place,
            confidence="high",
            note="",
            known_for=" ".join(entry.regions) or "*",
            elsewhere=False,
            kind=PriceKind.NEGOTIATED,
            list_usd=listed.usd if isinstance(listed, ServicePrice) else None,
            reason=entry.reason,
        )
    if isinstance(listed, Unpriced):
        return Unpriced(f"{listed.reason}, so the discount of {place} has nothing to be taken off")
    return replace(
        listed,
        tiers=tuple(
            replace(tier, usd=None if tier.usd is None else _discounted(tier.usd, entry)) for tier in listed.tiers
        ),
        source=f"{listed.source};{place}",
        kind=PriceKind.NEGOTIATED,
        list_usd=listed.usd,
        reason=entry.reason,
    )


@lru_cache(maxsize=1)
def entries() -> tuple[tuple[str, Negotiated], ...]:
    """Every entry with its place `file:line`, valid today or not; empty without a file.

    Raises:
        CatalogError: the file can't be read, or an entry of it can't work.
    """
    if not snapshots.negotiates():
        return ()
    path = snapshots.folder() / snapshots.NEGOTIATED
    data = _yaml(path)
    try:
        read = _File.model_validate(data).prices
    except ValidationError as error:
        first = error.errors()[0]
        cause = first["msg"].removeprefix("Value error, ")
        named = ".".join(str(part) for part in first["loc"] if part != "prices")
        raise _bad(_place(path, data, first["loc"]), f"{named}: {cause}" if named else cause) from None
    placed = tuple((_place(path, data, ("prices", index)), entry) for index, entry in enumerate(read))
    for place, entry in placed:
        _check_names(place, entry)
    _refuse_rivals(placed)
    return placed


def _discounted(usd: Decimal, entry: Negotiated) -> Decimal:
    assert entry.discount_percent is not None
    return usd * (100 - entry.discount_percent) / 100


def _best(fitting: Iterable[tuple[str, Negotiated]]) -> tuple[str, Negotiated] | None:
    return max(fitting, key=lambda placed: placed[1].rank, default=None)


def _yaml(path: Path) -> object:
    try:
        return YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _bad(f"{label(path)}:{line}", str(error.problem or error.context)) from None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise _bad(label(path), f"cannot be read: {error}") from None


def _place(path: Path, data: object, loc: tuple[int | str, ...]) -> str:
    """`file:line` of the deepest part of `loc` that stands in the file."""
    line, node = 1, cast("Any", data)
    for part in loc:
        try:
            line = (node.lc.item(part) if isinstance(part, int) else node.lc.key(part))[0] + 1
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return f"{label(path)}:{line}"


def _check_names(place: str, entry: Negotiated) -> None:
    if entry.size and sizes.find(entry.size) is None and entry.size not in sizes.without_facts():
        raise _bad(place, _unknown("VM size", entry.size, sizes.nearest(entry.size)))
    families = {sizes.get(name).quota_family for name in sizes.names()}
    if entry.family and entry.family.casefold() not in {family.casefold() for family in families}:
        raise _bad(place, _unknown("quota family", entry.family, nearest_name(entry.family, families)))
    for region in entry.regions:
        if regions.find(region) is None:
            raise _bad(place, _unknown("region", region, regions.nearest(region)))
    if entry.service:
        try:
            services.check(entry.service, entry.meter or services.first_meter(entry.service))
        except UnknownMeterError as error:
            raise _bad(place, error.message) from None


def _unknown(what: str, name: str, near: str | None) -> str:
    return f"no {what} {name!r} in the catalogue" + (f"; the nearest is {near}" if near else "")


def _refuse_rivals(placed: tuple[tuple[str, Negotiated], ...]) -> None:
    for index, (place, entry) in enumerate(placed):
        for other_place, other in placed[:index]:
            if (
                (entry.target, entry.priority, entry.rank) == (other.target, other.priority, other.rank)
                and entry.valid_from <= other.valid_until
                and other.valid_from <= entry.valid_until
                and (not entry.regions or set(entry.regions) & set(other.regions))
            ):
                raise _bad(place, f"says the same as {other_place} for some of the same days and regions")


def _bad(place: str, cause: str) -> CatalogError:
    return CatalogError(f"{place}: {cause}", hint=_HINT)
