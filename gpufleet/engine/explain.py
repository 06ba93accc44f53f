"""From the CLI's exit code and words to one of our errors."""

from __future__ import annotations

import re

from gpufleet.engine.azure_errors import refusal
from gpufleet.engine.command import CommandFailedError
from gpufleet.engine.errors import (
    BackendError,
    EngineError,
    PendingOperationsError,
    PluginError,
    PolicyError,
    ProgramError,
    ResourceError,
    RunCancelledError,
    RunTimeoutError,
    SecretsError,
    StackLockedError,
    StackMissingError,
    StateWriteError,
    UnexpectedChangesError,
)
from gpufleet.engine.locks import locks_in
from gpufleet.engine.results import RunKind, RunResult, Severity
from gpufleet.errors import ConfigurationError, ExitCode, GpufleetError

_ERROR_PREFIX = re.compile(r"^\s*error:\s*", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m|<\{%.*?%\}>")
_INLINE_ERROR = "python inline source runtime error: "

_FULL = ("no space left on device", "file too large", "disk quota exceeded")
_STATE_FILE = re.compile(
    r"(?P<path>/[^\n:]*/\.pulumi/(?:stacks|locks|history|backups)/[^\n:]*?)(?:\.[0-9a-f]{16}\.tmp)?: "
    rf"(?P<cause>{'|'.join(_FULL)}|permission denied|read-only file system|input/output error)"
)
_CUT_OFF = "What it had finished is in the state. {command} finds out what became of the rest, and goes on."

# What the CLI says, for failures whose exit code is a plain 1 or shared with others. First match wins.
_SIGNS: tuple[tuple[re.Pattern[str], type[EngineError], str], ...] = (
    (
        re.compile(r"the stack is currently locked by|\[409\] Conflict: Another update is currently in progress"),
        StackLockedError,
        "Wait for the other run. If it is dead: pulumi cancel --stack {stack}{after}",
    ),
    (
        re.compile(r"no stack named .* found"),
        StackMissingError,
        "List what there is with `gpufleet stacks`; `gpufleet up {stack}{flag}` makes it.",
    ),
    (
        re.compile(r"incorrect passphrase|passphrase must be set|get passphrase|decrypt(?:ing)? .*(?:failed|error)"),
        SecretsError,
        "Set PULUMI_CONFIG_PASSPHRASE (or _FILE) to the passphrase of this stack.",
    ),
    (
        re.compile(
            r"PULUMI_ACCESS_TOKEN must be set|not logged in|could not (?:get|determine) current (?:backend|user)"
        ),
        BackendError,
        "Log in to the backend that holds the state, for example: pulumi login azblob://<container>",
    ),
    (
        re.compile(r"no resource plugin '?[\w-]+|could not (?:load|find) plugin|failed to (?:load|launch) plugin"),
        PluginError,
        "{plugins}",
    ),
    (
        re.compile(r"pending operations"),
        PendingOperationsError,
        "`gpufleet refresh {stack}{flag}` looks at what really exists and repairs the state.",
    ),
)
_BY_CODE: dict[int, tuple[type[EngineError], str]] = {
    ExitCode.AUTHENTICATION: (
        SecretsError,
        "Check the credentials of the backend and of the stack's secrets provider.",
    ),
    ExitCode.RESOURCE: (ResourceError, ""),
    ExitCode.POLICY: (PolicyError, ""),
    ExitCode.STACK_NOT_FOUND: (StackMissingError, "List what there is with `gpufleet stacks`."),
    ExitCode.UNEXPECTED_CHANGES: (UnexpectedChangesError, "Look at them with `gpufleet preview {stack}{flag}`."),
    ExitCode.CANCELLED: (RunCancelledError, ""),
    ExitCode.TIMEOUT: (RunTimeoutError, ""),
}


def explain(
    failure: CommandFailedError, result: RunResult, program: BaseException | None, *, sandbox: bool = False
) -> GpufleetError:
    """The error to raise for a failed run.

    Args:
        failure: what the CLI answered.
        result: what had happened until then.
        program: what the program raised, if it did.
        sandbox: where it ran, for the hints.
    """
    stack = result.environment
    if failure.cancelled:
        return _cancelled(failure, result, sandbox=sandbox)
    if isinstance(program, GpufleetError):
        return program
    if program is not None or _INLINE_ERROR in failure.result.stdout:
        return ProgramError(f"the program of {stack} failed: {_program_error(program, result)}", result=result)
    if any(violation.level == "mandatory" for violation in result.violations):
        return PolicyError(_headline(result), result=result)
    return (
        _cannot_write(failure, result, sandbox=sandbox)
        or _failed(result, sandbox=sandbox)
        or _ended_by_signal(failure, result, sandbox=sandbox)
        or _by_words(failure, result, sandbox=sandbox)
        or _refused(result)
        or _by_code(failure, result, sandbox=sandbox)
    )


def _cancelled(failure: CommandFailedError, result: RunResult, *, sandbox: bool) -> EngineError:
    what = f"{result.kind} of {result.environment}"
    if result.kind is RunKind.PREVIEW:
        return RunCancelledError(f"{what} was cancelled; nothing was changed", result=result)
    hint = "Go on with {command}.".format_map(_hints(result, sandbox=sandbox))
    if failure.stops > 1 or failure.result.code < 0:
        said = f"{what} was stopped at once; the next run finds out what became of what was under way"
        return RunCancelledError(said, hint=hint, result=result)
    # A provider that is told to stop leaves long operations to Azure, which carries them out all the same.
    rest = (
        "what is under way goes on in Azure, and the next run finds out"
        if result.failed
        else "what had begun was finished"
    )
    return RunCancelledError(f"{what} was cancelled; {rest}", hint=hint, result=result)


def _failed(result: RunResult, *, sandbox: bool) -> EngineError | None:
    if any(step.failed for step in result.steps):
        return ResourceError(_headline(result), hint=_again(result, sandbox=sandbox), result=result)
    return None


def _cannot_write(failure: CommandFailedError, result: RunResult, *, sandbox: bool) -> EngineError | None:
    """The state's folder is full or not ours to write; whatever else failed, failed because of that."""
    match = _STATE_FILE.search("\n".join([_said(failure), *_errors(result)]))
    if match is None:
        return None
    path, cause = match["path"], match["cause"]
    fix = "Free some space there" if cause in _FULL else "Make that folder one that you may write"
    hint = f"{fix}. The state is whole, as it was before: then {{command}} goes on."
    return StateWriteError(
        f"the state of {result.environment} cannot be written: {path}: {cause}",
        hint=hint.format_map(_hints(result, sandbox=sandbox)),
        result=result,
    )


def _by_words(failure: CommandFailedError, result: RunResult, *, sandbox: bool) -> EngineError | None:
    said = _said(failure)
    words = "\n".join([said, *_errors(result)])
    for sign, kind, template in _SIGNS:
        if not sign.search(words):
            continue
        hint = template.format_map(_hints(result, sandbox=sandbox))
        if kind is StackLockedError and (locks := locks_in(said)):
            holders = "; ".join(lock.holder for lock in locks)
            return StackLockedError(
                f"{result.environment} is locked by {holders}", hint=hint, result=result, locks=locks
            )
        return kind(_first(words, sign), hint=hint, result=result)
    return None


def _refused(result: RunResult) -> EngineError | None:
    """A preview has no failed steps: what a provider's check refuses is a message about the resource alone."""
    if any(told.severity is Severity.ERROR and _is_about_a_resource(told.urn) for told in result.diagnostics):
        return ResourceError(_headline(result), result=result)
    return None


def _is_about_a_resource(urn: str) -> bool:
    return bool(urn) and "::pulumi:pulumi:Stack::" not in urn


def _by_code(failure: CommandFailedError, result: RunResult, *, sandbox: bool) -> GpufleetError:
    message = _headline(result) if _errors(result) else _said(failure) or _headline(result)
    if failure.result.code == ExitCode.CONFIGURATION:
        return ConfigurationError(message)
    kind, hint = _BY_CODE.get(failure.result.code, (EngineError, ""))
    return kind(message, hint=hint.format_map(_hints(result, sandbox=sandbox)), result=result)


def _ended_by_signal(failure: CommandFailedError, result: RunResult, *, sandbox: bool) -> EngineError | None:
    if failure.result.code >= 0:
        return None
    return EngineError(
        f"{result.kind} of {result.environment} ended early: the engine was killed by signal {-failure.result.code}",
        hint=_CUT_OFF.format_map(_hints(result, sandbox=sandbox)),
        result=result,
    )


def _again(result: RunResult, *, sandbox: bool) -> str:
    """What to say after a run in which nothing failed but what passes by itself."""
    if result.failed and all(refusal(failure.message).passes_by_itself for failure in result.failed):
        flag = " --sandbox" if sandbox else ""
        verb = "preview" if result.kind is RunKind.PREVIEW else result.kind
        return f"By Azure's own account this passes by itself. Run again: gpufleet {verb} {result.environment}{flag}"
    return ""


def _hints(result: RunResult, *, sandbox: bool) -> dict[str, str]:
    """What the hints above may say."""
    stack = result.environment
    flag = " --sandbox" if sandbox else ""
    return {
        "stack": stack,
        "flag": flag,
        "command": f"`gpufleet {result.kind} {stack}{flag}`",
        "after": f' (after eval "$(gpufleet env {stack} --sandbox)")' if sandbox else "",
        "plugins": f"`gpufleet env {stack} --sandbox` makes the sandbox's providers anew."
        if sandbox
        else "Install the providers with `pulumi install`.",
    }


def _said(failure: CommandFailedError) -> str:
    """The CLI's own error lines, without colours and the word "error:"."""
    text = _COLOUR.sub("", failure.result.stderr).strip()
    return "\n".join(_ERROR_PREFIX.sub("", line) for line in text.splitlines() if line.strip())


def _errors(result: RunResult) -> list[str]:
    return [diagnostic.message for diagnostic in result.diagnostics if diagnostic.severity is Severity.ERROR]


def _headline(result: RunResult) -> str:
    failed = sum(step.failed for step in result.steps)
    mandatory = sum(violation.level == "mandatory" for violation in result.violations)
    if failed:
        what = f"{failed} resource{'s' if failed > 1 else ''} failed"
    elif mandatory:
        what = f"{mandatory} mandatory polic{'ies' if mandatory > 1 else 'y'} violated"
    else:
        errors = _errors(result)
        what = errors[0].splitlines()[0] if errors else "the engine gave no reason"
    return f"{result.kind} of {result.environment} failed: {_ERROR_PREFIX.sub('', what)}"


def _program_error(program: BaseException | None, result: RunResult) -> str:
    if program is not None:
        return f"{type(program).__name__}: {program}"
    for message in _errors(result):
        if _INLINE_ERROR in message:
            return message.partition(_INLINE_ERROR)[2].partition("\n")[0]
    return "it raised"


def _first(text: str, sign: re.Pattern[str]) -> str:
    """The line that gave a failure away."""
    return next(line for line in text.splitlines() if sign.search(line)).strip()
