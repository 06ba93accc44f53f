"""What the page draws, in the units of its SVG: a chart of cost ranges, and the pools of a region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gpufleet.cost import Estimate
from gpufleet.cost.lines import Amount
from gpufleet.cost.money import Bounds
from gpufleet.cost.render.words import usd
from gpufleet.plural import plural
from gpufleet.report.topology import NodePool, Region

WIDTH: Final = 760
_LABELS: Final = 230
_AMOUNTS: Final = 150
_ROW: Final = 30
_MOST_ROWS: Final = 16
_TEXTS: Final = 300
_SQUARE: Final = 12
_STEP: Final = 15
_POOL: Final = 46
_HEAD: Final = 26
_LONGEST: Final = 34


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One row of the chart: a bar from floor to ceiling with a mark at the expected use.

    Attributes:
        y: of the row's top.
        left: of the floor.
        width: to the ceiling.
        mark: of the expected use.
        whole: whether it is the sum of all rows.
    """

    label: str
    floor: str
    expected: str
    ceiling: str
    y: int
    left: float
    width: float
    mark: float
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Cost ranges of the components in the longest month, beside the budget.

    Attributes:
        budget_at: where its line stands.
    """

    bars: tuple[Bar, ...]
    budget: str
    budget_at: float
    height: int
    left: int = _LABELS
    right: int = WIDTH - _AMOUNTS
    width: int = WIDTH


def chart(estimate: Estimate) -> Chart:
    """The whole first, then the components, the dearest first; the smallest of very many as one."""
    rows = [("all", estimate.total.period), *_components(estimate)]
    most = max(estimate.budget, *(bounds.ceiling for _, bounds in rows), Decimal(1))
    room = WIDTH - _LABELS - _AMOUNTS

    def at(amount: Decimal) -> float:
        return round(_LABELS + float(amount / most) * room, 1)

    bars = tuple(
        Bar(
            label=label,
            floor=usd(bounds.floor),
            expected=usd(bounds.expected),
            ceiling=usd(bounds.ceiling),
            y=_ROW * (number + 1),
            left=at(bounds.floor),
            width=round(max(at(bounds.ceiling) - at(bounds.floor), 1), 1),
            mark=at(bounds.expected),
            whole=not number,
        )
        for number, (label, bounds) in enumerate(rows)
    )
    return Chart(
        bars=bars, budget=usd(estimate.budget), budget_at=at(estimate.budget), height=_ROW * (len(rows) + 1) + 8
    )


def _components(estimate: Estimate) -> Iterator[tuple[str, Bounds]]:
    amounts = sorted(estimate.by(lambda origin: origin.component).items(), key=_dearest)
    shown = amounts if len(amounts) <= _MOST_ROWS else amounts[: _MOST_ROWS - 1]
    yield from ((name, amount.period) for name, amount in shown)
    if rest := [amount.period for _, amount in amounts[len(shown) :]]:
        yield f"{len(rest):,} others", sum(rest[1:], rest[0])


def _dearest(item: tuple[str, Amount]) -> tuple[Decimal, str]:
    return -item[1].period.ceiling, item[0]


@dataclass(frozen=True, kw_only=True)
class Square:
    """One InfiniBand domain: an outline, filled as far as it has nodes beside the largest of its pool."""

    x: int
    y: int
    size: int
    filled: float
    title: str


@dataclass(frozen=True, kw_only=True)
class PoolPicture:
    """One pool: words on the left, its domains or its range of nodes on the right.

    Attributes:
        y: of its top.
        bar: of the range of nodes: left, width of what is always there, width of what there may be; None with domains,
            or when nobody knows.
    """

    name: str
    about: str
    spot: bool
    y: int
    squares: tuple[Square, ...]
    bar: tuple[int, float, float] | None
    pool: NodePool


@dataclass(frozen=True, kw_only=True)
class ClusterPicture:
    """One cluster: a box with its pools."""

    label: str
    y: int
    height: int
    pools: tuple[PoolPicture, ...]


@dataclass(frozen=True, kw_only=True)
class RegionPicture:
    """One region."""

    name: str
    summary: str
    height: int
    clusters: tuple[ClusterPicture, ...]
    width: int = WIDTH


def picture(region: Region, most: int) -> RegionPicture:
    """A region.

    Args:
        region: to draw.
        most: nodes of the largest pool without InfiniBand in the environment: the longest bar.
    """
    clusters, y = [], 4
    for cluster in region.clusters:
        pools, top = [], y + _HEAD
        for pool in cluster.pools:
            drawn, height = _pool(pool, top, most)
            pools.append(drawn)
            top += height
        clusters.append(ClusterPicture(label=_cut(cluster.label), y=y, height=top - y + 4, pools=tuple(pools)))
        y = top + 16
    return RegionPicture(name=region.name, summary=_summary(region), height=y, clusters=tuple(clusters))


def largest(regions: Sequence[Region]) -> int:
    """Nodes of the largest pool without InfiniBand: what the bars are measured by."""
    pools = (pool for region in regions for cluster in region.clusters for pool in cluster.pools)
    return max((pool.most or 0 for pool in pools if not pool.domains), default=1) or 1


def _pool(pool: NodePool, y: int, most: int) -> tuple[PoolPicture, int]:
    room = WIDTH - _TEXTS - 30
    each = room // _STEP
    lines = -(-len(pool.domains) // each)
    height = max(_POOL, lines * _STEP + 14)
    known = not pool.domains and pool.least is not None and pool.most is not None
    return (
        PoolPicture(
            name=_cut(pool.name),
            about=f"{_cut(pool.size)}, {pool.nodes}",
            spot=bool(pool.spot),
            y=y,
            squares=tuple(_squares(pool, y + 8, each)),
            bar=(_TEXTS, _width(pool.least, most, room), _width(pool.most, most, room)) if known else None,
            pool=pool,
        ),
        height,
    )


def _squares(pool: NodePool, y: int, each: int) -> Iterator[Square]:
    most = max(pool.domains, default=1) or 1
    for number, nodes in enumerate(pool.domains):
        row, column = divmod(number, each)
        yield Square(
            x=_TEXTS + column * _STEP,
            y=y + row * _STEP,
            size=_SQUARE,
            filled=round(_SQUARE * nodes / most, 1),
            title=f"InfiniBand domain {number + 1} of {len(pool.domains)}: at most {nodes:,} nodes",
        )


def _width(nodes: int | None, most: int, room: int) -> float:
    return round((nodes or 0) / most * room, 1)


def _summary(region: Region) -> str:
    pools = [pool for cluster in region.clusters for pool in cluster.pools]
    domains = sum(len(pool.domains) for pool in pools)
    gpus = sum((pool.most or 0) * pool.gpus for pool in pools)
    parts = [plural(len(region.clusters), "cluster"), plural(len(pools), "pool")]
    parts += [plural(domains, "InfiniBand domain")] if domains else []
    parts += [f"at most {plural(gpus, 'GPU')}"] if gpus else []
    unknown = any(pool.most is None for pool in pools)
    return ", ".join([*parts, "some sizes unknown"] if unknown else parts)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
