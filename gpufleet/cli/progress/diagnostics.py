"""What went wrong, for a person: Azure's code and text first, then where, then what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gpufleet.cli.progress.model import RunModel
from gpufleet.cli.progress.words import plural
from gpufleet.engine import Diagnostic, Severity, Violation
from gpufleet.errors import GpufleetError

# How Azure's errors arrive: autorest's form (Status=409 Code="…" Message="…"), the newer SDK's (ERROR CODE: …), and the
# JSON body of Resource Manager itself.
_QUOTED = re.compile(r'Code="(?P<code>\w+)"\s+Message="(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
_UPPER = re.compile(r"ERROR CODE: (?P<code>\w+)")
_JSON = re.compile(r'"code":\s*"(?P<code>\w+)",\s*"message":\s*"(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
_STATUS = re.compile(r"(?:Status=|RESPONSE |StatusCode[=:] ?)(?P<status>\d{3})")

# What the engine says at the end of every failed run, after the causes.
_NOISE = re.compile(r"^(update|preview|destroy|refresh) (failed|canceled)$")
_PROGRAM = re.compile(
    r"^(an unhandled error occurred: )?(python inline source runtime error|Program .*): ", re.IGNORECASE
)
_PROTECTED = "because it is protected"

HINTS = {
    "AllocationFailed": "No capacity for this size there now: try again later, another zone or another region.",
    "AuthorizationFailed": "The identity that runs this lacks the role: Contributor plus Role Based Access Control "
    "Administrator on the subscription are enough.",
    "Conflict": "Another operation holds the resource: wait until it is done, then run the same command again.",
    "ExpiredAuthenticationToken": "Sign in again: az login.",
    "InvalidAuthenticationToken": "Sign in again: az login.",
    "MissingSubscriptionRegistration": "Register the resource provider: az provider register --namespace NAME.",
    "OperationNotAllowed": "If the text speaks of quota: az quota update, or lower nodes.max in the stack file.",
    "OverconstrainedAllocationRequest": "Zone, size and placement together leave no capacity: relax one of them.",
    "PrincipalNotFound": "Entra ID has not replicated the new identity yet: run the same command again.",
    "QuotaExceeded": "Ask for more quota of this VM family in this region (az quota update), or lower nodes.max in the "
    "stack file.",
    "ReadOnlyDisabledSubscription": "The subscription is disabled: its owner has to enable it.",
    "ResourceGroupBeingDeleted": "An earlier destroy is still under way: wait until it is done.",
    "ScopeLocked": "A management lock forbids this: az lock list --resource-group GROUP.",
    "SkuNotAvailable": "This size is not offered to your subscription there: az vm list-skus --location REGION "
    "--resource-type virtualMachines.",
    "SubnetIsFull": "The subnet has no address left: a pool's nodes and pods need a larger prefix.",
    "TooManyRequests": "Azure throttles: wait a minute and run the same command again with a lower --parallel.",
}
"""What to do, by Azure error code. Codes and causes: Microsoft Learn, "Troubleshoot common Azure deployment errors" and
"Azure Kubernetes Service: error codes"; throttling of agent pools: azure-aks-docs quotas-skus-regions."""


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
        code = f"{self.code} ({self.status})" if self.code and self.status else self.code
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
        if not is_noise(diagnostic):
            yield _read(diagnostic, traces=traces), diagnostic.urn
    for violation in model.violations:
        yield _judged(violation), violation.urn


def _read(diagnostic: Diagnostic, *, traces: bool) -> _Key:
    message = diagnostic.message
    if _PROTECTED in message:
        hint = f"To delete it on purpose: gpufleet destroy ENV --unprotect {diagnostic.urn.rsplit('::', 1)[-1]}"
        return diagnostic.severity, "protected", 0, "The engine refuses to delete a protected resource.", hint
    status_match = _STATUS.search(message)
    status = int(status_match["status"]) if status_match else 0
    for pattern in (_QUOTED, _JSON):
        if match := pattern.search(message):
            return diagnostic.severity, match["code"], status, _unescaped(match["text"]), HINTS.get(match["code"], "")
    if match := _UPPER.search(message):
        return diagnostic.severity, match["code"], status, message, HINTS.get(match["code"], "")
    return diagnostic.severity, "", status, _program_text(message, traces=traces), ""


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


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\r", "").strip()


def _is_resource(urn: str) -> bool:
    return bool(urn) and "::pulumi:pulumi:Stack::" not in urn


def _place(model: RunModel, urn: str) -> str:
    node = model.nodes.get(urn)
    if node is None:
        return f"{urn.split('::')[2].rsplit('$', 1)[-1].rsplit(':', 1)[-1]} {urn.rsplit('::', 1)[-1]}"
    component = model.component_of(node)
    return f"{node.label} in {component}" if component else node.label
