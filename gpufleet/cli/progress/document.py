"""A run as a document for programs; its JSON Schema is docs/schemas/run.v1.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gpufleet.cli.progress.diagnostics import Problem
from gpufleet.cli.progress.model import Node, RunModel
from gpufleet.engine import PropertyChange

if TYPE_CHECKING:
    from gpufleet.engine.recovery import Repaired


class Outcome(StrEnum):
    """How a command ended."""

    SUCCEEDED = "succeeded"
    NO_CHANGES = "no-changes"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Document:
    """Everything that `--format json` says.

    Attributes:
        model: None when the command ended before the engine ran.
        changes: the engine's own count by operation, components included.
        outputs: stack outputs, secrets masked.
        exit_code: what the process leaves with.
        repaired: operations whose end was unknown, and what became of them.
        pools: what happens to node pools, ready for JSON.
        operators: what happens to the operators of clusters, ready for JSON.
        engine: `{"version": …, "source": …}`, None when no engine was looked for.
    """

    command: str
    environment: str
    sandbox: bool
    outcome: Outcome
    exit_code: int
    seconds: float
    model: RunModel | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)
    problems: Iterable[Problem] = ()
    repaired: Iterable[Repaired] = ()
    pools: Iterable[Mapping[str, object]] = ()
    operators: Iterable[Mapping[str, object]] = ()
    engine: Mapping[str, str] | None = None

    def body(self) -> dict[str, object]:
        """The fields, ready for JSON."""
        model = self.model
        return {
            "command": self.command,
            "environment": self.environment,
            "sandbox": self.sandbox,
            "result": self.outcome.value,
            "exitCode": self.exit_code,
            "changes": dict(self.changes),
            "resources": [_resource(model, node) for node in model.nodes.values()] if model else [],
            "diagnostics": [_problem(problem) for problem in self.problems],
            "repaired": [_repaired(item) for item in self.repaired],
            "pools": list(self.pools),
            "operators": list(self.operators),
            "outputs": dict(self.outputs),
            "durationSeconds": round(self.seconds, 3),
            "engine": dict(self.engine) if self.engine else None,
        }


def _resource(model: RunModel, node: Node) -> dict[str, object]:
    return {
        "urn": node.urn,
        "type": node.type,
        "name": node.name,
        "component": model.component_of(node),
        "custom": node.custom,
        "protected": node.protected,
        "op": node.op,
        "status": node.status.value,
        "seconds": round(node.seconds, 3),
        "diff": [_change(change) for change in node.diffs],
    }


def _change(change: PropertyChange) -> dict[str, object]:
    return {
        "path": change.path,
        "kind": change.kind.value,
        "replaces": change.replaces,
        "old": change.old,
        "new": change.new,
    }


def _repaired(item: Repaired) -> dict[str, object]:
    return {
        "urn": item.doubt.urn,
        "operation": item.doubt.operation,
        "id": item.doubt.id,
        "outcome": item.outcome.value,
    }


def _problem(problem: Problem) -> dict[str, object]:
    return {
        "severity": problem.severity.value,
        "code": problem.code,
        "status": problem.status or None,
        "message": problem.text,
        "resources": list(problem.urns),
        "hint": problem.hint,
    }
