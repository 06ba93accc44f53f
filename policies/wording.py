"""What a violation says: the cause with its numbers, the fix, and the line of the stack file that decides it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from gpufleet.spec import Environment, SpecError, StackFile, load
from gpufleet.spec.base import Path as KeyPath
from gpufleet.spec.problem import key_text
from policies.evaluate import Judgement, Verdict

STACKS = Path(__file__).parents[1] / "stacks"


class Wording:
    """The texts of one stack's violations.

    Args:
        stack: its name.
        environment: the specification that it was made from; None when nobody knows it.
        folder: where the stack files are.
    """

    def __init__(self, stack: str, environment: Environment | None, folder: Path = STACKS) -> None:
        self._stack = stack
        self._environment = environment
        self._folder = folder

    def text(self, judgement: Judgement) -> str:
        """Several lines, the cause first; a stack trace, if any, comes last."""
        verdict = "undecided: " if judgement.verdict is Verdict.UNDECIDED else ""
        place = self._place(judgement.path)
        lines = [
            f"{verdict}{judgement.label}: {judgement.message}",
            *([f"Fix: {judgement.fix}"] if judgement.fix else []),
            *([f"Decided at {place}"] if place else []),
            *([judgement.trace.rstrip()] if judgement.trace else []),
        ]
        return "\n".join(lines)

    def _place(self, path: KeyPath) -> str:
        """`stacks/Pulumi.prod.yaml:31 (training[0].pools[0].nodes.max)`; "" when nothing in the file decides it."""
        if not path:
            return ""
        line = self._file.position(path) if self._file else None
        name = f"{self._file.name}:{line[0]}" if self._file and line else "the specification"
        return f"{name} ({key_text(path)})"

    @cached_property
    def _file(self) -> StackFile | None:
        """The stack file, if it says what the stack was made from: `--config-file` may name another one."""
        if self._environment is None:
            return None
        name = f"Pulumi.{self._stack}.yaml"
        try:
            file = StackFile.read(self._folder / name, name=f"stacks/{name}")
            return file if load(file).environment == self._environment else None
        except SpecError:
            return None
