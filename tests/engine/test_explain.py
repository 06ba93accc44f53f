from __future__ import annotations

import pytest
from pulumi.automation import CommandResult

from gpufleet.engine import (
    BackendError,
    Diagnostic,
    EngineError,
    FailedOperation,
    PendingOperationsError,
    PluginError,
    PolicyError,
    ProgramError,
    Resource,
    ResourceError,
    RunCancelledError,
    RunKind,
    RunResult,
    RunTimeoutError,
    SecretsError,
    Severity,
    StackLockedError,
    StackMissingError,
    Step,
    UnexpectedChangesError,
    Violation,
)
from gpufleet.engine.command import CommandFailedError
from gpufleet.engine.explain import explain
from gpufleet.errors import ConfigurationError, GpufleetError


def failure(code: int, stderr: str = "", stdout: str = "", *, stops: int = 0) -> CommandFailedError:
    return CommandFailedError(CommandResult(stdout=stdout, stderr=stderr, code=code), stops=stops)


def result(*, errors: tuple[str, ...] = (), failed: int = 0, violations: tuple[Violation, ...] = ()) -> RunResult:
    resource = Resource(urn="urn:pulumi:dev::gpufleet::t::n", type="t", name="n", parent="", custom=True)
    return RunResult(
        kind=RunKind.UP,
        environment="dev",
        changes={},
        steps=tuple(Step(resource=resource, op="create", failed=True, seconds=1.0) for _ in range(failed)),
        diagnostics=tuple(Diagnostic(severity=Severity.ERROR, message=message) for message in errors),
        violations=violations,
    )


MANDATORY = Violation(policy="p", pack="k", level="mandatory", message="no")
ADVISORY = Violation(policy="p", pack="k", level="advisory", message="hm")


@pytest.mark.parametrize(
    ("stderr", "kind", "code"),
    [
        ("error: the stack is currently locked by 1 lock(s). Either wait …", StackLockedError, 1),
        ("error: [409] Conflict: Another update is currently in progress.", StackLockedError, 1),
        ("error: no stack named 'dev' found", StackMissingError, 6),
        ("error: getting secrets manager: incorrect passphrase", SecretsError, 3),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or …_FILE", SecretsError, 3),
        ("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", BackendError, 3),
        (
            "error: no resource plugin 'pulumi-resource-azure-native' found in the workspace at version v3",
            PluginError,
            2,
        ),
        ("error: the current deployment has 1 resource(s) with pending operations:", PendingOperationsError, 1),
        ("\x1b[31merror: \x1b[0mno stack named 'dev' found", StackMissingError, 6),
        ("error: something new", EngineError, 1),
    ],
)
def test_the_clis_words(stderr: str, kind: type[EngineError], code: int):
    error = explain(failure(255, stderr), result(), None)
    assert type(error) is kind
    assert error.exit_code == code
    assert "\x1b" not in error.message
    assert not error.message.startswith("error:")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, EngineError),
        (2, ConfigurationError),
        (3, SecretsError),
        (4, ResourceError),
        (5, PolicyError),
        (6, StackMissingError),
        (7, UnexpectedChangesError),
        (8, RunCancelledError),
        (9, RunTimeoutError),
        (255, EngineError),
    ],
)
def test_the_clis_exit_codes(code: int, kind: type[GpufleetError]):
    error = explain(failure(code), result(errors=("what it said\nmore",)), None)
    assert type(error) is kind
    assert error.message == "up of dev failed: what it said"
    assert error.exit_code == (code if code <= 9 else 1)


def test_an_engine_that_was_killed():
    error = explain(failure(-9), result(errors=("half a",)), None)
    assert type(error) is EngineError
    assert error.message == "up of dev ended early: the engine was killed by signal 9"


def test_what_happened_says_more_than_a_plain_1():
    error = explain(failure(1, "error: update failed"), result(failed=2, errors=("Code=QuotaExceeded",)), None)
    assert type(error) is ResourceError
    assert error.message == "up of dev failed: 2 resources failed"
    error = explain(failure(1), result(violations=(ADVISORY, MANDATORY)), None)
    assert type(error) is PolicyError
    assert error.message == "up of dev failed: 1 mandatory policy violated"


def test_advice_alone_is_no_policy_error():
    assert type(explain(failure(1), result(violations=(ADVISORY,)), None)) is EngineError


def test_stopping_comes_before_what_it_broke():
    error = explain(failure(1, stops=1), result(failed=1), None)
    assert type(error) is RunCancelledError


def test_the_programs_own_error_is_raised_as_it_is():
    mistake = ConfigurationError("stacks/Pulumi.dev.yaml:3: bad")
    assert explain(failure(1), result(), mistake) is mistake


def test_a_bug_in_the_program():
    error = explain(failure(1), result(), KeyError("x"))
    assert type(error) is ProgramError
    assert error.message == "the program of dev failed: KeyError: 'x'"


def test_the_result_travels_with_the_error():
    outcome = result(failed=1)
    error = explain(failure(4), outcome, None)
    assert isinstance(error, EngineError)
    assert error.result is outcome


def checked(message: str) -> RunResult:
    told = Diagnostic(severity=Severity.ERROR, message=message, urn="urn:pulumi:dev::gpufleet::t::n")
    return RunResult(kind=RunKind.PREVIEW, environment="dev", changes={}, steps=(), diagnostics=(told,))


def test_what_a_check_refuses_at_preview_is_a_resource_error():
    error = explain(failure(255), checked("resource 'n' has a problem: 'vmSize' is not one of …"), None)
    assert type(error) is ResourceError
    assert error.exit_code == 4


def lost_by(*messages: str) -> RunResult:
    resource = Resource(urn="urn:pulumi:dev::gpufleet::t::n", type="t", name="n", parent="", custom=True)
    return RunResult(
        kind=RunKind.UP,
        environment="dev",
        changes={},
        steps=(Step(resource=resource, op="create", failed=True, seconds=1.0),),
        failed=tuple(
            FailedOperation(resource=resource, op="create", provider="", inputs={}, message=message, recorded=False)
            for message in messages
        ),
    )


BUSY = 'Status=409 Code="AnotherOperationInProgress" Message="Wait."'
FULL = 'Status=409 Code="QuotaExceeded" Message="No."'


def test_only_when_everything_passes_by_itself_the_same_command_is_the_advice():
    error = explain(failure(1), lost_by(BUSY, BUSY), None, sandbox=True)
    assert isinstance(error, ResourceError)
    assert error.hint.endswith("Run again: gpufleet up dev --sandbox")
    mixed = explain(failure(1), lost_by(BUSY, FULL), None)
    assert isinstance(mixed, ResourceError)
    assert mixed.hint == ""


@pytest.mark.parametrize(
    ("sandbox", "hint"),
    [
        (False, "Install the providers with `pulumi install`."),
        (True, "`gpufleet env dev --sandbox` makes the sandbox's providers anew."),
    ],
)
def test_a_missing_plugin_is_mended_where_the_run_was(sandbox: bool, hint: str):
    said = "error: no resource plugin 'pulumi-resource-azure-native' found in the workspace at version v3"
    error = explain(failure(255, said), result(), None, sandbox=sandbox)
    assert isinstance(error, PluginError)
    assert error.hint == hint


@pytest.mark.parametrize(
    ("stops", "code", "said"),
    [
        (1, 1, "up of dev was cancelled; what had begun was finished"),
        (2, 1, "up of dev was stopped at once; the next run finds out what became of what was under way"),
        (1, -2, "up of dev was stopped at once; the next run finds out what became of what was under way"),
    ],
)
def test_what_is_said_after_ctrl_c(stops: int, code: int, said: str):
    error = explain(failure(code, stops=stops), result(), None, sandbox=True)
    assert isinstance(error, RunCancelledError)
    assert (error.message, error.hint) == (said, "Go on with `gpufleet up dev --sandbox`.")


def test_a_cancelled_wait_is_not_said_to_be_finished():
    error = explain(failure(1, stops=1), lost_by("context canceled"), None)
    assert isinstance(error, RunCancelledError)
    assert error.message == "up of dev was cancelled; what is under way goes on in Azure, and the next run finds out"


def test_a_plugin_that_may_not_run_is_not_taken_for_the_state():
    error = explain(failure(1, "error: fork/exec /home/a/.pulumi/plugins/x/p: permission denied"), result(), None)
    assert type(error) is EngineError
