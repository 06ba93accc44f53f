"""COST006: the highest price that a spot pool pays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from gpufleet.spec.base import Priority
from policies.pool_prices import node_hour
from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View

_UP_TO_REGULAR = Decimal(-1)


class SpotMaxPrice(Rule[Pool, Settings]):
    """A spot pool pays up to the regular price (-1), or a limit between the spot and the regular price.

    With a limit below the market AKS reports success and no node ever comes (Azure/AKS#4404). One above the regular
    price means no more than -1, for spot never costs more, and hides a mistake of units.
    """

    id = "COST006"
    pack = Pack.COST
    severity = Severity.MEDIUM
    scope = Scope.STACK
    fix = "Leave spotMaxPrice out, which means -1"
    source = "AKS spot-node-pool, Azure/AKS#4404"

    def subjects(self, view: View) -> Iterable[Pool]:
        """Spot pools, and those whose priority can't be read."""
        return may(view.pools, lambda pool: pool.spot)

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """Its limit beside the prices that are known."""
        limit = subject.properties.number("spotMaxPrice")
        if not subject.spot or limit is None or (price := Decimal(str(limit))) == _UP_TO_REGULAR:
            return
        size, region = subject.size.name, subject.region
        if price <= 0:
            yield _objection(f"is {price} USD an hour, and nothing is sold for that")
        elif price > (regular := node_hour(view, size, region)):
            yield _objection(f"is {price} USD an hour, and {size} costs {regular} at the regular price in {region}")
        elif price < (spot := node_hour(view, size, region, Priority.SPOT)):
            yield _objection(f"is {price} USD an hour, and spot {size} costs {spot} in {region}: no node will come")


def _objection(what: str) -> Objection:
    return Objection(message=f"spotMaxPrice {what}", setting=("spotMaxPrice",))
