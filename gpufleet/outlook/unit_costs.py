"""USD for a million tokens of every model in every region: at the floor, over the day, at the peak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gpufleet.catalog import sizes
from gpufleet.cost import Estimate
from gpufleet.cost.charge import Category
from gpufleet.cost.estimate import total
from gpufleet.cost.money import ZERO, Bounds, decimal
from gpufleet.cost.rates import NoRate
from gpufleet.cost.token_cost import TokenCost
from gpufleet.outlook.fleet import ALL_HOURS, Fleet, Servers
from gpufleet.outlook.outlook import Outlook
from gpufleet.spec.base import Priority

_TOKENS: Final = Decimal(1_000_000)
_SECONDS: Final = 3600
_DIGITS: Final = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class _State:
    """Servers of a region in one state.

    Attributes:
        nodes: regular and spot node-hours under the servers.
        tokens: that these give.
        hours: how long it lasts.
    """

    servers: Servers
    nodes: tuple[int, int]
    tokens: float
    hours: int


def token_costs(found: Outlook, estimate: Estimate) -> list[TokenCost]:
    """All of them, region by region.

    A region's cost is that of its GPU nodes and of everything that surrounds them (control plane, network, logs, other
    pools); what the environment has once (Front Door, registry) is left out. Models divide it by the list price of the
    nodes under their servers, so idle nodes are paid by those who use the others. Unpriced parts other than GPU nodes
    are left out, so each figure is a lower bound while there are any.

    Args:
        found: the outlook.
        estimate: the environment's cost.
    """
    fleet, rows = found.fleet, []
    for region in fleet.regions:
        mine = [one for one in fleet.servers if one.region == region]
        around = _around(fleet, region, estimate)
        by_state = {
            "floor": _costs(fleet, region, [_floor(one) for one in mine], around.floor, _idle(fleet, region)),
            "expected": _costs(fleet, region, list(_day(found, mine)), around.expected, _paid(found, region)),
            "peak": _costs(fleet, region, [_peak(one) for one in mine], around.ceiling, None),
        }
        for model in fleet.demand:
            figures = {state: costs.get(model) for state, costs in by_state.items()}
            rows.append(
                TokenCost(
                    region=region,
                    model=model,
                    floor=figures["floor"],
                    expected=figures["expected"],
                    peak=figures["peak"],
                    basis=_basis(found, region, model),
                )
            )
    return rows


def _floor(servers: Servers) -> _State:
    replicas = min(servers.floors)
    return _State(
        servers=servers,
        nodes=(servers.nodes(replicas), 0),
        tokens=replicas * servers.tokens_per_s * _SECONDS,
        hours=1,
    )


def _peak(servers: Servers) -> _State:
    return _State(
        servers=servers,
        nodes=(servers.nodes(servers.regular_replicas), servers.nodes(servers.spot_replicas)),
        tokens=(servers.regular_replicas + servers.spot_replicas) * servers.tokens_per_s * _SECONDS,
        hours=1,
    )


def _day(found: Outlook, mine: Iterable[Servers]) -> Iterator[_State]:
    for servers in mine:
        loads = [load for hour in found.day.hours for load in hour.loads if load.servers.key == servers.key]
        yield _State(
            servers=servers,
            nodes=(
                sum(servers.nodes(load.regular) for load in loads),
                sum(servers.nodes(load.spot) for load in loads),
            ),
            tokens=sum(load.served for load in loads) * _SECONDS,
            hours=len(ALL_HOURS),
        )


def _costs(
    fleet: Fleet, region: str, states: list[_State], around: Decimal, paid: Decimal | None
) -> dict[str, Decimal | None]:
    """USD for a million tokens by model.

    `around` is USD an hour of everything but GPU nodes, `paid` USD of all GPU nodes of the region; when None, that of
    the nodes under the servers.
    """
    prices = {(one.size, one.priority): one.usd for one in fleet.nodes if one.region == region}
    if any(isinstance(usd, NoRate) for usd in prices.values()):
        return {}
    share: dict[str, Decimal] = {}
    tokens: dict[str, Decimal] = {}
    for state in states:
        servers = state.servers
        usd = ZERO
        for count, priority in zip(state.nodes, (Priority.REGULAR, Priority.SPOT), strict=True):
            price = prices.get((servers.size, priority), ZERO)
            usd += ZERO if isinstance(price, NoRate) else price * count
        share[servers.model] = share.get(servers.model, ZERO) + usd
        tokens[servers.model] = tokens.get(servers.model, ZERO) + decimal(state.tokens)
    whole = sum(share.values(), ZERO)
    if not whole:
        return {}
    cost = (whole if paid is None else paid) + around * states[0].hours
    return {
        model: (cost * usd / whole / (tokens[model] / _TOKENS)).quantize(_DIGITS) if tokens[model] else None
        for model, usd in share.items()
    }


def _idle(fleet: Fleet, region: str) -> Decimal:
    """USD an hour of the region's GPU nodes at their least."""
    found = (one for one in fleet.nodes if one.region == region and not isinstance(one.usd, NoRate))
    return sum((one.usd * one.least for one in found if not isinstance(one.usd, NoRate)), ZERO)


def _paid(found: Outlook, region: str) -> Decimal:
    """USD of the region's GPU nodes over the day."""
    return sum((one.usd for hour in found.day.hours for one in hour.running if one.of.region == region), ZERO)


def _around(fleet: Fleet, region: str, estimate: Estimate) -> Bounds:
    """USD an hour of a region's parts but GPU nodes."""
    pools = next(one.pools for one in fleet.inference.regions if one.name == region)
    of_gpus = {pool.name for pool in pools if (size := sizes.find(pool.sku)) is not None and size.is_gpu}
    return total(
        line
        for line in estimate.lines
        if line.origin.component == f"inference {region}"
        and not (line.category is Category.COMPUTE and line.origin.pool in of_gpus)
    ).hourly


def _basis(found: Outlook, region: str, model: str) -> str:
    if all(one.model != model for one in found.fleet.servers):
        return "no servers of it can be planned"
    if gaps := [one for one in found.fleet.nodes if one.region == region and isinstance(one.usd, NoRate)]:
        return "; ".join(f"{one.size} {one.priority.value} has no price" for one in gaps)
    served = sum(
        load.served
        for hour in found.day.hours
        for load in hour.loads
        if (load.servers.region, load.servers.model) == (region, model)
    )
    if not served:
        return "nothing of it is asked for here"
    return f"{served * _SECONDS / 1e6:,.0f} million output tokens a day"
