"""The budget's gate, and what has no price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gpufleet.check.finding import Finding, Level, Verdict
from gpufleet.check.subject import Subject
from gpufleet.cost import Estimate
from gpufleet.cost import Verdict as Gate
from gpufleet.cost.lines import Origin
from gpufleet.cost.money import HOURS_PER_PERIOD
from gpufleet.cost.render.words import usd
from gpufleet.spec.addresses import scopes
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import key_text

GATE: Final = "cost.gate"
UNPRICED: Final = "cost.unpriced"
UNUSED: Final = "cost.unused-planning-price"

_BUDGET: Final = ("budget", "monthlyUsd")
_PRICES: Final = ("prices", "assumed")


def rules(subject: Subject) -> Iterable[str]:
    """All of them, once there is an estimate."""
    return () if subject.estimate is None else (GATE, UNPRICED, UNUSED)


def find(subject: Subject) -> Iterator[Finding]:
    """What of the cost is above the budget or not known. Nothing without an estimate."""
    estimate = subject.estimate
    if estimate is None:
        return
    if estimate.verdict is Gate.OVER:
        yield Finding(
            rule=GATE,
            level=Level.ERROR,
            verdict=Verdict.FAIL,
            key=key_text(_BUDGET),
            message=_over(estimate),
            fix="Lower a pool's maximum, raise budget.monthlyUsd, or hold another bound with budget.gate",
            place=subject.place(_BUDGET),
        )
    for part in estimate.unpriced:
        path = _path(subject.environment, part.origin)
        yield Finding(
            rule=UNPRICED,
            level=Level.ERROR if subject.strict else Level.WARNING,
            verdict=Verdict.UNDECIDED,
            resource=part.origin.urn,
            key=key_text(path),
            message=f"{part.origin.component}: {part.meter} in {part.origin.region} is in no sum: {part.reason}",
            fix=part.fix,
            place=subject.place(path),
        )
    for text in map(str, estimate.unused):
        key, _, why = text.partition(" ")
        yield Finding(
            rule=UNUSED,
            level=Level.NOTE,
            verdict=Verdict.FAIL,
            key=key,
            message=f"is not used {why}",
            fix="Take it out, or correct what it names",
            place=subject.place(_PRICES),
        )


def _over(estimate: Estimate) -> str:
    gate = estimate.gate
    text = (
        f"the {gate.value} costs {usd(estimate.held)} in the longest month ({HOURS_PER_PERIOD:f} h), "
        f"{usd(estimate.held - estimate.budget)} more than the budget of {usd(estimate.budget)}"
    )
    parts = estimate.by(lambda origin: f"pool {origin.pool} of {origin.component}" if origin.pool else origin.component)
    if not parts:
        return text
    name, amount = max(parts.items(), key=lambda part: part[1].period.at(gate))
    return f"{text}; the largest part is {usd(amount.period.at(gate))} for {name}"


def _path(environment: Environment, origin: Origin) -> Path:
    """What in the stack file makes a resource: its pool, its fabric or region, else the environment."""
    for scope in scopes(environment):
        if origin.component == f"{'training' if scope.path[0] == 'training' else 'inference'} {scope.name}":
            pools = [index for index, pool in enumerate(scope.pools) if pool.name == origin.pool]
            return (*scope.path, "pools", pools[0]) if pools else (*scope.path, *_block(origin))
    return ()


def _block(origin: Origin) -> Path:
    return ("storage", "lustre") if origin.type == "azure-native:storagecache:AmlFilesystem" else ()
