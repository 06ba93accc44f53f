"""SCALE023: a region near enough to every origin."""

from __future__ import annotations

from policies.rule import Settings, Severity
from policies.sizing_rule import ServingRule


class LatencyCeiling(ServingRule[Settings]):
    """Each origin of demand with a latency ceiling has a serving region within it.

    The round trip between Azure regions is the least that a user next to the origin waits for every request, whatever
    Front Door does; no size of pool makes up for a region that is too far away.
    """

    id = "SCALE023"
    severity = Severity.HIGH
    measure = "missingMs"
    fix = "Serve from a region nearer to the origin, or raise its maxRttMs"
    source = "Azure network round-trip latency statistics"
    questions = ("latency-ceiling",)
