"""Whether what would happen, or is happening, was shown before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gpufleet.catalog import sizes
from gpufleet.engine.approval import (
    UNCHANGING,
    Approval,
    ApprovedStep,
    Given,
    NotApprovedError,
    fingerprint,
    hidden,
    own,
    whole,
)
from gpufleet.engine.results import (
    STEPS_OF_A_WHOLE,
    OnEvent,
    Resource,
    RunEvent,
    RunOptions,
    RunResult,
    Step,
    StepStarted,
)
from gpufleet.graph.model import STACK_TYPE
from policies.immutable import DATA

_INCLUDES: Mapping[str, frozenset[str]] = {
    # What is left to do of a step that an earlier run was cut off in: the same resource with the same properties.
    "create": frozenset({"create", "update"}),
    "replace": frozenset({"replace", "create", "update"}),
}
_DESTROYS = ("replace", "delete")
_POOL = "azure-native:containerservice:AgentPool"
_CLUSTER = "azure-native:containerservice:ManagedCluster"

Call = Callable[..., RunResult]


@dataclass(frozen=True, kw_only=True)
class Unshown:
    """Something that the approved preview did not show.

    Attributes:
        op: see `Step`.
        holds: what makes it matter: `GPU pool`, `holds data`, `cluster`; "" for anything else.
        why: what is not as shown.
    """

    resource: Resource
    op: str
    holds: str
    why: str

    @property
    def destroys(self) -> bool:
        """Whether something goes."""
        return self.op in _DESTROYS

    def __str__(self) -> str:
        kind = self.resource.type.rsplit(":", 1)[-1]
        holds = f" ({self.holds})" if self.holds else ""
        return f"{self.op} {kind} {self.resource.name}{holds}: {self.why}"


def unshown(
    approval: Approval, steps: Iterable[Step], *, given: Given, state: Mapping[str, object]
) -> tuple[Unshown, ...]:
    """What a new preview shows beyond an approved one; what would destroy something comes first.

    A step that the approved one had and the new one has not is fine: somebody has done it.

    Args:
        approval: the approved preview.
        steps: of the new one.
        given: see `approval.Given`.
        state: what the new one was made against, as `pulumi stack export` gives it.
    """
    approved: dict[str, list[ApprovedStep]] = {}
    for one in approval.steps:
        approved.setdefault(one.urn, []).append(one)
    steps = list(steps)
    kept = {step.resource.urn for step in steps if step.op not in _DESTROYS and step.op != "delete-replaced"}
    found = []
    for step in whole(steps):
        why = _why(approval.salt, approved.get(step.resource.urn, []), step, given, kept)
        if why:
            found.append(Unshown(resource=step.resource, op=step.op, holds=_holds(step, _inputs_of(state)), why=why))
    return tuple(sorted(found, key=lambda one: (not one.destroys, not one.holds, one.op, one.resource.urn)))


def only(call: Call, steps: Iterable[Step]) -> Call:
    """An operation of the engine that is stopped when it begins what these steps did not show.

    Values that were not known in a preview can turn an update into a replacement; nobody has seen that.

    Args:
        call: a method of `EnvironmentStack`.
        steps: of the preview before it.
    """
    shown: dict[str, set[str]] = {}
    for step in whole(steps):
        shown.setdefault(step.resource.urn, set()).add(step.op)

    def held(options: RunOptions, *, on_event: OnEvent) -> RunResult:
        def take(event: RunEvent) -> None:
            on_event(event)
            if isinstance(event, StepStarted) and (op := _begun(event)) and not _covered(op, shown, event.resource):
                raise NotApprovedError(
                    f"{op} {event.resource.type.rsplit(':', 1)[-1]} {event.resource.name} has begun, and the preview "
                    "right before did not show it: the run was stopped",
                    hint="Something has changed in between, or a value that only the run knows has. Preview again.",
                )

        return call(options, on_event=take)

    return held


def _begun(event: StepStarted) -> str:
    op = STEPS_OF_A_WHOLE.get(event.op, event.op)
    return "" if op in UNCHANGING or not event.resource.custom or event.resource.type == STACK_TYPE else op


def _covered(op: str, shown: Mapping[str, set[str]], resource: Resource) -> bool:
    return any(op == before or op in _INCLUDES.get(before, ()) for before in shown.get(resource.urn, ()))


def _why(salt: str, approved: list[ApprovedStep], step: Step, given: Given, kept: set[str]) -> str:
    """What is not as approved; "" when all of it is."""
    if step.op == "delete":
        # The old half of a replacement that was cut off; the new one must be there.
        cut_off = step.resource.urn in kept and any(one.op == "replace" for one in approved)
        if cut_off or any(one.op == "delete" for one in approved):
            return ""
    fitting = [one for one in approved if step.op == one.op or step.op in _INCLUDES.get(one.op, ())]
    if not fitting:
        shown = " and ".join(sorted({one.op for one in approved}))
        return f"only {shown} was shown" if shown else "was not shown"
    if step.op == "delete":
        return ""
    return min((", ".join(_differing(salt, one, step, given)) for one in fitting), key=len)


def _differing(salt: str, approved: ApprovedStep, step: Step, given: Given) -> Iterator[str]:
    now = hidden(own(step, given), approved.unknown)
    assert isinstance(now, dict)
    for name in sorted(now.keys() | approved.inputs.keys()):
        if name not in approved.inputs:
            yield f"{name} was not shown"
        elif name not in now:
            yield f"{name} was shown and is missing"
        elif fingerprint(salt, now[name]) != approved.inputs[name]:
            yield f"{name} is another than shown"
    if step.op != approved.op:
        return
    before = {change.path: change for change in approved.changes}
    for diff in step.diffs:
        change = before.get(diff.path)
        if change is None:
            yield f"a change of {diff.path} was not shown"
        elif change.old != fingerprint(salt, diff.old):
            yield f"{diff.path} was another before"
        elif diff.replaces and not change.replaces:
            yield f"{diff.path} was not shown to replace it"


def _holds(step: Step, inputs: Mapping[str, Mapping[str, object]]) -> str:
    type_ = step.resource.type
    if type_ in DATA:
        return "holds data"
    if type_ == _CLUSTER:
        return "cluster"
    if type_ == _POOL:
        size = (step.inputs or inputs.get(step.resource.urn, {})).get("vmSize")
        known = sizes.find(size) if isinstance(size, str) else None
        return "GPU pool" if known is None or known.is_gpu else ""
    return ""


def _inputs_of(state: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    deployment = state.get("deployment")
    resources = deployment.get("resources") if isinstance(deployment, Mapping) else None
    return {one["urn"]: one.get("inputs") or {} for one in resources or () if isinstance(one, Mapping)}
