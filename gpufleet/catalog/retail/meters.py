"""Which of the API's meters is the Linux price of a size, regular or spot, and which are something else.

Every trap here has cost somebody a wrong bill: Windows meters taken for Linux (opencost#2906), spot and low-priority
rows mixed with regular ones (opencost#3226), reservations counted by the hour (arm-estimator#149), sizes missed for
their spelling (opencost#1938), a missing region read as another (infracost#2416), $0 for a gap (skypilot#3615).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from gpufleet.catalog.retail.errors import RefreshError
from gpufleet.catalog.table import LARGEST_PRICE


class Skipped(StrEnum):
    """Why a meter is not the price of a node."""

    RESERVATION = "reservation: a total for the term"
    DEV_TEST = "Dev/Test price"
    OTHER_TYPE = "another price type"
    OTHER_SERVICE = "another service"
    WINDOWS = "Windows"
    LOW_PRIORITY = "low priority, which scale sets no longer sell"
    EXPIRED = "expired meter"
    UNIT = "not sold by the hour"
    TIER = "a tier above the first"
    FUTURE = "not in force yet"
    NOT_PRIMARY = "not the meter that is charged (isPrimaryMeterRegion)"
    ZERO = "$0: a gap, not a gift"
    NO_REGION = "no region"
    OTHER_REGION = "a region that the catalogue doesn't have"
    OTHER_SIZE = "a size that was not asked for"
    SUPERSEDED = "an older price of the same meter"


Key = tuple[str, str, bool]
"""Size, region, and whether it is spot."""


@dataclass(frozen=True, kw_only=True)
class Meters:
    """What the API's items come to.

    Attributes:
        usd: price an hour.
        ambiguous: meters of one day that say different things; none of them is taken.
        skipped: how many were passed over, by reason.
        zero: where the only price was 0.
    """

    usd: Mapping[Key, Decimal]
    ambiguous: Mapping[Key, tuple[Decimal, ...]]
    skipped: Mapping[Skipped, int]
    zero: frozenset[Key]


@dataclass(frozen=True)
class _Meter:
    usd: Decimal
    since: datetime


@dataclass
class _Gathered:
    meters: dict[Key, list[_Meter]] = field(default_factory=dict)
    skipped: Counter[Skipped] = field(default_factory=Counter)
    zero: set[Key] = field(default_factory=set)


def choose(
    items: Iterable[Mapping[str, object]], *, sizes: Iterable[str], regions: Iterable[str], now: datetime
) -> Meters:
    """The Linux prices among the API's items.

    Args:
        items: as the API gives them, prices as Decimal.
        sizes: ARM names that are wanted; other spellings of them are recognised.
        regions: programmatic names that are known.
        now: the moment at which prices must be in force.

    Raises:
        RefreshError: an item is not what this API gives, or not in USD.
    """
    names = {_spelling(size): size for size in sizes}
    known = frozenset(regions)
    gathered = _Gathered()
    for number, item in enumerate(items, start=1):
        reason = _passed_over(item) or _take(_Item(item, number), names, known, now, gathered)
        if reason:
            gathered.skipped[reason] += 1
    usd: dict[Key, Decimal] = {}
    ambiguous: dict[Key, tuple[Decimal, ...]] = {}
    for key, meters in gathered.meters.items():
        newest = max(meter.since for meter in meters)
        values = {meter.usd for meter in meters if meter.since == newest}
        gathered.skipped[Skipped.SUPERSEDED] += sum(meter.since < newest for meter in meters)
        if len(values) == 1:
            usd[key] = values.pop()
        else:
            ambiguous[key] = tuple(sorted(values))
    zero = frozenset(gathered.zero - gathered.meters.keys())
    return Meters(usd=usd, ambiguous=ambiguous, skipped=+gathered.skipped, zero=zero)


def _passed_over(item: Mapping[str, object]) -> Skipped | None:
    """What the words of an item tell: that it isn't the Linux price of a node now."""
    kind, product = str(item.get("type", "")), str(item.get("productName", "")).casefold()
    words = f"{item.get('skuName', '')} {item.get('meterName', '')}".casefold()
    tests = (
        (kind == "Reservation" or bool(item.get("reservationTerm")), Skipped.RESERVATION),
        (kind == "DevTestConsumption" or "dev/test" in product or "devtest" in product, Skipped.DEV_TEST),
        (kind != "Consumption", Skipped.OTHER_TYPE),
        (item.get("serviceName") != "Virtual Machines" or "cloudservices" in product, Skipped.OTHER_SERVICE),
        # Anywhere in the name: some products end in " Windows", others have it in the middle.
        ("windows" in product or "windows" in words, Skipped.WINDOWS),
        ("low priority" in words, Skipped.LOW_PRIORITY),
        ("expired" in words, Skipped.EXPIRED),
    )
    return next((reason for applies, reason in tests if applies), None)


@dataclass(frozen=True)
class _Item:
    """An item with typed access; a field that isn't what the API documents stops the refresh."""

    fields: Mapping[str, object]
    number: int

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise self.error(f"{name} is {value!r}, not text")
        return value or ""

    def number_of(self, name: str, default: object = None) -> Decimal:
        value = self.fields.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= LARGEST_PRICE:
            raise self.error(f"{name} is {value!r}, not an amount of 0 to {LARGEST_PRICE:,}")
        return Decimal(value)

    def moment(self, name: str) -> datetime:
        text = self.text(name)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.error(f"{name} is {text!r}, not a day") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def error(self, cause: str) -> RefreshError:
        meter = self.fields.get("meterId") or self.fields.get("meterName") or "without a name"
        return RefreshError(f"the price API's item {self.number} (meter {meter}) can't be used: {cause}")


def _take(
    item: _Item, names: Mapping[str, str], regions: frozenset[str], now: datetime, gathered: _Gathered
) -> Skipped | None:
    if (currency := item.text("currencyCode")) != "USD":
        raise item.error(f"its currency is {currency or 'not given'}; only USD prices are Microsoft's own")
    size = names.get(_spelling(item.text("armSkuName")))
    region = item.text("armRegionName")
    usd, since = item.number_of("retailPrice"), item.moment("effectiveStartDate")
    tests = (
        (size is None, Skipped.OTHER_SIZE),
        (not region, Skipped.NO_REGION),
        (region not in regions, Skipped.OTHER_REGION),
        (item.text("unitOfMeasure") != "1 Hour", Skipped.UNIT),
        (item.number_of("tierMinimumUnits", 0) > 0, Skipped.TIER),
        (item.fields.get("isPrimaryMeterRegion") is False, Skipped.NOT_PRIMARY),
        (since > now, Skipped.FUTURE),
    )
    if reason := next((reason for applies, reason in tests if applies), None):
        return reason
    assert size is not None
    spot = "spot" in f"{item.text('skuName')} {item.text('meterName')}".casefold()
    if not usd:
        gathered.zero.add((size, region, spot))
        return Skipped.ZERO
    gathered.meters.setdefault((size, region, spot), []).append(_Meter(usd, since))
    return None


def _spelling(name: str) -> str:
    """One key for `Standard_NC8as_T4_v3`, `standard_nc8as_t4_v3` and `NC8as T4 v3`."""
    return name.strip().replace(" ", "_").casefold().removeprefix("standard_")
