"""SCALE022: a warm floor under every server."""

from __future__ import annotations

from collections.abc import Iterable

from policies.rule import Settings, Severity
from policies.sizing_rule import Platform, ServingRule
from policies.view import View


class WarmFloor(ServingRule[Settings]):
    """In production every model that a region serves has a replica on regular nodes that are always there.

    Spot nodes go with 30 seconds' notice, all of a pool at once if it has to be, and a model of tens of gigabytes takes
    minutes to load on a node that has to be started first. Several models share the nodes of a size, so a regular pool
    with nodes (SCALE008) isn't yet a floor under each of them, and one replica may take several nodes.
    """

    id = "SCALE022"
    severity = Severity.HIGH
    fix = "Raise nodes.min of a regular pool, or leave the model out of the region by `serves`"
    source = "AKS spot-node-pool"
    questions = ("warm-floor",)

    def subjects(self, view: View) -> Iterable[Platform]:
        """The inference platform of production, when it has models."""
        return [one for one in super().subjects(view) if view.production]
