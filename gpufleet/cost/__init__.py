"""What an environment costs, before anything is created: floor, expected and ceiling, with nothing left out in silence.

`estimate` prices the resources of a program (any `Item`: the nodes of a resource graph are such), `compare` tells what
a change of the stack file costs, `unit_costs` what a unit of work does, `spot_savings` what spot nodes save.
"""

from __future__ import annotations

from gpufleet.cost.difference import CostDifference, compare
from gpufleet.cost.economics import UnitCost, unit_costs
from gpufleet.cost.estimate import Estimate, Verdict, estimate
from gpufleet.cost.item import Item
from gpufleet.cost.price_book import PriceBook
from gpufleet.cost.rates import PriceKind
from gpufleet.cost.spot_savings import SpotSaving, spot_savings

__all__ = [
    "CostDifference",
    "Estimate",
    "Item",
    "PriceBook",
    "PriceKind",
    "SpotSaving",
    "UnitCost",
    "Verdict",
    "compare",
    "estimate",
    "spot_savings",
    "unit_costs",
]
