"""GPU nodes of the inference regions divided among models and teams."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from gpufleet.cost import Estimate
from gpufleet.cost.allocated import Allocated
from gpufleet.cost.charge import Category
from gpufleet.cost.lines import Line
from gpufleet.cost.money import ZERO, cents, decimal
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.environment import Environment
from gpufleet.spec.inference import Inference
from gpufleet.spec.pool_tags import MODEL, TEAM, pool_models, pool_tags


def allocated(environment: Environment, estimate: Estimate) -> list[Allocated]:
    """Every model, then every team, in the order of the specification; nothing without models.

    The nodes of a pool that one model, or one team, has for itself are its own, to the cent. Those of a shared pool are
    divided by GPUs: that of a model's servers on the pool's size at their most, over that of all models on it. What
    surrounds nodes (network, control plane, Front Door) is nobody's.

    Raises:
        CatalogError: a table is damaged.
    """
    inference = environment.inference
    if inference is None or not inference.models:
        return []
    teams = {model.name: model.team for model in inference.models}
    names = [(MODEL, name) for name in teams]
    names += [(TEAM, team) for team in dict.fromkeys(teams.values()) if team is not None]
    own: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    shared: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    costs, gaps = _pool_costs(estimate)
    incomplete: set[tuple[str, str]] = set()
    weights = _gpus(inference)
    for region in inference.regions:
        for pool in region.pools:
            cost = costs.get((region.name, pool.name), ZERO)
            tags = pool_tags(inference, region, pool)
            models = [model.name for model in pool_models(inference, region, pool)]
            whole = sum(weights.get((region.name, pool.name, name), ZERO) for name in models)
            for name in models:
                team = teams[name]
                whose = [(MODEL, name), *([(TEAM, team)] if team else [])]
                incomplete |= set(whose) if (region.name, pool.name) in gaps else set()
                part = cost * weights.get((region.name, pool.name, name), ZERO) / whole if whole else ZERO
                for kind, value in whose:
                    if tags.get(kind) != value:
                        shared[kind, value] += part
            for tag in tags.items():
                own[tag] += cost
    budgets = {
        (TEAM if one.team else MODEL, one.team or one.model): decimal(one.monthly_usd)
        for one in environment.budget.allocations
    }
    return [
        Allocated(
            kind=kind,
            name=name,
            own=cents(own[kind, name]),
            shared=cents(shared[kind, name]),
            budget=budgets.get((kind, name)),
            gaps=(kind, name) in incomplete,
        )
        for kind, name in names
    ]


def _pool_costs(estimate: Estimate) -> tuple[dict[tuple[str, str], Decimal], set[tuple[str, str]]]:
    """USD a month of each inference pool's nodes by region and pool, and which have no price."""
    costs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    gaps = set()
    for part in estimate.parts:
        kind, _, region = part.origin.component.partition(" ")
        if kind != "inference" or not part.origin.pool or part.category is not Category.COMPUTE:
            continue
        if isinstance(part, Line):
            costs[region, part.origin.pool] += part.amount.monthly.expected
        else:
            gaps.add((region, part.origin.pool))
    return costs, gaps


def _gpus(inference: Inference) -> dict[tuple[str, str, str], Decimal]:
    """GPUs that a model's servers take at their most on the size of each pool, by region, pool and model."""
    found: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for plan in serving_plan(inference):
        for pool in plan.pools:
            found[plan.region, pool, plan.model.name] += _of(plan)
    return found


def _of(plan: ServerPlan) -> Decimal:
    return Decimal(plan.max_replicas * plan.serving.fit.tensor_parallel)
