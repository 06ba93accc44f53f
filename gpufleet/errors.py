"""What every part of gpufleet raises for a person's mistake or a failed run, and the exit code that goes with it.

The numbers are Pulumi's own (pulumi/pulumi: sdk/go/common/util/cmdutil/exit.go, since v3.226.1), so that a script may
treat `gpufleet` and `pulumi` alike; 10 to 12 are ours.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit code of a `gpufleet` command."""

    OK = 0
    ERROR = 1
    CONFIGURATION = 2
    AUTHENTICATION = 3
    RESOURCE = 4
    POLICY = 5
    STACK_NOT_FOUND = 6
    UNEXPECTED_CHANGES = 7
    CANCELLED = 8
    TIMEOUT = 9
    UNDECIDED = 10
    PREFLIGHT = 11
    WAIVER = 12


class GpufleetError(Exception):
    """An error whose text is meant for the person at the terminal: no stack trace, one exit code.

    Args:
        message: what is wrong, in one or more lines.
        hint: what to do about it; shown under the message.
    """

    exit_code: ExitCode = ExitCode.ERROR
    names_places: ClassVar[bool] = False
    """Whether each line of the message says by itself where and how bad, `file:line:column: error: …`."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigurationError(GpufleetError):
    """Something that the person wrote (a file, an option, an environment variable) cannot work."""

    exit_code = ExitCode.CONFIGURATION


class AuthenticationError(GpufleetError):
    """No credentials, or ones that are refused."""

    exit_code = ExitCode.AUTHENTICATION


class StoppedError(GpufleetError):
    """Ctrl-C, or the end of input at a question."""

    exit_code = ExitCode.CANCELLED

    def __init__(self) -> None:
        super().__init__("cancelled")
