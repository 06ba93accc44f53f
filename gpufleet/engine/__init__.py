"""The one door to Pulumi: find or build the engine, run a stack, read its events.

`EnvironmentStack` is imported from its module `stack`, since that imports pulumi; what is here is quick to import.
"""

from __future__ import annotations

from gpufleet.engine.errors import (
    BackendError,
    EngineError,
    EngineUnavailableError,
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
from gpufleet.engine.results import (
    SECRET,
    UNKNOWN,
    ChangeKind,
    Diagnostic,
    FailedOperation,
    OnEvent,
    PropertyChange,
    Resource,
    RunEvent,
    RunKind,
    RunOptions,
    RunResult,
    Severity,
    Step,
    StepStarted,
    Violation,
)

__all__ = [
    "SECRET",
    "UNKNOWN",
    "BackendError",
    "ChangeKind",
    "Diagnostic",
    "EngineError",
    "EngineUnavailableError",
    "FailedOperation",
    "OnEvent",
    "PendingOperationsError",
    "PluginError",
    "PolicyError",
    "ProgramError",
    "PropertyChange",
    "Resource",
    "ResourceError",
    "RunCancelledError",
    "RunEvent",
    "RunKind",
    "RunOptions",
    "RunResult",
    "RunTimeoutError",
    "SecretsError",
    "Severity",
    "StackLockedError",
    "StackMissingError",
    "Step",
    "StepStarted",
    "UnexpectedChangesError",
    "Violation",
]
