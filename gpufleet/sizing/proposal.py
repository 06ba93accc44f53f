"""Everything that sizing has to say about one stack file: `gpufleet size` and `gpufleet explain sizing` print it."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.sizing import serving_advice, training_advice
from gpufleet.sizing.advice import Advice, Change, Objection
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.patch import patched, unified
from gpufleet.sizing.serving_advice import Limits
from gpufleet.spec.environment import Environment
from gpufleet.spec.load import load
from gpufleet.spec.problem import SpecError
from gpufleet.spec.stack_file import StackFile


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Advice on every part of the environment, and the patch that follows from it."""

    advice: tuple[Advice, ...]
    patch: str
    """Unified diff of the stack file; empty when nothing need change."""

    @property
    def objections(self) -> tuple[Objection, ...]:
        """All objections to what is declared."""
        return tuple(objection for one in self.advice for objection in one.objections)

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes."""
        return tuple(change for one in self.advice for change in one.changes)


def advise(
    environment: Environment, *, limits: Limits | None = None, within_days: float | None = None
) -> tuple[Advice, ...]:
    """Size all fabrics and the inference platform.

    Args:
        environment: the environment.
        limits: place the inference demand anew within these; without, the declared pools are judged alone.
        within_days: also find the nodes with which every fabric finishes within so many days.

    Raises:
        InfeasibleError: nothing meets the inference demand within the limits.
        SizingError: numbers out of range.
    """
    found = [
        training_advice.advise(fabric, ("training", index), within_days=within_days)
        for index, fabric in enumerate(environment.training)
    ]
    if environment.inference is not None and environment.inference.models:
        found.append(serving_advice.advise(environment, limits))
    return tuple(found)


def propose(text: str, *, name: str, limits: Limits | None = None, within_days: float | None = None) -> Proposal:
    """Size a stack file and write what should change as a patch.

    Args:
        text: the stack file.
        name: the file as messages and the patch show it.
        limits: of the inference placement.
        within_days: as in `advise`.

    Raises:
        SpecError: the file has mistakes.
        InfeasibleError: nothing meets the inference demand within the limits.
        SizingError: numbers out of range, or changes that can't be written into this file.
    """
    environment = load(StackFile.from_text(text, name=name)).environment
    advice = advise(environment, limits=limits or Limits(), within_days=within_days)
    changes = [change for one in advice for change in one.changes]
    after = patched(text, changes, name=name) if changes else text
    try:
        load(StackFile.from_text(after, name=name))
    except SpecError as error:
        raise SizingError(
            f"the proposal breaks other rules of the stack file:\n{error}",
            hint="Nothing fits within them as they are: change what they name, then size again.",
        ) from None
    return Proposal(advice=advice, patch=unified(text, after, name=name))
