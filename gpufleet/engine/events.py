"""The engine's events in our words: what a run says while it runs, and what is left of it when it is over."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from pulumi.automation.events import (
    DiagnosticEvent,
    EngineEvent,
    PolicyEvent,
    ResOpFailedEvent,
    StepEventMetadata,
    StepEventStateMetadata,
)

from gpufleet.engine.diffs import plain, property_changes
from gpufleet.engine.results import (
    Diagnostic,
    FailedOperation,
    PropertyChange,
    Resource,
    RunEvent,
    Severity,
    Step,
    StepStarted,
    Violation,
)

# The engine repeats with these words what the program's runtime has logged already.
_UNHANDLED = "an unhandled error occurred: "
_COLOUR_MARK = re.compile(r"<\{%.*?%\}>")
_WITH_DIFF = frozenset({"update", "replace", "create-replacement", "refresh", "import", "import-replacement"})
# A replacement is reported in three steps; this one tells what is made.
_WITH_INPUTS = frozenset({"create", "update", "create-replacement", "import", "import-replacement"})
_STACK_TYPE = "pulumi:pulumi:Stack"
# pulumi/pulumi: sdk/go/common/resource/status.go; the state then holds what the provider told of the half-made one.
_PARTIAL_FAILURE = 1


class EventReader:
    """Reads one run's events, in the engine's order.

    Args:
        clock: monotonic seconds. The engine stamps events with whole seconds only, too coarse for durations.

    Attributes:
        steps: finished steps, in the order of completion.
        diagnostics: all but ephemeral and debug messages.
        violations: what policies objected to.
        failed: the operations that failed.
        changes: the engine's own count by operation, from its summary.
        outputs: stack outputs as the engine last saw them, secrets masked, unknowns named.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin = clock()
        self._open: dict[tuple[str, str], float] = {}
        self._closed: set[tuple[str, str]] = set()
        self.steps: list[Step] = []
        self.diagnostics: list[Diagnostic] = []
        self.violations: list[Violation] = []
        self.failed: list[FailedOperation] = []
        self.changes: dict[str, int] = {}
        self.outputs: dict[str, object] = {}

    def read(self, event: EngineEvent) -> RunEvent | None:
        """Take one event.

        Returns:
            it in our words, or None when it says nothing that anyone needs.
        """
        if event.resource_pre_event is not None:
            return self._started(event.resource_pre_event.metadata)
        if event.res_outputs_event is not None:
            return self._ended(event.res_outputs_event.metadata, failed=False)
        if event.res_op_failed_event is not None:
            self._failed(event.res_op_failed_event)
            return self._ended(event.res_op_failed_event.metadata, failed=True)
        if event.diagnostic_event is not None:
            return self._said(event.diagnostic_event)
        if event.policy_event is not None:
            return self._objected(event.policy_event)
        if event.summary_event is not None:
            self.changes = {str(getattr(op, "value", op)): n for op, n in event.summary_event.resource_changes.items()}
        return None

    def _now(self) -> float:
        return self._clock() - self._begin

    def _started(self, metadata: StepEventMetadata) -> StepStarted:
        op = metadata.op.value
        now = self._now()
        self._open[metadata.urn, op] = now
        return StepStarted(resource=_resource(metadata), op=op, at=now)

    def _ended(self, metadata: StepEventMetadata, *, failed: bool) -> Step | None:
        op = metadata.op.value
        if metadata.type == _STACK_TYPE and metadata.new is not None and metadata.new.outputs:
            self.outputs = {key: plain(value) for key, value in metadata.new.outputs.items()}
        if (metadata.urn, op) in self._closed:  # a preview reports the stack twice: outputs registered, and done
            return None
        now = self._now()
        begun = self._open.pop((metadata.urn, op), now)
        self._closed.add((metadata.urn, op))
        step = Step(
            resource=_resource(metadata),
            op=op,
            failed=failed,
            seconds=now - begun,
            diffs=_diffs(metadata) if op in _WITH_DIFF else (),
            inputs=_inputs(metadata) if op in _WITH_INPUTS else {},
        )
        self.steps.append(step)
        return step

    def _failed(self, event: ResOpFailedEvent) -> None:
        metadata = event.metadata
        state = metadata.new or metadata.old
        if state is None:
            return
        said = [
            told.message for told in self.diagnostics if told.urn == metadata.urn and told.severity is Severity.ERROR
        ]
        self.failed.append(
            FailedOperation(
                resource=_resource(metadata),
                op=metadata.op.value,
                provider=state.provider or metadata.provider,
                inputs=_masked(state.inputs or {}),
                message=said[-1] if said else "",
                recorded=event.status == _PARTIAL_FAILURE,
            )
        )

    def _said(self, event: DiagnosticEvent) -> Diagnostic | None:
        if event.ephemeral or event.severity == "debug":
            return None
        message = _COLOUR_MARK.sub("", event.message).strip()
        repeated = message.removeprefix(_UNHANDLED)
        if not message or (repeated != message and any(repeated == before.message for before in self.diagnostics)):
            return None
        diagnostic = Diagnostic(severity=Severity(event.severity), message=message, urn=event.urn or "")
        self.diagnostics.append(diagnostic)
        return diagnostic

    def _objected(self, event: PolicyEvent) -> Violation:
        violation = Violation(
            policy=event.policy_name,
            pack=event.policy_pack_name,
            level=event.enforcement_level,
            message=_COLOUR_MARK.sub("", event.message).strip(),
            urn=event.resource_urn or "",
        )
        self.violations.append(violation)
        return violation


def _resource(metadata: StepEventMetadata) -> Resource:
    state: StepEventStateMetadata | None = metadata.new or metadata.old
    return Resource(
        urn=metadata.urn,
        type=metadata.type,
        name=metadata.urn.rsplit("::", 1)[-1],
        parent=state.parent if state else "",
        custom=bool(state and state.custom),
        protected=bool(state and state.protect),
    )


def _inputs(metadata: StepEventMetadata) -> Mapping[str, object]:
    inputs = plain((metadata.new and metadata.new.inputs) or {})
    return inputs if isinstance(inputs, Mapping) else {}


def _masked(inputs: Mapping[str, object]) -> Mapping[str, object]:
    """Inputs as the events tell them, secrets as `SECRET`; the provider's note of defaults stays, unlike in `plain`."""
    return {key: plain(value) if key != "__defaults" else value for key, value in inputs.items()}


def _diffs(metadata: StepEventMetadata) -> tuple[PropertyChange, ...]:
    detailed = metadata.detailed_diff or {}
    return property_changes(
        detailed={path: (diff.diff_kind.value, diff.input_diff) for path, diff in detailed.items()},
        old_inputs=(metadata.old and metadata.old.inputs) or {},
        old_outputs=(metadata.old and metadata.old.outputs) or {},
        new_inputs=(metadata.new and metadata.new.inputs) or {},
    )
