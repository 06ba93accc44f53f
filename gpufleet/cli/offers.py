"""`gpufleet offers`: which sizes with GPUs have a price where, and what they cost."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import OutputOption, emit, emit_json, people
from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    from gpufleet.catalog.offers import Offer
    from gpufleet.catalog.prices import Priced, Unpriced

app = typer.Typer()


class OffersFormat(StrEnum):
    """Form of the offers."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Order(StrEnum):
    """What comes first."""

    GPU_PRICE = "gpu-price"
    PRICE = "price"
    SIZE = "size"
    REGION = "region"


@app.command()
def offers(
    *,
    gpu: Annotated[
        str | None, typer.Option("--gpu", help="Only this GPU: H100, or a part of the model or size: 'H100 NVL', NC40.")
    ] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="Only this region; repeatable.")] = None,
    max_usd: Annotated[
        float | None, typer.Option("--max-usd", help="Only nodes of at most so many USD an hour.")
    ] = None,
    spot: Annotated[bool, typer.Option("--spot", help="Only what has a spot price; it is what counts then.")] = False,
    infiniband: Annotated[
        bool | None, typer.Option("--infiniband/--no-infiniband", help="Only sizes with InfiniBand, or without.")
    ] = None,
    sort: Annotated[Order, typer.Option("--sort", help="What comes first: the cheapest GPU or node, or by name.")] = (
        Order.GPU_PRICE
    ),
    form: Annotated[OffersFormat, typer.Option("--format", help="Form of the result on stdout.")] = OffersFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """List which sizes with GPUs have a price in which regions.

    A listed price is neither capacity nor a promise that the size is open to your subscription.
    """
    from gpufleet.catalog import offers as catalogue
    from gpufleet.catalog import prices

    if max_usd is not None and not (math.isfinite(max_usd) and max_usd > 0):
        raise ConfigurationError(f"--max-usd is {max_usd}, not an amount above 0")
    limit = None if max_usd is None else Decimal(str(max_usd))
    found = catalogue.find(gpu=gpu, in_regions=region or (), max_usd=limit, spot=spot, infiniband=infiniband)
    found.sort(key=lambda offer: _order(offer, sort, spot=spot))
    left_out = catalogue.left_out(gpu)
    if form is OffersFormat.JSON:
        body = {
            "currency": "USD",
            "priceDate": str(prices.day()),
            "offers": [_json(offer) for offer in found],
            "leftOut": [{"size": name, "reason": why} for name, why in left_out.items()],
        }
        emit_json("offers", body, output)
    elif form is OffersFormat.CSV:
        emit(_csv(found), output)
    elif found:
        emit(_table(found, spot=spot), output)
    _tell(found, left_out, spot=spot)


def _order(offer: Offer, sort: Order, *, spot: bool) -> tuple[object, ...]:
    from gpufleet.catalog.prices import Unpriced

    price = offer.price(spot=spot)
    usd = Decimal("Infinity") if isinstance(price, Unpriced) else price.usd_per_hour
    names = (offer.size.name, offer.region.name)
    match sort:
        case Order.GPU_PRICE:
            return (offer.usd_per_gpu_hour(spot=spot), *names)
        case Order.PRICE:
            return (usd, *names)
        case Order.SIZE:
            return names
        case Order.REGION:
            return names[::-1]


def _tell(found: Sequence[Offer], left_out: dict[str, str], *, spot: bool) -> None:
    from gpufleet.catalog import prices, snapshots

    age = (snapshots.today() - prices.day()).days
    if not found:
        why = ", for no source has a spot price of most sizes" if spot else ""
        people().print(f"No offer fits{why}. Prices of {prices.day()}.", markup=False)
    else:
        places = len({offer.region.name for offer in found})
        what = f"{_count(len(found), 'offer')} in {_count(places, 'region')}"
        people().print(
            f"{what}; price list of {prices.day()}, {age} days old. A listed price is not capacity.", markup=False
        )
    for name, why in left_out.items():
        people().print(f"note: {name} is left out: {why}", markup=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_HEAD = (
    *("SIZE", "REGION", "GPUS", "GPU", "$/H", "SPOT $/H", "$/GPU-H", "AGE"),
    *("INFINIBAND", "ZONES", "DEPLOYED", "QUOTA FAMILY"),
)
_AMOUNTS = (2, 4, 5, 6, 7)


def _table(found: Sequence[Offer], *, spot: bool) -> str:
    from gpufleet.catalog import snapshots
    from gpufleet.cli.table import aligned

    today = snapshots.today()
    rows: list[tuple[str, ...]] = [_HEAD]
    for offer in found:
        per_gpu, age = offer.usd_per_gpu_hour(spot=spot), offer.age_days(today, spot=spot)
        rows.append(
            (
                offer.size.name,
                offer.region.name,
                str(offer.size.gpu_share),
                offer.size.gpu_model or "",
                _shown(offer.regular),
                _shown(offer.spot),
                "-" if per_gpu is None else _amount(per_gpu),
                _as_of(offer.price(spot=spot)) if age is None else f"{age} d",
                "yes" if offer.size.rdma else "no",
                _zones(offer),
                _deployed(offer),
                offer.size.quota_family,
            )
        )
    return aligned(rows, right=_AMOUNTS)


def _shown(price: Priced | Unpriced) -> str:
    from gpufleet.catalog.prices import PriceKind, Unpriced

    if isinstance(price, Unpriced):
        return "-"
    if price.kind is not PriceKind.NEGOTIATED:
        return _amount(price.usd_per_hour)
    listed = "" if price.list_usd_per_hour is None else f", list {_amount(price.list_usd_per_hour)}"
    return f"{_amount(price.usd_per_hour)} (negotiated{listed})"


def _amount(usd: Decimal) -> str:
    # Cents for a node of some dollars; a spot node of some cents needs more.
    return f"{usd:,.2f}" if usd >= 1 else f"{usd:.4f}"


def _as_of(price: Priced | Unpriced) -> str:
    from gpufleet.catalog.prices import Unpriced

    return "-" if isinstance(price, Unpriced) else price.as_of


def _deployed(offer: Offer) -> str:
    if offer.evidence is None:
        return "no"
    return "yes" if offer.deployed else f"no ({offer.evidence})"


def _zones(offer: Offer) -> str:
    return {True: "yes", False: "no", None: "?"}[offer.region.has_zones]


def _json(offer: Offer) -> dict[str, object]:
    size = offer.size
    return {
        "size": size.name,
        "region": offer.region.name,
        "gpuModel": size.gpu_model,
        "gpus": float(size.gpu_share),
        "gpuMemoryGb": size.gpu_memory_gb,
        "vcpus": size.vcpus,
        "infiniband": size.rdma,
        "quotaFamily": size.quota_family,
        "zones": offer.region.has_zones,
        "regionRestricted": offer.region.restricted,
        "deployed": offer.deployed,
        "evidence": offer.evidence.value if offer.evidence else None,
        "regular": _price(offer, spot=False),
        "spot": _price(offer, spot=True),
    }


def _price(offer: Offer, *, spot: bool) -> dict[str, object]:
    from gpufleet.catalog import snapshots
    from gpufleet.catalog.prices import Unpriced

    price, per_gpu = offer.price(spot=spot), offer.usd_per_gpu_hour(spot=spot)
    if isinstance(price, Unpriced) or per_gpu is None:
        reason = price.reason if isinstance(price, Unpriced) else ""
        return {"usdPerHour": None, "unpriced": reason}
    return {
        "usdPerHour": float(price.usd_per_hour),
        "usdPerGpuHour": round(float(per_gpu), 6),
        "kind": price.kind.value,
        "listUsdPerHour": None if price.list_usd_per_hour is None else float(price.list_usd_per_hour),
        "reason": price.reason or None,
        "asOf": price.as_of,
        "ageDays": offer.age_days(snapshots.today(), spot=spot),
        "source": price.source,
        "confidence": price.confidence,
        "note": price.note or None,
    }


def _csv(found: Sequence[Offer]) -> str:
    columns = (
        *("size", "region", "gpu_model", "gpus", "infiniband", "zones", "quota_family", "deployed", "evidence"),
        *("regular_usd_per_hour", "regular_usd_per_gpu_hour", "regular_kind", "regular_as_of", "regular_confidence"),
        *("spot_usd_per_hour", "spot_usd_per_gpu_hour", "spot_kind", "spot_as_of", "spot_confidence"),
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for offer in found:
        row: list[object] = [
            offer.size.name,
            offer.region.name,
            offer.size.gpu_model,
            offer.size.gpu_share,
            "yes" if offer.size.rdma else "no",
            {True: "yes", False: "no", None: ""}[offer.region.has_zones],
            offer.size.quota_family,
            "yes" if offer.deployed else "no",
            offer.evidence.value if offer.evidence else "",
        ]
        for spot in (False, True):
            price = _price(offer, spot=spot)
            row += [price.get(key) for key in ("usdPerHour", "usdPerGpuHour", "kind", "asOf", "confidence")]
        writer.writerow(row)
    return text.getvalue()
