"""What a change of the stack file costs: two estimates beside each other, by component, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gpufleet.cost.estimate import NO_COST, Estimate
from gpufleet.cost.lines import Amount, Unpriced
from gpufleet.cost.rates import NoRate
from gpufleet.cost.reasons import EVERYWHERE, Difference, differences
from gpufleet.spec.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Change:
    """One component before and after.

    Attributes:
        reasons: what changed in the stack file, `pool h100: max 4 → 8`. Differences that touch any part of the bill are
            those of every component that has none of its own.
    """

    component: str
    before: Amount
    after: Amount
    reasons: tuple[str, ...]

    @property
    def delta(self) -> Amount:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """A pool whose change AKS can't make in place: the old agent pools run beside the new ones until drained.

    Attributes:
        hourly: USD an hour that the old ones cost meanwhile, at their maximum; a reason when they have no price.
    """

    component: str
    pool: str
    gone: tuple[str, ...]
    new: tuple[str, ...]
    hourly: Decimal | NoRate


@dataclass(frozen=True, kw_only=True)
class CostDifference:
    """All of it. Components whose cost and stack file are the same are left out.

    Attributes:
        base: what is compared against, in words: a git reference or a file.
        newly_unpriced: what had a price, or was not there.
        newly_priced: what has a price now, or is gone.
    """

    base: str
    before: Estimate
    after: Estimate
    changes: tuple[Change, ...]
    rotations: tuple[Rotation, ...]
    newly_unpriced: tuple[Unpriced, ...]
    newly_priced: tuple[Unpriced, ...]

    @property
    def delta(self) -> Amount:
        """The whole environment, after less before."""
        return self.after.total - self.before.total


def compare(before: tuple[Environment, Estimate], after: tuple[Environment, Estimate], *, base: str) -> CostDifference:
    """Compare two versions of an environment.

    Args:
        before: specification and estimate of the version that `base` names.
        after: of the version at hand.
        base: in words.
    """
    old, new = before[1], after[1]
    said = differences(before[0], after[0])
    amounts_before, amounts_after = old.by(lambda origin: origin.component), new.by(lambda origin: origin.component)
    components = sorted({*amounts_before, *amounts_after, *(one.component for one in said if one.component)})
    changes = [
        Change(
            component=component,
            before=amounts_before.get(component, NO_COST),
            after=amounts_after.get(component, NO_COST),
            reasons=_reasons(component, said),
        )
        for component in components
    ]
    return CostDifference(
        base=base,
        before=old,
        after=new,
        changes=tuple(
            change for change in changes if change.before != change.after or _has_own(change.component, said)
        ),
        rotations=tuple(_rotations(old, new)),
        newly_unpriced=_only_in(new.unpriced, old.unpriced),
        newly_priced=_only_in(old.unpriced, new.unpriced),
    )


def _reasons(component: str, said: Iterable[Difference]) -> tuple[str, ...]:
    own = tuple(one.text for one in said if one.component == component)
    # A region that came or went changes what there is one of, too: replicas, origins.
    shared = tuple(one.text for one in said if one.component == EVERYWHERE or one.text.endswith((" added", " removed")))
    return own or shared


def _has_own(component: str, said: Iterable[Difference]) -> bool:
    return any(one.component == component for one in said)


def _rotations(old: Estimate, new: Estimate) -> Iterable[Rotation]:
    before, after = _agent_pools(old), _agent_pools(new)
    for key in sorted(before.keys() & after.keys()):
        gone, added = sorted(before[key] - after[key]), sorted(after[key] - before[key])
        if gone and added:
            yield Rotation(
                component=key[0],
                pool=key[1],
                gone=tuple(gone),
                new=tuple(added),
                hourly=_cost_of(old, key[0], set(gone)),
            )


def _agent_pools(estimate: Estimate) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for overlap in estimate.overlaps:
        if overlap.kind == "rotation":
            found.setdefault((overlap.origin.component, overlap.origin.pool), set()).add(overlap.origin.name)
    return found


def _cost_of(estimate: Estimate, component: str, names: set[str]) -> Decimal | NoRate:
    total = Decimal(0)
    for overlap in estimate.overlaps:
        if overlap.kind == "rotation" and overlap.origin.component == component and overlap.origin.name in names:
            if isinstance(overlap.hourly, NoRate):
                return overlap.hourly
            total += overlap.hourly
    return total


def _only_in(some: Iterable[Unpriced], others: Iterable[Unpriced]) -> tuple[Unpriced, ...]:
    known = {(part.origin.urn, part.meter) for part in others}
    return tuple(part for part in some if (part.origin.urn, part.meter) not in known)
