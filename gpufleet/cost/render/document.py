"""An estimate as a JSON document (docs/schemas/cost.v1.json). Money is text: no reader turns cents into binary."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from gpufleet.cost.allocated import Allocated
from gpufleet.cost.allocated import as_dict as allocated_dict
from gpufleet.cost.difference import CostDifference
from gpufleet.cost.economics import UnitCost
from gpufleet.cost.estimate import Estimate
from gpufleet.cost.lines import Amount, Line, Origin, Overlap, Unpriced
from gpufleet.cost.money import HOURS_PER_PERIOD, Bounds
from gpufleet.cost.rates import NoRate, PriceKind
from gpufleet.cost.spot_savings import SpotSaving
from gpufleet.cost.token_cost import TokenCost, as_dict
from gpufleet.spec.base import Priority


def document(
    estimate: Estimate,
    *,
    units: Sequence[UnitCost] = (),
    tokens: Sequence[TokenCost] = (),
    allocations: Sequence[Allocated] = (),
    savings: Sequence[SpotSaving] = (),
    difference: CostDifference | None = None,
) -> dict[str, object]:
    """The body of the document `cost`, without version and kind."""
    return {
        "environment": estimate.environment,
        **summary(estimate),
        "byRegion": _sums("region", estimate.by(lambda origin: origin.region)),
        "byPool": _pools(estimate),
        "lines": [_line(line) for line in estimate.lines],
        "overlaps": [_overlap(one) for one in estimate.overlaps],
        "unbilled": [{**_origin(one.origin), "reason": one.reason, "source": one.source} for one in estimate.unbilled],
        "unusedPlanningPrices": [str(price) for price in estimate.unused],
        "unitCosts": [_unit(unit) for unit in units],
        "tokenCosts": [as_dict(one) for one in tokens],
        "allocations": [allocated_dict(one) for one in allocations],
        "spotSavings": [_saving(one) for one in savings],
        "difference": None if difference is None else difference_document(difference),
    }


def summary(estimate: Estimate) -> dict[str, object]:
    """What a report about more than cost shows of it: the gate, bounds, components, and what has no price."""
    oldest, newest = estimate.dates()
    return {
        "verdict": estimate.verdict.value,
        "budget": {
            "monthlyUsd": _usd(estimate.budget),
            "gate": estimate.gate.value,
            "heldUsd": _usd(estimate.held),
            "periodHours": int(HOURS_PER_PERIOD),
        },
        "currency": "USD",
        "priceDate": {"oldest": oldest, "newest": newest, "undated": list(estimate.undated())},
        **_bounds(estimate.total),
        "allSpotAtRegularPrice": _bounds(estimate.worst),
        "byPriceKind": {kind.value: _bounds(estimate.of_kind(kind)) for kind in PriceKind},
        "byPriority": {
            "regular": _optional(estimate.of_priority(Priority.REGULAR)),
            "spot": _optional(estimate.of_priority(Priority.SPOT)),
            "none": _optional(estimate.of_priority(None)),
        },
        "byComponent": _sums("component", estimate.by(lambda origin: origin.component)),
        "unpriced": [_unpriced(part) for part in estimate.unpriced],
    }


def _bounds(amount: Amount) -> dict[str, object]:
    return {name: _clocks(amount, name) for name in ("floor", "expected", "ceiling")}


def _clocks(amount: Amount, bound: str) -> dict[str, str]:
    return {clock: _usd(getattr(getattr(amount, clock), bound)) for clock in ("hourly", "monthly", "period")}


def _sums(key: str, amounts: dict[str, Amount]) -> list[dict[str, object]]:
    return [{key: name, **_bounds(amount)} for name, amount in amounts.items()]


def _pools(estimate: Estimate) -> list[dict[str, object]]:
    pairs = sorted({(line.origin.component, line.origin.pool) for line in estimate.lines if line.origin.pool})
    amounts = estimate.by(lambda origin: f"{origin.component}\n{origin.pool}")
    return [
        {"component": component, "pool": pool, **_bounds(amounts[f"{component}\n{pool}"])} for component, pool in pairs
    ]


def _origin(origin: Origin) -> dict[str, object]:
    return {
        "urn": origin.urn,
        "type": origin.type,
        "component": origin.component,
        "region": origin.region,
        "pool": origin.pool or None,
    }


def _line(line: Line) -> dict[str, object]:
    rate = line.rate
    return {
        **_origin(line.origin),
        "category": line.category.value,
        "meter": line.meter,
        "priority": line.priority.value if line.priority else None,
        "unit": rate.unit,
        "quantity": _quantity(line.quantity),
        "price": {
            "usd": _usd(rate.usd),
            "kind": rate.kind.value,
            "listUsd": None if rate.list_usd is None else _usd(rate.list_usd),
            "asOf": rate.as_of or None,
            "source": rate.price.source,
            "note": rate.note,
        },
        **_bounds(line.amount),
        "note": line.note,
        "allSpotAtRegularPrice": _optional(line.fallback),
    }


def _unpriced(part: Unpriced) -> dict[str, object]:
    return {
        **_origin(part.origin),
        "category": part.category.value if part.category else None,
        "meter": part.meter,
        "priority": part.priority.value if part.priority else None,
        "quantity": None if part.quantity is None else _quantity(part.quantity),
        "reason": part.reason,
        "fix": part.fix,
        "allSpotAtRegularPrice": _optional(part.fallback),
    }


def _overlap(one: Overlap) -> dict[str, object]:
    known = isinstance(one.hourly, Decimal)
    return {
        **_origin(one.origin),
        "kind": one.kind,
        "nodes": one.nodes,
        "hourlyUsd": _usd(one.hourly) if isinstance(one.hourly, Decimal) else None,
        "reason": "" if known or not isinstance(one.hourly, NoRate) else one.hourly.reason,
    }


def _unit(unit: UnitCost) -> dict[str, object]:
    return {
        "component": unit.component,
        "unit": unit.unit,
        "usd": None if unit.usd is None else _usd(unit.usd),
        "basis": unit.basis,
    }


def _saving(one: SpotSaving) -> dict[str, object]:
    amounts = {
        "regularUsd": one.regular,
        "spotUsd": one.spot,
        "grossUsd": one.gross,
        "lostUsd": one.lost,
        "netUsd": one.net,
    }
    return {
        "component": one.component,
        "pool": one.pool,
        **{key: None if amount is None else _usd(amount) for key, amount in amounts.items()},
        "assumed": one.assumed,
        "basis": one.basis,
    }


def difference_document(difference: CostDifference) -> dict[str, object]:
    """Both versions and, as floor, expected and ceiling, the later less the earlier."""
    return {
        "base": difference.base,
        "before": _bounds(difference.before.total),
        "after": _bounds(difference.after.total),
        **_bounds(difference.delta),
        "changes": [
            {
                "component": change.component,
                "reasons": list(change.reasons),
                "before": _bounds(change.before),
                "after": _bounds(change.after),
                "delta": _bounds(change.delta),
            }
            for change in difference.changes
        ],
        "rotations": [
            {
                "component": rotation.component,
                "pool": rotation.pool,
                "gone": list(rotation.gone),
                "new": list(rotation.new),
                "hourlyUsd": _usd(rotation.hourly) if isinstance(rotation.hourly, Decimal) else None,
            }
            for rotation in difference.rotations
        ],
        "newlyUnpriced": [_unpriced(part) for part in difference.newly_unpriced],
        "newlyPriced": [_unpriced(part) for part in difference.newly_priced],
    }


def _optional(amount: Amount | NoRate | None) -> dict[str, object] | None:
    return _bounds(amount) if isinstance(amount, Amount) else None


def _quantity(bounds: Bounds) -> dict[str, str]:
    return {name: f"{getattr(bounds, name).normalize():f}" for name in ("floor", "expected", "ceiling")}


def _usd(amount: Decimal) -> str:
    return f"{amount:f}"
