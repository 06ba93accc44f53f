"""COST004: what a region costs more than another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from policies.pool_prices import PoolGroup, grouped, node_hour
from policies.reading import UndecidedError, may
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import View
from policies.words import usd


class RegionPremiumSettings(Settings):
    """What COST004 allows."""

    training_percent: float = 10
    """Above the cheapest allowed region, where nobody waits for an answer and the data can be moved."""
    inference_percent: float = 50
    """The same where regions are chosen for whoever is near."""


class RegionPremium(Rule[PoolGroup, RegionPremiumSettings]):
    """A GPU pool stands where its size costs little more than in the cheapest of the allowed regions.

    The same 8-GPU H100 node has list prices from 98.32 to 186.61 USD an hour (price list of 2026-06-18): a region may
    double the bill. A listed price is not capacity: the cheaper region may have none.
    """

    id = "COST004"
    pack = Pack.COST
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    measure = "premiumPercent"
    fix = "Move it there if its users and its data allow, and ask for capacity before"
    source = "Azure retail prices, Linux pay-as-you-go"
    settings = RegionPremiumSettings

    def subjects(self, view: View) -> Iterable[PoolGroup]:
        """GPU pools, and those whose size can't be read."""
        return () if view.declared is None else may(grouped(view.pools), lambda pool: pool.size.is_gpu)

    def judge(self, subject: PoolGroup, view: View, settings: RegionPremiumSettings) -> Iterator[Objection]:
        """Its regular price beside those of the other allowed regions."""
        if view.declared is None or not subject.size.is_gpu:
            return
        here = node_hour(view, subject.size.name, subject.region)
        best, region = min(
            _prices(view, subject.size.name, view.declared.environment.allowed_regions), default=(here, "")
        )
        place = subject.pools[0].place
        training = place is not None and place.kind == "training"
        most = settings.training_percent if training else settings.inference_percent
        premium = (here / best - 1) * 100
        if premium > Decimal(str(most)):
            yield Objection(
                message=f"{subject.size.name} costs {usd(here)} an hour in {subject.region}, {premium:.0f} % more than "
                f"the {usd(best)} in {region}; {most:g} % are allowed",
                at=place.path("region" if training else "name") if place else None,
                amount=round(premium, 1),
            )


def _prices(view: View, size: str, regions: Iterable[str]) -> Iterator[tuple[Decimal, str]]:
    for region in regions:
        try:
            yield node_hour(view, size, region), region
        except UndecidedError:
            continue  # not sold there
