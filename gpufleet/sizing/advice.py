"""What sizing says about an environment: figures, objections, and changes to the stack file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gpufleet.sizing.explanation import Figure
from gpufleet.spec.base import Path
from gpufleet.spec.problem import key_text

TRAINING_RULES: Final = (
    "workload",
    "training-rate",
    "model-state",
    "checkpoint-loss",
    "gpus-starved",
    "storage-throughput",
    "storage-capacity",
    "storage-maximum",
    "storage-subnet",
)
"""What every training fabric is asked."""
SERVING_RULES: Final = ("model-fit", "latency-ceiling", "warm-floor", "demand", "region-loss")
"""What the inference platform is asked."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """The environment as declared doesn't do what it declares."""

    rule: str
    """What was asked, such as `gpus-starved`: one of `TRAINING_RULES` or `SERVING_RULES`."""
    path: Path
    """The value it is about, in the keys of the stack file."""
    message: str
    """What is too small or can't be known, with both numbers; without a full stop."""
    fix: str
    decided: bool = True
    """False when a measurement is missing: it may be big enough, nobody can tell."""
    amount: float | None = None
    """How bad it is, the larger the worse: percent of the demand that is not met (`demand`, `region-loss`), percent of
    the time that is lost (`checkpoint-loss`), and what is missing in GB (`model-state`), MB/s (`gpus-starved`,
    `storage-throughput`) or TiB (`storage-capacity`, `storage-maximum`). None of the others."""

    def as_dict(self) -> dict[str, object]:
        """Fields in camelCase, for JSON."""
        return {
            "rule": self.rule,
            "key": key_text(self.path),
            "message": self.message,
            "fix": self.fix,
            "decided": self.decided,
        }


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value of the stack file to set."""

    path: Path
    """Where; an index equal to a list's length appends."""
    value: object
    """Plain YAML value."""
    why: str

    def as_dict(self) -> dict[str, object]:
        """Fields in camelCase, for JSON."""
        return {"key": key_text(self.path), "value": self.value, "why": self.why}


@dataclass(frozen=True, kw_only=True)
class Advice:
    """All of it for one fabric or for the inference platform."""

    title: str
    """Such as "training fabric frontier"."""
    figures: tuple[Figure, ...] = ()
    objections: tuple[Objection, ...] = ()
    changes: tuple[Change, ...] = ()

    def figure(self, name: str) -> Figure:
        """The figure of this name. Raises KeyError when there is none."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)

    def as_dict(self) -> dict[str, object]:
        """Fields in camelCase, for JSON."""
        return {
            "title": self.title,
            "figures": [figure.as_dict() for figure in self.figures],
            "objections": [objection.as_dict() for objection in self.objections],
            "changes": [change.as_dict() for change in self.changes],
        }
