"""What a unit of work costs: a GPU-hour that is used, a million tokens, a training run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.catalog import sizes
from gpufleet.cost.estimate import Estimate, total
from gpufleet.cost.load import bounds_of
from gpufleet.cost.money import HOURS_PER_MONTH, ZERO, cents, decimal
from gpufleet.sizing.fabric import job
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.training_figures import LEAST_USEFUL, useful_share
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.environment import Environment
from gpufleet.spec.training import TrainingFabric

_HOURS_PER_DAY = 24
_TOKENS = Decimal(1_000_000)
_SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600


@dataclass(frozen=True, kw_only=True)
class UnitCost:
    """One figure.

    Attributes:
        component: whose, `training lab`, `inference` for all regions together, or `` for the environment.
        unit: what it is the cost of one of.
        usd: at the expected cost, of a training run at the ceiling; None when it can't be told.
        basis: what it rests on, or why there is none.
    """

    component: str
    unit: str
    usd: Decimal | None
    basis: str


def unit_costs(environment: Environment, estimate: Estimate) -> list[UnitCost]:
    """All unit costs that the specification allows.

    Everything that belongs to a fabric or to the regions counts (storage, network, logs, idle nodes), not nodes alone:
    a used GPU-hour carries what surrounds it. What there is one of (registry, budget) is left out, Front Door is part
    of inference. Unpriced parts are left out, so each figure is a lower bound while there are any.

    Args:
        environment: the specification.
        estimate: its cost.
    """
    found: list[UnitCost] = []
    for scope in scopes(environment):
        if scope.path[0] == "training":
            component = f"training {scope.name}"
            monthly = _expected(estimate, {component})
            found.append(_gpu_hour(component, monthly, [scope], estimate))
            found.extend(_run(component, scope.name, environment, estimate))
    regions = [scope for scope in scopes(environment) if scope.path[0] == "inference"]
    if regions:
        components = {f"inference {scope.name}" for scope in regions} | {"global front door"}
        monthly = _expected(estimate, components)
        found.append(_gpu_hour("inference", monthly, regions, estimate))
        found.append(_tokens(monthly, regions, environment, estimate))
    return found


def _expected(estimate: Estimate, components: set[str]) -> Decimal:
    return total(line for line in estimate.lines if line.origin.component in components).monthly.expected


def _gpu_hour(component: str, monthly: Decimal, places: Iterable[Scope], estimate: Estimate) -> UnitCost:
    used, _, declared = _gpus(places, estimate)
    hours = used * HOURS_PER_MONTH
    basis = f"{hours.quantize(Decimal(1)):,} GPU-hours used a month"
    if not declared:
        basis += ", every pool at its maximum and busy where no usage is declared"
    return UnitCost(
        component=component,
        unit="GPU-hour used",
        usd=_four(monthly / hours) if hours else None,
        basis=basis if hours else "no GPU is used",
    )


def _tokens(monthly: Decimal, regions: list[Scope], environment: Environment, estimate: Estimate) -> UnitCost:
    models = environment.inference.models if environment.inference else []
    peak = sum((decimal(model.demand_tokens_per_second) for model in models), ZERO)
    used, most, _ = _gpus(regions, estimate)
    # Demand is declared at its peak, which is what the pools' maximum is for: on average the share of GPUs in use.
    served = peak * (used / most if most else ZERO) * _SECONDS_PER_MONTH
    unit = "million tokens served"
    if not served:
        why = "no model has a demand" if not peak else "no GPU is used"
        return UnitCost(component="inference", unit=unit, usd=None, basis=why)
    millions = served / _TOKENS
    basis = f"{millions.quantize(Decimal(1)):,} million output tokens a month: {peak.normalize():,f} a second at peak"
    share = (used / most * 100).quantize(Decimal("0.1"))
    return UnitCost(
        component="inference",
        unit=unit,
        usd=_four(monthly / millions),
        basis=f"{basis}, {share} % of the GPUs in use on average",
    )


def _run(component: str, name: str, environment: Environment, estimate: Estimate) -> Iterable[UnitCost]:
    fabric = next(fabric for fabric in environment.training if fabric.name == name)
    if fabric.workload is None:
        return
    workload = fabric.workload
    unit = f"training run of {workload.parameters_b:g}B parameters on {workload.tokens_b:g}B tokens"
    took = _days(fabric)
    if isinstance(took, str):
        yield UnitCost(component=component, unit=unit, usd=None, basis=took)
        return
    # The run is sized for every node of the fabric, so it is those that it pays for.
    hourly = total(line for line in estimate.lines if line.origin.component == component).hourly.ceiling
    yield UnitCost(
        component=component,
        unit=unit,
        usd=cents(hourly * took * _HOURS_PER_DAY),
        basis=f"{took.quantize(Decimal('0.1'))} days of the whole fabric at its ceiling (gpufleet explain sizing)",
    )


def _days(fabric: TrainingFabric) -> Decimal | str:
    """Days of wall time that sizing gives the fabric's workload, failures and checkpoints in them; or why none."""
    try:
        found = job(fabric)
        days = found.compute_days() if found else None
        useful = useful_share(fabric, found) if found else 0.0
    except SizingError as error:
        return error.message
    if found is None:
        return "the fabric has no regular GPU nodes"
    if days is None:
        return f"no training rate of {found.size.gpu_model} is known; workload.tflopsPerGpu states one"
    if useful <= LEAST_USEFUL:
        return "failures and checkpoints leave no time to compute"
    return decimal(days / useful)


def _gpus(places: Iterable[Scope], estimate: Estimate) -> tuple[Decimal, Decimal, bool]:
    """GPUs used on average, GPUs at the maximum, and whether every GPU pool declares its use."""
    used, most, declared = ZERO, ZERO, True
    for scope in places:
        for pool in scope.pools:
            size = sizes.find(pool.sku)
            if size is None or not size.gpu_share:
                continue
            gpus = Decimal(size.gpu_share.numerator) / Decimal(size.gpu_share.denominator)
            load = estimate.loads[scope.name, pool.name]
            used += load.used * gpus
            most += bounds_of(pool)[1] * gpus
            declared = declared and load.declared
    return used, most, declared


def _four(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.0001"))
