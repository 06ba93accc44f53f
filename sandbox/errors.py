"""Errors of the sandbox's clouds. Their text is what the user reads: it has the form the real service uses."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.values import Properties


class SandboxError(Exception):
    """Base of every error that a sandbox's cloud answers with."""


class NotEmulatedError(SandboxError):
    """Something that exists in the real cloud and not in the sandbox: refused by name, never waved through."""


class ArmError(SandboxError):
    """An error of Azure Resource Manager: HTTP status, code and message.

    Source of the text's form: azcore.ResponseError as pulumi-azure-native prints it (``Status=404 Code="…"
    Message="…"``).
    """

    def __init__(
        self, status: int, code: str, message: str, *, asynchronous: bool = False, retry_after: float | None = None
    ) -> None:
        """Make the error.

        Args:
            status: HTTP status.
            code: Azure's code.
            message: Azure's text.
            asynchronous: raised by a type's rule, it lets the request be accepted and its operation fail (a size with
                no capacity): the resource stays, in provisioningState Failed.
            retry_after: seconds that the answer's header Retry-After asks to wait.
        """
        super().__init__(f'Status={status} Code="{code}" Message="{message}"')
        self.status = status
        self.code = code
        self.message = message
        self.asynchronous = asynchronous
        self.retry_after = retry_after


class OutcomeUnknownError(SandboxError):
    """No answer came: the work may be done or not. Nothing about the resource can be said to the engine."""


class PartialFailureError(SandboxError):
    """A resource exists, and its operation failed or was not seen to its end: what is known of it, for the state."""

    def __init__(self, resource_id: str, outputs: Properties, reason: str) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.outputs = outputs


class KubernetesError(SandboxError):
    """An error of a Kubernetes API server; ``reason`` is the API's own (NotFound, AlreadyExists, Invalid, …)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing wrong with a resource's inputs: the property's path (empty for the whole resource) and the reason."""

    path: str
    reason: str
