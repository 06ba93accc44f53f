"""What rules over `gpufleet.sizing` have in common: each answers some of the questions that sizing asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import ClassVar, TypeVar

from gpufleet.sizing import advice
from gpufleet.spec.base import Path
from gpufleet.spec.inference import Inference
from gpufleet.spec.training import TrainingFabric, Workload
from policies.rule import Objection, Pack, Rule, Scope, Settings
from policies.view import View

SettingsT = TypeVar("SettingsT", bound=Settings)
PartT = TypeVar("PartT", "Fabric", "Platform")


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """A training fabric with a workload."""

    urn: str
    declared: TrainingFabric
    workload: Workload
    at: Path

    @property
    def label(self) -> str:
        """`training/lab`."""
        return f"training/{self.declared.name}"

    def path(self, *setting: str | int) -> Path:
        """See `policies.rule.Subject`."""
        return (*self.at, *setting)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The inference platform with its models."""

    urn: str
    declared: Inference
    label: str = "inference"

    def path(self, *setting: str | int) -> Path:
        """See `policies.rule.Subject`."""
        return ("inference", *setting)


class SizingRule(Rule[PartT, SettingsT]):
    """Base of the rules; see `TrainingRule` and `ServingRule`."""

    pack = Pack.SCALING
    scope = Scope.STACK
    source = ""
    questions: ClassVar[tuple[str, ...]]
    """Those of `gpufleet.sizing.advice` that it answers."""

    def judge(self, subject: PartT, view: View, settings: SettingsT) -> Iterator[Objection]:
        """What sizing objects to."""
        del settings
        for found in objections(view, subject):
            if found.rule in self.questions:
                yield as_objection(found)


class TrainingRule(SizingRule[Fabric, SettingsT]):
    """Base of the rules about training fabrics."""

    def subjects(self, view: View) -> Iterable[Fabric]:
        """Fabrics with a workload, and with regular GPU nodes to run it: the others have nothing that could be sized.

        That a workload has no nodes is SCALE019's.
        """
        return [one for one in fabrics(view) if not any(found.rule == "workload" for found in objections(view, one))]


class ServingRule(SizingRule[Platform, SettingsT]):
    """Base of the rules about the inference platform."""

    def subjects(self, view: View) -> Iterable[Platform]:
        """The inference platform, when it has models."""
        declared = view.declared
        inference = None if declared is None else declared.environment.inference
        if declared is None or inference is None or not inference.models:
            return []
        return [Platform(urn=declared.urn, declared=inference)]


def fabrics(view: View) -> list[Fabric]:
    """Training fabrics with a workload. Raises UndecidedError as `View.declared`."""
    declared = view.declared
    urns = {place.path(): place.urn for place in view.places}
    return [
        Fabric(
            urn=urns.get(("training", index), "" if declared is None else declared.urn),
            declared=fabric,
            workload=fabric.workload,
            at=("training", index),
        )
        for index, fabric in enumerate(declared.environment.training if declared else [])
        if fabric.workload is not None
    ]


def objections(view: View, subject: Fabric | Platform) -> tuple[advice.Objection, ...]:
    """What sizing objects to in a subject. Raises UndecidedError when the environment can't be sized."""
    at = subject.path()
    return tuple(found for one in view.advice for found in one.objections if found.path[: len(at)] == at)


def as_objection(found: advice.Objection, *, message: str = "") -> Objection:
    """An objection of sizing as a rule's; amounts have one decimal, rounded up."""
    amount = found.amount
    return Objection(
        message=message or found.message,
        fix=found.fix,
        at=found.path,
        amount=None if amount is None else Decimal(amount).quantize(Decimal("0.1"), rounding=ROUND_UP),
        decided=found.decided,
    )
