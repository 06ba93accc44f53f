"""Recorded streams of the real engine, as events with times of a clock that ticks once an event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pulumi.automation.events import EngineEvent  # noqa: TID251 what the engine wrote is read as the SDK reads it

from gpufleet.cli.progress.model import RunModel
from gpufleet.engine.events import EventReader
from gpufleet.engine.results import RunEvent, RunKind, RunResult

FOLDER = Path(__file__).parent / "engine"
TICK = 0.25
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A stream: events with their seconds, and the reader that read them."""

    events: tuple[tuple[float, RunEvent], ...]
    reader: EventReader

    def model(self, plan: RunModel | None = None, *, until: float = 1e9) -> RunModel:
        """The model after the stream, or in the middle of it."""
        model = RunModel(plan)
        for at, event in self.events:
            if at > until:
                return model
            model.apply(event, at)
        model.finish()
        return model

    def result(self, kind: RunKind) -> RunResult:
        """What the engine's door would return for it."""
        return RunResult(
            kind=kind,
            environment="dev",
            changes=self.reader.changes,
            steps=tuple(self.reader.steps),
            outputs=self.reader.outputs,
            diagnostics=tuple(self.reader.diagnostics),
            violations=tuple(self.reader.violations),
            failed=tuple(self.reader.failed),
            seconds=self.events[-1][0],
        )


def recorded(name: str) -> Recording:
    """Read a stream."""
    clock = Clock()
    reader = EventReader(clock)
    events = []
    for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        clock.now += TICK
        event = reader.read(EngineEvent.from_json(json.loads(line)))
        if event is not None:
            events.append((clock.now, event))
    return Recording(events=tuple(events), reader=reader)
