"""What went wrong, for a person: Azure's code and text first, then where, then what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gpufleet.cli.progress.model import RunModel, Status
from gpufleet.engine import Diagnostic, Severity, Violation
from gpufleet.engine.azure_errors import existing_id, refusal
from gpufleet.errors import GpufleetError
from gpufleet.plural import plural

# What the engine says at the end of every failed run, after the causes.
_NOISE = re.compile(r"^(update|preview|destroy|refresh) (failed|canceled)$")
_PROGRAM = re.compile(
    r"^(an unhandled error occurred: )?(python inline source runtime error|Program .*): ", re.IGNORECASE
)
_MISSING = "missing required property"
_PROTECTED = "because it is protected"

_Key = tuple[Severity, str, int, str, str]
"""What makes two problems the same: severity, code, status, text, hint."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing to tell, with everything it happened to.

    Attributes:
        code: Azure's error code, or the policy's name; "" when there is none.
        status: HTTP status, 0 when there is none.
        text: what Azure, the engine or the policy said.
        where: `AgentPool h100 in dev/frontier/h100`, one each; empty when it is about the run.
        urns: the resources, as the engine names them.
        hint: what to do; "" when we know nothing better than the text.
    """

    severity: Severity
    code: str
    status: int
    text: str
    where: tuple[str, ...]
    urns: tuple[str, ...]
    hint: str

    @property
    def title(self) -> str:
        """First line: code, status, place."""
        # A failed operation is told in an answer of status 200, which would only confuse.
        code = f"{self.code} ({self.status})" if self.code and self.status >= 400 else self.code
        place = self.where[0] if self.where else ""
        if len(self.where) > 1:
            place += f" and {plural(len(self.where) - 1, 'more resource')}"
        return "  ".join(part for part in (code, place) if part)


def is_noise(diagnostic: Diagnostic) -> bool:
    """Whether a message only repeats that the run failed."""
    return _NOISE.match(diagnostic.message) is not None


def problems(model: RunModel, *, traces: bool = False) -> list[Problem]:
    """Everything to tell about a run, errors first; what is the same for many resources is told once.

    Args:
        model: the run.
        traces: keep the stack trace of a program that raised.
    """
    told: dict[_Key, list[str]] = {}
    for key, urn in _all(model, traces=traces):
        urns = told.setdefault(key, [])
        if _is_resource(urn) and urn not in urns:
            urns.append(urn)
    found = [
        Problem(
            severity=severity,
            code=code,
            status=status,
            text=text,
            where=tuple(_place(model, urn) for urn in urns),
            urns=tuple(urns),
            hint=hint,
        )
        for (severity, code, status, text, hint), urns in told.items()
    ]
    return sorted(found, key=lambda problem: problem.severity is not Severity.ERROR)


def of_error(error: GpufleetError) -> Problem:
    """What ended a command, as one more problem."""
    return Problem(severity=Severity.ERROR, code="", status=0, text=error.message, where=(), urns=(), hint=error.hint)


def _all(model: RunModel, *, traces: bool) -> Iterable[tuple[_Key, str]]:
    for diagnostic in model.diagnostics:
        if not is_noise(diagnostic) and not _is_consequence(diagnostic, model):
            yield _read(diagnostic, traces=traces), diagnostic.urn
    for violation in model.violations:
        yield _judged(violation), violation.urn


def _is_consequence(diagnostic: Diagnostic, model: RunModel) -> bool:
    """Whether a resource only misses what another one, which failed, would have given it.

    After a failure the engine goes on with what does not depend on it. Before it finds out that a resource does, it
    lets the provider check the inputs, and those that were to come from the failed one are missing.
    """
    if _MISSING not in diagnostic.message:
        return False
    return any(node.status is Status.FAILED and node.urn != diagnostic.urn for node in model.nodes.values())


def _read(diagnostic: Diagnostic, *, traces: bool) -> _Key:
    message = diagnostic.message
    if _PROTECTED in message:
        hint = f"To delete it on purpose: gpufleet destroy ENV --unprotect {diagnostic.urn.rsplit('::', 1)[-1]}"
        return diagnostic.severity, "protected", 0, "The engine refuses to delete a protected resource.", hint
    existing = existing_id(message)
    if existing is not None:
        return (
            diagnostic.severity,
            "AlreadyExists",
            0,
            _program_text(message, traces=traces),
            _import_hint(diagnostic.urn, existing),
        )
    found = refusal(message)
    text = found.text or (message if found.code else _program_text(message, traces=traces))
    return diagnostic.severity, found.code, found.status, text, found.hint


def _import_hint(urn: str, resource_id: str) -> str:
    """How to take what exists into the state; it may be somebody else's, so only a person decides that."""
    kind, name = (
        urn.partition("::")[2].rpartition("::")[0].rpartition("::")[2].rpartition("$")[2],
        urn.rpartition("::")[2],
    )
    return (
        "It is there, and not in the state: somebody else made it. Delete it, or take it over on purpose: "
        f"pulumi import '{kind or 'TYPE'}' {name or 'NAME'} '{resource_id or 'ID'}'"
    )


def _judged(violation: Violation) -> _Key:
    mandatory = violation.level == "mandatory"
    return (
        Severity.ERROR if mandatory else Severity.WARNING,
        f"{violation.pack}/{violation.policy}",
        0,
        violation.message,
        "",
    )


def _program_text(message: str, *, traces: bool) -> str:
    """A failure of the program; its stack trace means nothing to the person who runs it."""
    text = _PROGRAM.sub("", message)
    _, trace, frames = text.partition("Traceback (most recent call last):")
    if not trace or traces:
        return text.strip()
    raised = next(line for line in reversed(frames.splitlines()) if line.strip())
    return f"the program raised {raised.strip()} (GPUFLEET_DEBUG=1 shows where)"


def _is_resource(urn: str) -> bool:
    return bool(urn) and "::pulumi:pulumi:Stack::" not in urn


def _place(model: RunModel, urn: str) -> str:
    node = model.nodes.get(urn)
    if node is None:
        return f"{urn.split('::')[2].rsplit('$', 1)[-1].rsplit(':', 1)[-1]} {urn.rsplit('::', 1)[-1]}"
    component = model.component_of(node)
    return f"{node.label} in {component}" if component else node.label
