"""A backend whose requests can be told to fail: faults on demand for clouds that do not know of them themselves.

Azure's faults strike inside its Resource Manager, where they belong to a transaction; Kubernetes' API server answers at
once, so they can stand around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sandbox import faults
from sandbox.azure import operations
from sandbox.errors import OutcomeUnknownError, PartialFailureError, SandboxError
from sandbox.faults import Fault, Phase
from sandbox.pace import Pace
from sandbox.providers.difference import Difference
from sandbox.providers.shell import Backend, Checked, CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import Properties, reveal

T = TypeVar("T")

_LATE_SECONDS = 600.0


class Faulty(Backend):
    """Another backend, with what the sandbox was told to fail around its requests."""

    def __init__(self, backend: Backend, store: Store, pace: Pace) -> None:
        self.package, self.version = backend.package, backend.version
        self._backend = backend
        self._store = store
        self._pace = pace

    def check_config(self, news: Properties) -> Checked:
        """As the backend does."""
        return self._backend.check_config(news)

    def diff_config(self, olds: Properties, news: Properties) -> Difference:
        """As the backend does."""
        return self._backend.diff_config(olds, news)

    def configure(self, variables: Properties) -> None:
        """As the backend does."""
        self._backend.configure(variables)

    def cancel(self) -> None:
        """End what waits."""
        self._pace.cancel()
        self._backend.cancel()

    def check(self, request: CheckRequest) -> Checked:
        """As the backend does."""
        return self._backend.check(request)

    def diff(self, urn: Urn, old_inputs: Properties, news: Properties) -> Difference:
        """As the backend does."""
        return self._backend.diff(urn, old_inputs, news)

    def preview(self, urn: Urn, inputs: Properties, state: Properties | None) -> Properties:
        """As the backend does; what runs has ended by its clock."""
        self._settle()
        return self._backend.preview(urn, inputs, state)

    def create(self, urn: Urn, inputs: Properties) -> tuple[str, Properties]:
        """Create, unless a fault strikes."""
        return self._struck(
            "create",
            urn,
            _name_in(inputs),
            lambda: self._backend.create(urn, inputs),
            lambda made, reason: PartialFailureError(made[0], made[1], reason),
        )

    def update(self, urn: Urn, resource_id: str, inputs: Properties, state: Properties) -> Properties:
        """Update, unless a fault strikes."""
        return self._struck(
            "update",
            urn,
            _last_of(resource_id),
            lambda: self._backend.update(urn, resource_id, inputs, state),
            lambda outputs, reason: PartialFailureError(resource_id, outputs, reason),
        )

    def read(
        self, urn: Urn, resource_id: str, state: Properties, inputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """Read, unless a fault strikes."""
        return self._struck(
            "read", urn, _last_of(resource_id), lambda: self._backend.read(urn, resource_id, state, inputs), _plain
        )

    def delete(self, urn: Urn, resource_id: str, state: Properties) -> None:
        """Delete, unless a fault strikes."""
        self._struck(
            "delete", urn, _last_of(resource_id), lambda: self._backend.delete(urn, resource_id, state), _plain
        )

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """As the backend does."""
        return self._backend.invoke(token, arguments)

    def _settle(self) -> None:
        operations.settle(self._store, time.time())

    def _struck(
        self, verb: str, urn: Urn, name: str, work: Callable[[], T], failed: Callable[[T, str], SandboxError]
    ) -> T:
        """Do the work, with what a fault makes of it; ``failed`` is the error of work that is done and went wrong."""
        self._settle()
        fault = self._fault(verb, urn, name)
        if fault is None:
            return work()
        reason = f"the Kubernetes API server reported: {fault.error({'name': name, 'type': urn.type}).message}"
        if fault.phase is Phase.REFUSED or verb == "read":
            raise SandboxError(f"{fault.code}: {reason}")
        done = work()
        if fault.phase is Phase.LOST:
            raise OutcomeUnknownError(fault.message)
        if fault.phase is Phase.LATE:
            self._pace.sleep(_LATE_SECONDS)
            return done
        text = "timed out waiting for it to become ready" if fault.phase is Phase.TIMEOUT else reason
        raise failed(
            done, f"the resource was {verb}d, but it failed to fully initialize or become live: {fault.code}: {text}"
        )

    def _fault(self, verb: str, urn: Urn, name: str) -> Fault | None:
        if not self._store.items(faults.FAULTS):
            return None
        with self._store.transaction() as transaction:
            return faults.strike(transaction, urn.type.partition(":")[2], name, verb)


def _plain(_: object, reason: str) -> SandboxError:
    return SandboxError(reason)


def _name_in(inputs: Properties) -> str:
    plain = reveal(inputs)
    metadata = plain.get("metadata")
    return str((metadata if isinstance(metadata, dict) else plain).get("name", ""))


def _last_of(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]
