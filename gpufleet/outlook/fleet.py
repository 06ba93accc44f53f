"""The inference platform as the outlook needs it: servers with their bounds, and the nodes under them with prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.catalog import sizes
from gpufleet.cost.charge import VmMeter
from gpufleet.cost.money import ZERO, decimal
from gpufleet.cost.price_book import PriceBook
from gpufleet.cost.rates import NoRate
from gpufleet.sizing.hourly_floors import HOURS, hourly_floors
from gpufleet.sizing.serving import memory_needs
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.base import Priority
from gpufleet.spec.environment import Environment
from gpufleet.spec.inference import Inference
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers of one form of a model on one size in one region.

    Attributes:
        tokens_per_s: output of one replica.
        weights_gb: what a replica loads before it serves, in GB.
        per_unit: replicas on the smallest unit of nodes that can be added.
        unit_nodes: nodes of this unit.
        regular_replicas: the most on regular nodes.
        spot_replicas: the most on the spot nodes that Azure is declared to have (`usage.spotAvailabilityPercent`).
        floors: replicas on regular nodes that are up whatever the load, by hour of the day in UTC.
    """

    region: str
    model: str
    form: str
    name: str
    size: str
    tokens_per_s: float
    weights_gb: float
    per_unit: int
    unit_nodes: int
    regular_replicas: int
    spot_replicas: int
    floors: tuple[int, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Region and name, which no other servers have."""
        return self.region, self.name

    def nodes(self, replicas: int) -> int:
        """Nodes under so many replicas."""
        return -(-replicas // self.per_unit) * self.unit_nodes


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The nodes of one GPU size at one priority in a region, all pools together.

    Attributes:
        gpus: of one; a fraction where nodes share a GPU.
        usd: USD an hour of one; the reason where it has no price.
    """

    region: str
    size: str
    priority: Priority
    least: int
    most: int
    gpus: Decimal
    usd: Decimal | NoRate


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The platform.

    Attributes:
        demand: tokens a second at the peak, by model.
        forms: the part of a model's demand that each form takes, by model and form.
        unplanned: models and forms that no servers can be planned of, for nothing holds them or nobody measured them.
    """

    inference: Inference
    demand: Mapping[str, float]
    forms: Mapping[tuple[str, str], float]
    servers: tuple[Servers, ...]
    nodes: tuple[Nodes, ...]
    unplanned: tuple[tuple[str, str], ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """Its regions, in the order of the specification."""
        return tuple(region.name for region in self.inference.regions)


def fleet(environment: Environment, inference: Inference) -> Fleet:
    """The inference platform of an environment.

    Raises:
        CatalogError: a table is damaged.
        SizingError: a number out of range.
    """
    availability = dict(_availability(inference))
    floors = hourly_floors(inference)
    found = tuple(
        _servers(plan, availability.get((plan.region, plan.serving.size.name), 1.0), floors[plan.region, plan.name])
        for plan in serving_plan(inference)
        if plan.serving.tokens_per_s_per_replica > 0
    )
    served = {(one.model, one.form) for one in found if one.regular_replicas + one.spot_replicas}
    forms = {(model.name, form.label): form.share for model in inference.models for form in model.forms}
    return Fleet(
        inference=inference,
        demand={model.name: model.demand_tokens_per_second for model in inference.models},
        forms=forms,
        servers=found,
        nodes=tuple(_nodes(environment, inference)),
        unplanned=tuple(form for form, share in forms.items() if share and form not in served),
    )


def bounds(pool: Pool) -> tuple[int, int]:
    """The fewest and the most nodes of a pool."""
    plans = agent_pools(pool)
    return sum(plan.min_nodes for plan in plans), sum(plan.max_nodes for plan in plans)


def _servers(plan: ServerPlan, available: float, floors: tuple[int, ...]) -> Servers:
    serving = plan.serving
    regular = plan.max_replicas - plan.spot_replicas
    return Servers(
        region=plan.region,
        model=plan.model.name,
        form=plan.form.label,
        name=plan.name,
        size=serving.size.name,
        tokens_per_s=serving.tokens_per_s_per_replica,
        weights_gb=memory_needs(plan.form.model)[0] / 1e9,
        per_unit=serving.fit.replicas_per_node,
        unit_nodes=serving.unit_nodes,
        regular_replicas=regular,
        spot_replicas=int(plan.spot_replicas * available + 1e-9),
        floors=tuple(min(one, regular) for one in floors),
    )


def _availability(inference: Inference) -> Iterator[tuple[tuple[str, str], float]]:
    """The part of a size's spot nodes in a region that Azure has, from 0 to 1; all of them unless declared."""
    for region in inference.regions:
        pools: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for pool in region.pools:
            if pool.priority is Priority.SPOT:
                percent = pool.usage.spot_availability_percent if pool.usage else None
                pools[pool.sku].append((bounds(pool)[1], 100.0 if percent is None else percent))
        for size, found in pools.items():
            nodes = sum(most for most, _ in found)
            yield (region.name, size), sum(most * percent for most, percent in found) / nodes / 100 if nodes else 0.0


def _nodes(environment: Environment, inference: Inference) -> Iterator[Nodes]:
    book = PriceBook(assumed=environment.prices.assumed)
    for region in inference.regions:
        groups: dict[tuple[str, Priority], list[Pool]] = defaultdict(list)
        for pool in region.pools:
            size = sizes.find(pool.sku)
            if size is not None and size.is_gpu:
                groups[pool.sku, pool.priority].append(pool)
        for (name, priority), pools in groups.items():
            most = sum(bounds(pool)[1] for pool in pools)
            rate = book.rate(VmMeter(name, priority), region.name, decimal(most))
            yield Nodes(
                region=region.name,
                size=name,
                priority=priority,
                least=sum(bounds(pool)[0] for pool in pools),
                most=most,
                gpus=_gpus(sizes.get(name)),
                usd=rate if isinstance(rate, NoRate) else rate.usd,
            )


def _gpus(size: sizes.Size) -> Decimal:
    share = size.gpu_share
    return Decimal(share.numerator) / Decimal(share.denominator) if share else ZERO


ALL_HOURS = range(HOURS)
"""Hours of the day in UTC."""
