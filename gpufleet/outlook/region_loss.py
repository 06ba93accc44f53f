"""What is left when a region is lost, or when Azure takes all spot nodes back at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.catalog import latency
from gpufleet.cost.money import HOURS_PER_MONTH, cents
from gpufleet.outlook.absorb import Minutes, minutes_to_serve
from gpufleet.outlook.day import Day, Hour, Load, day, most_replicas
from gpufleet.outlook.fleet import ALL_HOURS, Fleet
from gpufleet.outlook.quota import Need, needs
from gpufleet.sizing.hourly_floors import regional_shares
from gpufleet.spec.environment import Environment
from gpufleet.spec.inference import Inference, Origin


@dataclass(frozen=True, kw_only=True)
class ModelLeft:
    """One model in that state, in tokens a second.

    Attributes:
        demand: in the hour with the most of it.
        regular: what the regular nodes that are left give at their most.
        all_nodes: the same with the spot nodes that are left.
        unmet_regular: without spot nodes, what the worst hour misses as Front Door routes.
        unmet: with them.
        worst_hour: hour of `unmet_regular` in UTC; None when no hour misses anything.
        short_in: regions that are asked for more than they have then, with regular nodes alone.
    """

    model: str
    demand: float
    regular: float
    all_nodes: float
    unmet_regular: float
    unmet: float
    worst_hour: int | None
    short_in: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The users of one place.

    Attributes:
        before, after: regions that answer them, the nearest first.
        rtt_before, rtt_after: round trip to the farthest of these in ms; None when the latency table doesn't know one.
        ceiling: `maxRttMs`; None for none.
    """

    origin: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    rtt_before: float | None
    rtt_after: float | None
    ceiling: float | None

    @property
    def broken(self) -> bool | None:
        """Whether the ceiling is broken afterwards; None when nobody can tell, False without a ceiling."""
        if self.ceiling is None:
            return False
        return None if self.rtt_after is None else self.rtt_after > self.ceiling


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One state.

    Attributes:
        region: that is lost; "" when all spot nodes are.
        at_once: share of the demand, from 0 to 1, that servers answer which run already, in the worst hour.
        minutes: until the servers that are missing serve; None when none are, or when none may be added.
        usd_per_hour: what the nodes of the regions that are left cost more, averaged over the day; those of a lost
            region are in neither sum. None when a node without a price takes part.
        unmet_by_hour: tokens a second of all models, with spot nodes (without, when those are lost).
        moved: places that users are in; () where the demand doesn't say.
        quota: vCPUs that the state takes.
    """

    region: str
    models: tuple[ModelLeft, ...]
    at_once: float
    minutes: Minutes | None
    usd_per_hour: Decimal | None
    unmet_by_hour: tuple[float, ...]
    moved: tuple[Moved, ...]
    quota: tuple[Need, ...]

    @property
    def usd_per_month(self) -> Decimal | None:
        """The same in a month of 730 hours."""
        return None if self.usd_per_hour is None else cents(self.usd_per_hour * HOURS_PER_MONTH)

    @property
    def enough_regular(self) -> bool:
        """Whether regular nodes alone meet the demand in every hour."""
        return not any(model.unmet_regular for model in self.models)

    @property
    def enough(self) -> bool:
        """Whether all nodes do."""
        return not any(model.unmet for model in self.models)

    @property
    def quota_enough(self) -> bool | None:
        """Whether every quota that is known suffices; None when none is short and not all are known."""
        found = {need.enough for need in self.quota}
        return False if False in found else None if None in found else True


def losses(
    environment: Environment, fleet: Fleet, usual: Day, quotas: Mapping[tuple[str, str], float] | None = None
) -> tuple[Loss, ...]:
    """Every region lost in turn, where there are two at least; then, where there is spot, all of its nodes at once.

    Args:
        environment: the specification.
        fleet: its platform.
        usual: the day with everything up.
        quotas: vCPUs as in `gpufleet.sizing.demand.Problem.quotas`; one that is missing is not known.
    """
    lost = fleet.regions if len(fleet.regions) > 1 else ()
    any_spot = any(one.spot_replicas for one in fleet.servers)
    states = [*lost, *([""] if any_spot else [])]
    return tuple(_loss(environment, fleet, usual, region, quotas or {}) for region in states)


def _loss(
    environment: Environment, fleet: Fleet, usual: Day, lost: str, quotas: Mapping[tuple[str, str], float]
) -> Loss:
    regular = day(fleet, lost=lost, spot=False)
    then = day(fleet, lost=lost) if lost else regular
    at_once, missing = _absorbed(usual, then, spot_stays=bool(lost))
    return Loss(
        region=lost,
        models=tuple(_model(fleet, model, lost, regular, then) for model in fleet.demand),
        at_once=at_once,
        minutes=minutes_to_serve(load.servers for load in missing),
        usd_per_hour=_more(usual, then, lost),
        unmet_by_hour=tuple(sum(hour.unmet.values()) for hour in then.hours),
        moved=tuple(_moved(fleet.inference, lost)),
        quota=tuple(needs(environment, then, lost, quotas)),
    )


def _model(fleet: Fleet, model: str, lost: str, regular: Day, then: Day) -> ModelLeft:
    def capacity(*, spot: bool) -> float:
        return sum(
            most_replicas(one, spot=spot) * one.tokens_per_s
            for one in fleet.servers
            if one.model == model and one.region != lost
        )

    def unmet(hour: Hour) -> float:
        return sum(amount for (_, name), amount in hour.unmet.items() if name == model)

    worst = max(regular.hours, key=lambda hour: (unmet(hour), -hour.hour))
    missing = unmet(worst)
    return ModelLeft(
        model=model,
        demand=max(sum(one for (_, name), one in hour.demand.items() if name == model) for hour in then.hours),
        regular=capacity(spot=False),
        all_nodes=capacity(spot=bool(lost)),
        unmet_regular=missing,
        unmet=max(unmet(hour) for hour in then.hours),
        worst_hour=worst.hour if missing else None,
        short_in=tuple(region for (region, name), amount in worst.unmet.items() if name == model and amount),
    )


def _absorbed(usual: Day, then: Day, *, spot_stays: bool) -> tuple[float, list[Load]]:
    """The share of the demand that running servers answer in the worst hour, and where replicas are missing."""
    least, missing = 1.0, list[Load]()
    for before, after in zip(usual.hours, then.hours, strict=True):
        running = {load.servers.key: load.regular + (load.spot if spot_stays else 0) for load in before.loads}
        asked = sum(after.demand.values())
        answered = 0.0
        for load in after.loads:
            up = running.get(load.servers.key, 0)
            answered += min(load.demand, up * load.servers.tokens_per_s)
            if load.regular + load.spot > up:
                missing.append(load)
        if asked:
            least = min(least, answered / asked)
    return least, missing


def _more(usual: Day, then: Day, lost: str) -> Decimal | None:
    """USD an hour that the regions that are left cost more."""
    if usual.unpriced or then.unpriced:
        return None
    before = sum((one.usd for hour in usual.hours for one in hour.running if one.of.region != lost), Decimal(0))
    return cents((then.usd - before) / len(ALL_HOURS))


def _moved(inference: Inference, lost: str) -> Iterator[Moved]:
    left = [region for region in inference.regions if region.name != lost]
    for one in inference.demand:
        before, after = _serving(inference, one), _serving(inference.model_copy(update={"regions": left}), one)
        yield Moved(
            origin=one.region,
            before=before,
            after=after,
            rtt_before=_farthest(one.region, before),
            rtt_after=_farthest(one.region, after),
            ceiling=one.max_rtt_ms,
        )


def _serving(inference: Inference, origin: Origin) -> tuple[str, ...]:
    alone = origin.model_copy(update={"hourly_percent": None})
    shares = regional_shares(inference.model_copy(update={"demand": [alone]}))
    found = (name for name, hours in shares.items() if hours[0])
    return tuple(sorted(found, key=lambda name: (_rtt(origin.region, name) or float("inf"), name)))


def _farthest(origin: str, regions: Iterable[str]) -> float | None:
    found = [_rtt(origin, region) for region in regions]
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None


def _rtt(origin: str, region: str) -> float | None:
    found = latency.between(origin, region)
    return None if found is None else found.rtt_ms
