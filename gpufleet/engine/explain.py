"""From the CLI's exit code and words to one of our errors."""

from __future__ import annotations

import re

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
    UnexpectedChangesError,
)
from gpufleet.engine.results import RunResult, Severity
from gpufleet.errors import ConfigurationError, ExitCode, GpufleetError

_ERROR_PREFIX = re.compile(r"^\s*error:\s*", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m|<\{%.*?%\}>")
_INLINE_ERROR = "python inline source runtime error: "

# What the CLI says, for failures whose exit code is a plain 1 or shared with others. First match wins.
_SIGNS: tuple[tuple[re.Pattern[str], type[EngineError], str], ...] = (
    (
        re.compile(r"the stack is currently locked by|\[409\] Conflict: Another update is currently in progress"),
        StackLockedError,
        "Wait for the other run. If it was killed: pulumi cancel --stack {stack}, in the sandbox after `gpufleet env`.",
    ),
    (
        re.compile(r"no stack named .* found"),
        StackMissingError,
        "List what there is with `gpufleet stacks`; `gpufleet up {stack}` makes it.",
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
        "Install the providers with `pulumi install`; in the sandbox `gpufleet env {stack} --sandbox` makes them anew.",
    ),
    (
        re.compile(r"pending operations"),
        PendingOperationsError,
        "See what really exists, then: pulumi refresh --stack {stack} (or gpufleet up {stack} --refresh)",
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
    ExitCode.UNEXPECTED_CHANGES: (UnexpectedChangesError, "Look at them with `gpufleet preview {stack}`."),
    ExitCode.CANCELLED: (RunCancelledError, ""),
    ExitCode.TIMEOUT: (RunTimeoutError, ""),
}


def explain(failure: CommandFailedError, result: RunResult, program: BaseException | None) -> GpufleetError:
    """The error to raise for a failed run.

    Args:
        failure: what the CLI answered.
        result: what had happened until then.
        program: what the program raised, if it did.
    """
    stack = result.environment
    if failure.cancelled:
        return RunCancelledError(f"{result.kind} of {stack} was cancelled; what had begun was finished", result=result)
    if isinstance(program, GpufleetError):
        return program
    if program is not None or _INLINE_ERROR in failure.result.stdout:
        return ProgramError(f"the program of {stack} failed: {_program_error(program, result)}", result=result)
    if any(violation.level == "mandatory" for violation in result.violations):
        return PolicyError(_headline(result), result=result)
    if any(step.failed for step in result.steps):
        return ResourceError(_headline(result), result=result)
    return _ended_by_signal(failure, result) or _by_words(failure, result) or _by_code(failure, result)


def _by_words(failure: CommandFailedError, result: RunResult) -> EngineError | None:
    words = "\n".join([_said(failure), *_errors(result)])
    for sign, kind, hint in _SIGNS:
        if sign.search(words):
            return kind(_first(words, sign), hint=hint.format(stack=result.environment), result=result)
    return None


def _by_code(failure: CommandFailedError, result: RunResult) -> GpufleetError:
    message = _headline(result) if _errors(result) else _said(failure) or _headline(result)
    if failure.result.code == ExitCode.CONFIGURATION:
        return ConfigurationError(message)
    kind, hint = _BY_CODE.get(failure.result.code, (EngineError, ""))
    return kind(message, hint=hint.format(stack=result.environment), result=result)


def _ended_by_signal(failure: CommandFailedError, result: RunResult) -> EngineError | None:
    if failure.result.code >= 0:
        return None
    return EngineError(
        f"{result.kind} of {result.environment} ended early: the engine was killed by signal {-failure.result.code}",
        hint="What it had finished is in the state. Its lock stays: see `pulumi cancel`.",
        result=result,
    )


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
