"""What can go wrong between gpufleet and the Pulumi engine, each with Pulumi's own exit code.

GpufleetError
└── EngineError                 1  the engine failed in a way that has no name of its own
    ├── EngineUnavailableError  1  no fitting engine, and none could be installed
    ├── ProgramError            1  the Pulumi program raised
    ├── StackLockedError        1  another run holds the stack
    ├── StateWriteError         1  the folder of the state is full or read-only
    ├── PendingOperationsError  1  an earlier run was cut off in the middle of an operation
    ├── PluginError             2  a provider plugin is missing or does not start
    ├── SecretsError            3  wrong or missing passphrase, or no access to the secrets provider
    ├── BackendError            3  not logged in to the state backend, or it does not answer
    ├── ResourceError           4  the cloud refused a resource
    ├── PolicyError             5  a mandatory policy was violated
    ├── StackMissingError       6  no such stack
    ├── UnexpectedChangesError  7  changes where none were expected
    ├── RunCancelledError       8  the person stopped it
    └── RunTimeoutError         9  the engine gave up waiting
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpufleet.errors import ExitCode, GpufleetError

if TYPE_CHECKING:
    from gpufleet.engine.locks import Lock
    from gpufleet.engine.results import RunResult


class EngineError(GpufleetError):
    """The engine failed.

    Attributes:
        result: what had happened until then (steps, diagnostics), or None when the engine never started.
    """

    def __init__(self, message: str, *, hint: str = "", result: RunResult | None = None) -> None:
        super().__init__(message, hint=hint)
        self.result = result


class EngineUnavailableError(EngineError):
    """There is no fitting `pulumi`, and none could be installed."""


class ProgramError(EngineError):
    """The Pulumi program itself raised; the message is what it said."""


class StackLockedError(EngineError):
    """Another run holds the stack's lock.

    Attributes:
        locks: who holds it; empty when the backend does not say.
    """

    def __init__(
        self, message: str, *, hint: str = "", result: RunResult | None = None, locks: tuple[Lock, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint, result=result)
        self.locks = locks


class StateWriteError(EngineError):
    """The state cannot be written: its disk is full, or its folder read-only. What was there before is whole."""


class PendingOperationsError(EngineError):
    """An earlier run was cut off: the state does not know how its last operations ended."""


class PluginError(EngineError):
    """A provider plugin is missing or does not start."""

    exit_code = ExitCode.CONFIGURATION


class SecretsError(EngineError):
    """The stack's secrets cannot be read: wrong or missing passphrase, or no access to the key."""

    exit_code = ExitCode.AUTHENTICATION


class BackendError(EngineError):
    """The state backend refuses us or does not answer."""

    exit_code = ExitCode.AUTHENTICATION


class ResourceError(EngineError):
    """The cloud refused at least one resource; `result.diagnostics` says which and why."""

    exit_code = ExitCode.RESOURCE


class PolicyError(EngineError):
    """A mandatory policy was violated; `result.violations` says which."""

    exit_code = ExitCode.POLICY


class StackMissingError(EngineError):
    """The backend has no stack of that name."""

    exit_code = ExitCode.STACK_NOT_FOUND


class UnexpectedChangesError(EngineError):
    """There were changes although `expect_no_changes` was asked for."""

    exit_code = ExitCode.UNEXPECTED_CHANGES


class RunCancelledError(EngineError):
    """The run was stopped by the person; the engine finished what it had begun."""

    exit_code = ExitCode.CANCELLED


class RunTimeoutError(EngineError):
    """The engine gave up waiting."""

    exit_code = ExitCode.TIMEOUT
