"""SCALE017: the demand is met."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Objection, Settings, Severity
from policies.sizing_rule import Platform, ServingRule, as_objection, objections
from policies.view import View


class DemandMet(ServingRule[Settings]):
    """All pools at their maximum give the tokens a second that the models are declared to need.

    A maximum below the demand is a queue that grows for as long as the peak lasts, whatever the autoscaler does. Models
    share the nodes: each takes the part of the capacity that its demand is of what the pools would give it alone.
    """

    id = "SCALE017"
    severity = Severity.HIGH
    measure = "missingPercent"
    fix = "Raise nodes.max; `gpufleet size` proposes by how much"
    questions = ("demand",)

    def judge(self, subject: Platform, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether the capacity suffices; it doesn't for a model that fits no pool (SCALE016)."""
        yield from super().judge(subject, view, settings)
        for found in objections(view, subject):
            if found.rule == "model-fit":
                yield as_objection(found)
