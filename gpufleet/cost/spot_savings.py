"""What spot pools are expected to save, net of the work that evictions throw away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.catalog import sizes
from gpufleet.cost.charge import Category
from gpufleet.cost.estimate import Estimate
from gpufleet.cost.lines import Amount, Line
from gpufleet.cost.money import ZERO, cents, decimal
from gpufleet.cost.rates import PriceKind
from gpufleet.plural import plural
from gpufleet.sizing.fabric import job_on
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.spot import SpotWork, spot_work
from gpufleet.spec.addresses import scopes
from gpufleet.spec.base import Path, Priority
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import Pool
from gpufleet.spec.training import TrainingFabric

_SHARE = Decimal("0.000001")


@dataclass(frozen=True, kw_only=True)
class SpotSaving:
    """One spot pool, USD a month of 730 hours at its expected use.

    Attributes:
        component: whose, `training lab`.
        spot: what its nodes cost; None when they have no price.
        regular: what as many regular nodes would cost; None when these have no price.
        lost: the part of `regular` that evictions throw away: work that is done again, restarts and the checkpoints
            that come oftener; None when nobody can tell.
        assumed: whether `lost` rests on an eviction rate that nobody declared, or a price is assumed.
        basis: what it rests on, or why a figure is missing.
    """

    component: str
    pool: str
    spot: Decimal | None
    regular: Decimal | None
    lost: Decimal | None
    assumed: bool
    basis: str

    @property
    def gross(self) -> Decimal | None:
        """`regular` less `spot`: as if no node were ever taken."""
        return None if self.spot is None or self.regular is None else self.regular - self.spot

    @property
    def net(self) -> Decimal | None:
        """What is saved by work that stays done; below zero spot is dearer than regular nodes."""
        return None if self.gross is None or self.lost is None else self.gross - self.lost


def spot_savings(environment: Environment, estimate: Estimate) -> list[SpotSaving]:
    """Every spot pool of the environment, in the order of the file.

    A node-hour at spot does the part u / u0 of the work of a regular one, u and u0 the shares of time that compute with
    evictions and without (`gpufleet.sizing.spot.spot_work`). The same work on regular nodes costs regular * u / u0, so

        net = regular * u / u0 - spot,    lost = regular * (1 - u / u0),    net = gross - lost.

    It can be told of GPU pools of a training fabric whose jobs resume from a checkpoint, for jobs of one node: none
    other may run there. What an eviction costs other work (data preparation, requests that are sent again) nobody
    declares; there `lost` is None, and never 0.

    Args:
        environment: the specification.
        estimate: its cost.

    Raises:
        CatalogError: a table is damaged.
    """
    fabrics: dict[Path, TrainingFabric] = {("training", place): one for place, one in enumerate(environment.training)}
    return [
        _saving(f"{scope.path[0]} {scope.name}", pool, fabrics.get(scope.path), estimate)
        for scope in scopes(environment)
        for pool in scope.pools
        if pool.priority is Priority.SPOT
    ]


def _saving(component: str, pool: Pool, fabric: TrainingFabric | None, estimate: Estimate) -> SpotSaving:
    parts = [
        part
        for part in estimate.parts
        if (part.origin.component, part.origin.pool, part.category) == (component, pool.name, Category.COMPUTE)
    ]
    lines = [part for part in parts if isinstance(part, Line)]
    fallbacks = [part.fallback for part in parts if isinstance(part.fallback, Amount)]
    spot = _sum([line.amount for line in lines]) if lines and len(lines) == len(parts) else None
    regular = _sum(fallbacks) if fallbacks and len(fallbacks) == len(parts) else None
    work = _work(pool, fabric)
    kept = _share_kept(work) if isinstance(work, SpotWork) else None
    basis = list(_basis(work, pool))
    if spot is None:
        basis.append("spot nodes have no price")
    if regular is None:
        basis.append("regular nodes have no price")
    return SpotSaving(
        component=component,
        pool=pool.name,
        spot=spot,
        regular=regular,
        lost=None if kept is None or regular is None else regular - cents(regular * kept),
        assumed=any(line.rate.kind is PriceKind.ASSUMED for line in lines)
        or (isinstance(work, SpotWork) and work.hours_to_eviction.assumed),
        basis="; ".join(basis),
    )


def _work(pool: Pool, fabric: TrainingFabric | None) -> SpotWork | str:
    """What evictions leave of the work, or why nobody can tell."""
    size = sizes.find(pool.sku)
    if fabric is None:
        return "what requests lose with their node is not known"
    if size is None or not size.is_gpu or fabric.workload is None:
        return "what its work loses with a node is not known: it has no checkpoints"
    try:
        return spot_work(
            fabric,
            job_on(fabric.workload, size, 1),
            pool.usage.spot_eviction_band if pool.usage else None,
        )
    except SizingError as error:
        return error.message


def _share_kept(work: SpotWork) -> Decimal:
    """To a millionth: more digits than any of the rates has."""
    if work.useful_on_regular <= 0:
        return ZERO
    return min(decimal(work.useful / work.useful_on_regular).quantize(_SHARE), Decimal(1))


def _basis(work: SpotWork | str, pool: Pool) -> Iterator[str]:
    if isinstance(work, str):
        yield work
    else:
        minutes = round(work.interval_s / 60)
        yield (
            f"{work.hours_to_eviction.source}; a checkpoint every {plural(minutes, 'minute')} keeps "
            f"{100 * work.useful:.1f} % of the time, {100 * work.useful_on_regular:.1f} % on regular nodes"
        )
    if pool.usage is None:
        yield "no use is declared, so at its maximum"


def _sum(amounts: list[Amount]) -> Decimal:
    return sum((amount.monthly.expected for amount in amounts), ZERO)
