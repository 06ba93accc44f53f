"""COST007: what stands outside production."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from gpufleet.spec.environment import EnvironmentClass
from gpufleet.spec.usage import HOURS_PER_WEEK
from policies.pool_prices import PoolGroup, grouped, node_hour
from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import View
from policies.words import usd


class ScaleToZeroSettings(Settings):
    """What COST007 allows."""

    max_floor_usd_per_hour: float = 200
    """That one pool may cost an hour at its minimum: two 8-GPU H100 nodes in a US region."""


class ScaleToZero(Rule[PoolGroup, ScaleToZeroSettings]):
    """Outside production GPU pools scale to zero, or keep few nodes that have work all week.

    Nobody is paged for development, so nodes that stay on run at night and over the weekend: four 8-GPU H100 nodes cost
    24,383 USD from Friday evening to Monday morning (62 h at 98.32 USD). A pool whose declared hours of work are not
    the whole week and whose minimum is not zero is paid for in the other hours too. From zero the autoscaler takes
    nodes away when nothing waits for them, and `schedules` of a training fabric see to it that nothing does at night.
    """

    id = "COST007"
    pack = Pack.COST
    severity = Severity.MEDIUM
    scope = Scope.STACK
    measure = "floorUsdPerHour"
    fix = "Give the pool a range from 0, and a training fabric schedules, so that nothing waits for its nodes at night"
    source = "AKS cluster-autoscaler-overview, Kueue ClusterQueue stopPolicy"
    settings = ScaleToZeroSettings

    def subjects(self, view: View) -> Iterable[PoolGroup]:
        """GPU pools of an environment that is not production, and those whose size can't be read."""
        declared = view.declared
        if declared is None or declared.environment.environment_class is EnvironmentClass.PRODUCTION:
            return ()
        return may(grouped(view.pools), lambda pool: pool.size.is_gpu)

    def judge(self, subject: PoolGroup, view: View, settings: ScaleToZeroSettings) -> Iterator[Objection]:
        """What its minimum costs, and whether it has work all week."""
        if not subject.size.is_gpu or not subject.least:
            return
        floor = subject.least * node_hour(view, subject.size.name, subject.region, subject.priority)
        usage = subject.pools[0].specified.usage if subject.pools[0].specified else None
        reason = ""
        if floor > Decimal(str(settings.max_floor_usd_per_hour)):
            reason = f"{usd(Decimal(str(settings.max_floor_usd_per_hour)))} are allowed outside production"
        elif usage is not None and usage.hours_per_week < HOURS_PER_WEEK:
            reason = f"has work in {usage.hours_per_week:g} of the week's {HOURS_PER_WEEK} hours"
        if reason:
            yield Objection(
                message=f"{subject.name} keeps {subject.least:,} nodes at {usd(floor)} an hour, and {reason}",
                setting=("nodes",),
                amount=floor,
            )
