"""What a model or a team costs: the nodes that carry its tag, and an estimate of its part of what is shared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """One model or team, USD a month of 730 hours at the expected use.

    Attributes:
        kind: `model` or `team`: the tag.
        own: nodes of pools that carry its tag, which Azure's cost data has apart.
        shared: its part of nodes that it shares, by the GPUs that its servers take at their most: an estimate.
        budget: of `budget.allocations`; None without one.
        gaps: whether a pool of it has no price, so that both are lower bounds.
    """

    kind: str
    name: str
    own: Decimal
    shared: Decimal
    budget: Decimal | None
    gaps: bool

    @property
    def over(self) -> bool | None:
        """Whether its own nodes are expected to exceed its budget; None without one."""
        return None if self.budget is None else self.own > self.budget


HEAD = ("whose, USD a month (730 h)", "own nodes", "part of shared nodes", "budget of own nodes", "")
"""Head of `rows`."""


def rows(found: Iterable[Allocated]) -> Iterator[tuple[str, ...]]:
    """What every form of a report shows."""
    for one in found:
        notes = ["OVER BUDGET"] * bool(one.over) + ["some nodes have no price"] * one.gaps
        yield (
            f"{one.kind} {one.name}",
            f"{one.own:,.2f}",
            f"~ {one.shared:,.2f}" if one.shared else "-",
            "-" if one.budget is None else f"{one.budget:,.2f}",
            ", ".join(notes),
        )


def as_dict(one: Allocated) -> dict[str, object]:
    """As JSON documents have it; money is text."""
    return {
        "kind": one.kind,
        "name": one.name,
        "ownUsd": f"{one.own:f}",
        "sharedUsd": f"{one.shared:f}",
        "budgetUsd": None if one.budget is None else f"{one.budget:f}",
        "over": one.over,
        "gaps": one.gaps,
    }
