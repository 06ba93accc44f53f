"""What can be bought where: every size with GPUs in every region that lists a price for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gpufleet.catalog import evidence, prices, regions, sizes
from gpufleet.catalog.evidence import EvidenceKind
from gpufleet.catalog.nearest import nearest_name
from gpufleet.catalog.prices import Priced, Unpriced
from gpufleet.catalog.regions import Region
from gpufleet.catalog.sizes import Size
from gpufleet.errors import ConfigurationError


class UnknownGpuError(ConfigurationError, LookupError):
    """No size of the catalogue has such a GPU."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One size in one region. A list price is not capacity, nor a promise that the size is open to a subscription."""

    size: Size
    region: Region
    regular: Priced | Unpriced
    spot: Priced | Unpriced
    evidence: EvidenceKind | None
    """The strongest trace of somebody who deployed it there, None when none is known."""

    @property
    def deployed(self) -> bool:
        """Whether somebody published a run of this size in this region."""
        return self.evidence is EvidenceKind.RUN

    def price(self, *, spot: bool) -> Priced | Unpriced:
        """Of one node, USD an hour."""
        return self.spot if spot else self.regular

    def usd_per_gpu_hour(self, *, spot: bool) -> Decimal | None:
        """Of one whole GPU, None without a price. A size with a sixth of a GPU counts six times."""
        price = self.price(spot=spot)
        if isinstance(price, Unpriced):
            return None
        return price.usd_per_hour * self.size.gpu_share.denominator / self.size.gpu_share.numerator

    def age_days(self, today: date, *, spot: bool) -> int | None:
        """Days since the price was read; None without a price or without a known day."""
        price = self.price(spot=spot)
        if isinstance(price, Unpriced) or price.read_on is None:
            return None
        return (today - price.read_on).days


def gpu_names() -> tuple[str, ...]:
    """What a GPU may be called for `find`: `H100`, `A100`, `T4` and so on."""
    words = [_short(size.gpu_model) for size in map(sizes.get, sizes.names()) if size.gpu_model]
    return tuple(dict.fromkeys(words))


def find(
    *,
    gpu: str | None = None,
    in_regions: Collection[str] = (),
    max_usd: Decimal | None = None,
    spot: bool = False,
    infiniband: bool | None = None,
) -> list[Offer]:
    """Offers that fit, the cheapest GPU first.

    Args:
        gpu: its name (`H100`), or a part of the model (`H100 NVL`) or size (`NC40ads`), in any case; all unless given.
        in_regions: programmatic names; all unless given.
        max_usd: the most that a node may cost an hour, at the price that `spot` asks for.
        spot: only what has a spot price, sorted by it.
        infiniband: only sizes with or without InfiniBand.

    Raises:
        UnknownGpuError: no size of the catalogue has such a GPU; the message names the nearest.
        UnknownRegionError: likewise for a region.
        CatalogError: a table is damaged.
    """
    wanted = [size for size in _sizes_of(gpu) if infiniband is None or size.rdma == infiniband]
    places = [regions.get(name) for name in dict.fromkeys(in_regions)] or [
        regions.get(name) for name in regions.names()
    ]
    found = [_offer(size, place) for size in wanted for place in places]
    kept: list[tuple[Decimal, str, str, Offer]] = []
    for offer in found:
        per_gpu, price = offer.usd_per_gpu_hour(spot=spot), offer.price(spot=spot)
        if per_gpu is None or isinstance(price, Unpriced):
            continue
        if max_usd is None or price.usd_per_hour <= max_usd:
            kept.append((per_gpu, offer.size.name, offer.region.name, offer))
    return [offer for *_, offer in sorted(kept, key=lambda item: item[:3])]


def left_out(gpu: str | None) -> dict[str, str]:
    """Sizes that fit `gpu` and can't be offered anywhere, each with the reason."""
    listed = set(prices.sizes())
    unpriced = {
        size.name: f"the price list of {prices.day()} has it in no region"
        for size in _sizes_of(gpu)
        if size.name not in listed
    }
    unknown = {
        name: f"it has a price, but {why}"
        for name, why in sizes.without_facts().items()
        if name in listed and (gpu is None or _key(gpu) in _key(name))
    }
    return unpriced | unknown


def _offer(size: Size, region: Region) -> Offer:
    traces = [item.kind for item in evidence.of(size.name, region.name)]
    return Offer(
        size=size,
        region=region,
        regular=prices.regular(size.name, region.name),
        spot=prices.spot(size.name, region.name),
        evidence=min(traces, key=list(EvidenceKind).index, default=None),
    )


def _sizes_of(gpu: str | None) -> list[Size]:
    known = [size for size in map(sizes.get, sizes.names()) if size.is_gpu]
    if gpu is None:
        return known
    key = _key(gpu)
    exact = [size for size in known if key == _key(_short(size.gpu_model))]
    found = exact or [size for size in known if key and (key in _key(size.gpu_model or "") or key in _key(size.name))]
    if not found:
        near = nearest_name(gpu, gpu_names())
        raise UnknownGpuError(
            f"no size of the catalogue has a GPU {gpu!r}" + (f"; the nearest is {near}" if near else ""),
            hint=f"There are {', '.join(gpu_names())}.",
        )
    return found


def _short(model: str | None) -> str:
    """`H100` of `NVIDIA H100 SXM5 80GB`."""
    words = (model or "").split()
    return words[1] if len(words) > 1 else ""


def _key(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
