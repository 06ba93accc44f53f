"""The one door to Pulumi: find or build the engine, run a stack, read its events.

`EnvironmentStack` is imported from its module `stack`, since that imports pulumi; what is here is quick to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        StateWriteError,
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
    "StateWriteError",
    "Step",
    "StepStarted",
    "UnexpectedChangesError",
    "Violation",
]


def __getattr__(name: str) -> object:
    """Of a name above: its module is imported when it is asked for, since `check` needs folders' names alone."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{'errors' if name.endswith('Error') else 'results'}")
    found: object = getattr(home, name)
    globals()[name] = found
    return found
