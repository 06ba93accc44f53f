"""What is checked: a valid environment and all that was made of it."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.check.finding import Place
from gpufleet.cost import Estimate
from gpufleet.graph import Graph
from gpufleet.sizing.advice import Advice
from gpufleet.spec import Environment, StackFile
from gpufleet.spec.base import Path


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One environment, as every source of findings gets it.

    Attributes:
        name: the environment's.
        strict: whether what is unpriced or undecided counts as an error.
        graph: None when the program raised, which is a finding already.
        estimate: None when it could not be made, likewise.
        advice: None likewise.
    """

    file: StackFile
    name: str
    environment: Environment
    strict: bool
    graph: Graph | None
    estimate: Estimate | None
    advice: tuple[Advice, ...] | None

    def place(self, path: Path) -> Place:
        """Where a value stands, or the nearest one around it."""
        line, column = self.file.position(path) or (None, None)
        return Place(file=self.file.name, line=line, column=column)
