"""What every pricer may look at beside the resource itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gpufleet.cost.charge import Charge
from gpufleet.cost.item import Placed
from gpufleet.cost.load import PoolLoad
from gpufleet.cost.money import Bounds, decimal
from gpufleet.cost.rates import NoRate
from gpufleet.spec.environment import Environment

UNDECLARED: Final = "nothing tells how much"
"""Reason of a volume that the stack file could declare."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The environment, and what follows from it once."""

    environment: Environment
    loads: Mapping[tuple[str, str], PoolLoad]
    """By scope and pool name."""


Pricer: TypeAlias = Callable[[Context, Placed], Iterator[Charge]]
"""Everything that one resource is charged for."""


def flow(value: float | None, key: str, *, factor: float = 1) -> Bounds | NoRate:
    """A declared volume of what flows: nothing at the floor; a `NoRate` when it is not declared.

    Args:
        value: as declared in `usage`, None when it is not.
        key: the key of the stack file that would declare it.
        factor: what a declared unit is in the meter's units.
    """
    return undeclared(key) if value is None else Bounds.used(decimal(value) * decimal(factor))


def undeclared(key: str) -> NoRate:
    """Why a volume has no amount."""
    return NoRate(UNDECLARED, f"Declare usage.{key}")


def unknown(what: str) -> NoRate:
    """Why a quantity that the program should tell has no amount."""
    return NoRate(f"{what} is not known before it exists", "Give the program a plain value")
