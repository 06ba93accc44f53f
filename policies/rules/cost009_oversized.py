"""COST009: sizes that do more than the job asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from gpufleet.catalog import sizes
from gpufleet.catalog.sizes import Size
from gpufleet.spec.model import Model
from policies.pool_prices import PoolGroup, grouped, node_hour
from policies.reading import UndecidedError, may
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import View
from policies.words import usd

_MILLION = Decimal(1_000_000)
_HOUR_S = Decimal(3600)


class OversizedSettings(Settings):
    """What COST009 allows."""

    min_saving_percent: float = 5
    """Of the cost of a token, below which a size without InfiniBand isn't worth changing to."""


class Oversized(Rule[PoolGroup, OversizedSettings]):
    """No pool has a GPU for Kubernetes' own pods, or InfiniBand for models that need none.

    InfiniBand carries gradients between nodes, and inference of a model that is spread over nodes. Where every model
    fits one node it is paid for and idle: 8 H100s with it have a list price of 98.32 USD an hour in eastus, 88.49
    without, and two on a smaller node 13.96. System pods run on CPUs.
    """

    id = "COST009"
    pack = Pack.COST
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    fix = "Take the smaller size for a new pool, move the pods, and take this one away"
    source = "Azure retail prices; published inference rates of the catalogue"
    settings = OversizedSettings

    def subjects(self, view: View) -> Iterable[PoolGroup]:
        """GPU pools, and those whose size can't be read."""
        return may(grouped(view.pools), lambda pool: pool.size.is_gpu)

    def judge(self, subject: PoolGroup, view: View, settings: OversizedSettings) -> Iterator[Objection]:
        """Whether a cheaper size does its job."""
        size, first = subject.size, subject.pools[0]
        if not size.is_gpu:
            return
        if first.system:
            message = f"{subject.name} runs Kubernetes' own pods on {size.name}, which has {size.gpus} GPUs"
            yield Objection(message=message, fix="Give the system pool a CPU size", setting=("sku",))
        inference = view.declared.environment.inference if view.declared else None
        if first.place is None or first.place.kind != "inference" or inference is None or not inference.models:
            return
        if size.rdma and (found := _cheaper(view, subject, inference.models)) is not None:
            saving, best, here, there = found
            if saving * 100 >= Decimal(str(settings.min_saving_percent)):
                yield Objection(
                    message=f"every model fits one node of {size.name}, so its InfiniBand is idle: a million tokens "
                    f"cost {usd(here)}, and {usd(there)} on {best.name}",
                    setting=("sku",),
                )


def _cheaper(view: View, pool: PoolGroup, models: Iterable[Model]) -> tuple[Decimal, Size, Decimal, Decimal] | None:
    """Saving as a share, size and costs of the best one without InfiniBand; None where a model needs it or none is."""
    models = list(models)
    here = _usd_per_million(view, pool.size, pool.region, models)
    if here is None:
        return None
    others = [sizes.get(name) for name in sizes.names()]
    costs = [
        (cost, size)
        for size in others
        if size.is_gpu and not size.rdma and (cost := _usd_per_million(view, size, pool.region, models)) is not None
    ]
    if not costs:
        return None
    there, best = min(costs, key=lambda found: (found[0], found[1].name))
    return 1 - there / here, best, here, there


def _usd_per_million(view: View, size: Size, region: str, models: Iterable[Model]) -> Decimal | None:
    """USD for a million output tokens of all models at their demands; None where one needs several nodes or more."""
    from gpufleet.sizing.serving import Serving, serve  # noqa: PLC0415 a pack's start need not wait for it

    try:
        price = node_hour(view, size.name, region)
    except UndecidedError:
        return None
    nodes = demand = Decimal(0)
    for model in models:
        served = serve(model, size)
        if not isinstance(served, Serving) or served.fit.nodes > 1:
            return None
        wanted = Decimal(str(model.demand_tokens_per_second))
        demand += wanted
        nodes += wanted / Decimal(str(served.tokens_per_s_per_unit))
    return price * nodes / (demand * _HOUR_S) * _MILLION
