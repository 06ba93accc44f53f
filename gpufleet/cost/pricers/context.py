"""What every pricer may look at beside the resource itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gpufleet.cost.charge import Charge
from gpufleet.cost.item import Placed
from gpufleet.cost.load import PoolLoad
from gpufleet.cost.money import Bounds, decimal
from gpufleet.spec.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Context:
    """The environment, and what follows from it once."""

    environment: Environment
    loads: Mapping[tuple[str, str], PoolLoad]
    """By scope and pool name."""


Pricer: TypeAlias = Callable[[Context, Placed], Iterator[Charge]]
"""Everything that one resource is charged for."""


def flow(value: float | None, key: str, *, factor: float = 1) -> Bounds | str:
    """A declared volume of what flows: nothing at the floor; a text when it is not declared.

    Args:
        value: as declared in `usage`, None when it is not.
        key: the key of the stack file that would declare it.
        factor: what a declared unit is in the meter's units.
    """
    return undeclared(key) if value is None else Bounds.used(decimal(value) * decimal(factor))


def undeclared(key: str) -> str:
    """Why a volume has no amount."""
    return f"nothing tells how much: declare usage.{key}"
