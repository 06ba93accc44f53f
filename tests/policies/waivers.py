"""Waivers and judgements for tests; the day is 2026-11-21."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from policies.evaluate import Judgement, Verdict
from policies.rule import AnyRule, Objection, Pack, Rule, Scope, Severity, Subject
from policies.view import View
from policies.waivers import Waiver, Waivers

TODAY = dt.date(2026, 11, 21)
LABEL = "training/lab/pools/h100"
URN = "urn:pulumi:prod::gpufleet::gpufleet:training:TrainingFabric$azure-native:containerservice:AgentPool::lab-h100"


class _Rule(Rule[Subject, Any]):
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Mend it"
    source = ""

    def subjects(self, view: View) -> Iterable[Subject]:
        """Nothing."""
        return ()

    def judge(self, subject: Subject, view: View, settings: object) -> Iterator[Objection]:
        """Nothing."""
        yield from ()


class Measured(_Rule):
    """A pool is not too large."""

    id = "SCALE901"
    measure = "maxNodes"


class Plain(_Rule):
    """A pool is tidy."""

    id = "SCALE902"


class Firm(_Rule):
    """A pool is no hazard."""

    id = "SCALE903"
    waivable = False


RULES: tuple[AnyRule, ...] = (Measured(), Plain(), Firm())


def waiver(**changes: object) -> Waiver:
    """A waiver of `Measured` up to 6 nodes, with 40 days to go."""
    made = Waiver(
        rule="SCALE901",
        environment="prod",
        resource=LABEL,
        reason="the support ticket is open",
        owner="ml-platform",
        ticket="ML-1",
        approved_by="jane",
        expires=dt.date(2026, 12, 31),
        bound=Decimal(6),
        file="stacks/waivers.yaml",
        line=3,
        column=3,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def plain(**changes: object) -> Waiver:
    """A waiver of `Plain`, which has no measure."""
    return waiver(**{"rule": "SCALE902", "bound": None, **changes})


def judgement(**changes: object) -> Judgement:
    """`Measured` objects to 5 nodes."""
    made = Judgement(
        rule="SCALE901",
        verdict=Verdict.FAIL,
        resource=URN,
        label=LABEL,
        path=("training", 0, "pools", 0, "nodes", "max"),
        message="has 5 nodes",
        fix="Mend it",
        amount=Decimal(5),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def waivers(*entries: Waiver, today: dt.date = TODAY) -> Waivers:
    """These waivers on a day."""
    return Waivers(entries=entries, today=today)
