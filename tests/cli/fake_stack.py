"""An `EnvironmentStack` that replays recorded runs, and a checkout with the environments dev and prod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gpufleet.engine import EngineError, FailedOperation, OnEvent, RunKind, RunOptions, RunResult
from gpufleet.engine.doubts import Doubt, State
from gpufleet.engine.locate import Engine, Origin
from gpufleet.engine.recovery import Repaired
from tests.recordings.streams import recorded


@dataclass
class Script:
    """What the stack does when asked, and what it was asked.

    Attributes:
        streams: recording to replay, by method.
        errors: error to raise after that.
        state: what `export` says, call by call; the last one stays.
        doubts: what an earlier run was cut off in.
        repaired: what a repair says.
        settled: what is found out after a run that failed.
        calls: methods with their options, in order.
    """

    streams: dict[str, str] = field(default_factory=dict)
    errors: dict[str, type[EngineError]] = field(default_factory=dict)
    state: list[Mapping[str, object]] = field(default_factory=lambda: [{"deployment": {"resources": []}}])
    calls: list[tuple[str, RunOptions]] = field(default_factory=list)
    unprotected: list[str] = field(default_factory=list)
    doubts: tuple[Doubt, ...] = ()
    repaired: tuple[Repaired, ...] = ()
    settled: tuple[Repaired, ...] = ()

    @property
    def called(self) -> list[str]:
        """Names of the methods that ran the engine."""
        return [name for name, _ in self.calls]


class FakeStack:
    """Stands in for `gpufleet.engine.stack.EnvironmentStack`."""

    script = Script()

    def __init__(self, environment: str, *, root: Path, sandbox: bool) -> None:
        self.environment = environment
        self.root = root
        self.sandbox = sandbox
        self.engine = Engine(pulumi=root / "pulumi", version="3.250.0", origin=Origin.BUILT, reason="a test")

    def preview(self, options: RunOptions, *, on_event: OnEvent) -> RunResult:
        return self._run("preview", RunKind.PREVIEW, options, on_event)

    def up(self, options: RunOptions, *, on_event: OnEvent) -> RunResult:
        return self._run("up", RunKind.UP, options, on_event)

    def destroy(self, options: RunOptions, *, on_event: OnEvent) -> RunResult:
        return self._run("destroy", RunKind.DESTROY, options, on_event)

    def preview_destroy(self, options: RunOptions, *, on_event: OnEvent) -> RunResult:
        return self._run("preview_destroy", RunKind.DESTROY, options, on_event)

    def export(self) -> Mapping[str, object]:
        return self.script.state[0] if len(self.script.state) == 1 else self.script.state.pop(0)

    def refresh(self, options: RunOptions, *, on_event: OnEvent) -> RunResult:
        return self._run("refresh", RunKind.REFRESH, options, on_event)

    def preview_refresh(self, options: RunOptions, *, on_event: OnEvent) -> RunResult:
        return self._run("preview_refresh", RunKind.REFRESH, options, on_event)

    def preload(self) -> None:
        pass

    def subscription(self) -> str:
        return "5a4db0c5-0000-4000-8000-000000000001"

    @contextmanager
    def frozen(self) -> Iterator[Path]:
        yield self.root / "stacks" / f"Pulumi.{self.environment}.yaml"

    def in_doubt(self, state: State) -> tuple[Doubt, ...]:
        return self.script.doubts

    def repair(self, state: State, found: Sequence[Doubt]) -> tuple[Repaired, ...]:
        assert tuple(found) == self.script.doubts
        self.script.calls.append(("repair", RunOptions()))
        return self.script.repaired

    def settle(self, failed: Sequence[FailedOperation], *, look: bool) -> tuple[Repaired, ...]:
        self.script.calls.append(("settle" if look else "mark", RunOptions()))
        return self.script.settled if look else ()

    def unprotect(self, urns: Sequence[str]) -> None:
        self.script.unprotected.extend(urns)

    def _run(self, name: str, kind: RunKind, options: RunOptions, on_event: OnEvent) -> RunResult:
        self.script.calls.append((name, options))
        recording = recorded(self.script.streams[name])
        for _, event in recording.events:
            on_event(event)
        result = recording.result(kind)
        if name in self.script.errors:
            raise self.script.errors[name](f"{name} of dev failed", result=result)
        return result


def state(*resources: tuple[str, str, bool]) -> dict[str, object]:
    """An exported state: (type, name, protected) each, below the stack."""
    stack = {"urn": "urn:pulumi:dev::gpufleet::pulumi:pulumi:Stack::gpufleet-dev", "type": "pulumi:pulumi:Stack"}
    rows: list[dict[str, object]] = [
        {
            "urn": f"urn:pulumi:dev::gpufleet::{kind}::{name}",
            "type": kind,
            "custom": True,
            "protect": protected,
            "parent": stack["urn"],
        }
        for kind, name, protected in resources
    ]
    return {"version": 3, "deployment": {"resources": [stack, *rows]}}
