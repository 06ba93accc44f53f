"""Azure Resource Manager over the store: create, read, update, delete and list, with ARM's own rules and errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sandbox import arm, faults, outages
from sandbox.azure import operations, registry, throttling
from sandbox.azure.context import context_in, put_companions
from sandbox.azure.model import SANDBOX_SUBSCRIPTION, SANDBOX_TENANT, Context, ResourceType
from sandbox.azure.operations import Verb, duration_in, duration_of, state_of, with_state
from sandbox.azure.outputs import outputs_of
from sandbox.azure.preconditions import (
    references_of,
    require_group,
    require_parents,
    require_references,
    require_same,
)
from sandbox.azure.strikes import Struck, require_reachable, strike
from sandbox.contract import Contract
from sandbox.errors import ArmError, OutcomeUnknownError, SandboxError
from sandbox.faults import Phase
from sandbox.pace import Pace
from sandbox.store import Record, Store, Transaction
from sandbox.values import Properties, reveal

# azureContext in pulumi-azure-native's provider.go: two hours, unless the program's customTimeouts say otherwise.
DEFAULT_TIMEOUT = 7200.0
# updatePollingIntervalSeconds and deletePollingIntervalSeconds of its client_azcore.go.
_POLL_SECONDS = {"create": 10.0, "update": 10.0, "delete": 30.0}
# How much longer than usual: a success that is reported late, and one that the provider does not wait for.
_LATE_SECONDS = 600.0
_ENDLESS_SECONDS = 3 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A request that Azure took.

    Attributes:
        id: the resource's ARM id.
        verb: what was asked for.
        until: when its operation ends, in seconds since the epoch.
        seconds: how long it takes, in Azure's seconds.
        resource: the outcome when it is there at once; None while the operation runs, when it failed, after a deletion.
        error: what the operation ends with.
        lost: why no answer arrives, or empty.
    """

    id: str
    verb: Verb
    until: float
    seconds: float = 0.0
    resource: Resource | None = None
    error: ArmError | None = None
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in the cloud: its ARM id (in the case it was created with), its type's token and its outputs."""

    id: str
    pulumi_type: str
    outputs: Properties


class ResourceManager:
    """One subscription's resources. Safe for threads and processes: every change is one transaction of the store."""

    def __init__(
        self,
        store: Store,
        contract_of: Callable[[str], Contract],
        *,
        subscription: str = SANDBOX_SUBSCRIPTION,
        tenant: str = SANDBOX_TENANT,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        pace: Pace | None = None,
    ) -> None:
        self.store = store
        self.subscription = subscription
        self.tenant = tenant
        self._contract_of = contract_of
        self._now = now
        self._pace = pace or Pace()

    def id_of(self, kind: ResourceType, inputs: Properties) -> str:
        """The ARM id that these inputs make."""
        names = {name: str(reveal(inputs[name])) for name in kind.path_parameters}
        return arm.format_id(kind.path, {"subscriptionId": self.subscription, **names})

    def find(self, resource_id: str) -> Resource | None:
        """The resource with this id, or None."""
        self._settle()
        record = self.store.get(resource_id)
        return None if record is None else _resource(record)

    def read(self, resource_id: str) -> Resource | None:
        """Ask for the resource with this id: None when there is none.

        Raises:
            ArmError: its region is down, or the sandbox was told to fail.
        """
        found = self.find(resource_id)
        if found is None or not (self.store.items(faults.FAULTS) or self.store.items(outages.OUTAGES)):
            return found
        kind = registry.by_token(found.pulumi_type)
        with self.store.transaction() as transaction:
            struck = strike(transaction, kind, found.id, "read", found.outputs, tenant=self.tenant)
            if struck.refusal is None:
                require_reachable(transaction, found.id, found.outputs)
        if struck.refusal is not None:
            raise struck.refusal
        return found

    def require(self, resource_id: str) -> Resource:
        """The resource with this id.

        Raises:
            ArmError: ResourceNotFound or ResourceGroupNotFound; what `read` raises.
        """
        found = self.read(resource_id)
        if found is None:
            require_group(self.store.get, resource_id)
            raise arm.resource_not_found(resource_id)
        return found

    def all(self) -> Iterator[Resource]:
        """Every Azure resource, in order of creation."""
        self._settle()
        for _, record in self.store.items("/subscriptions/"):
            if "token" in record:
                yield _resource(record)

    def create(self, kind: ResourceType, inputs: Properties) -> Resource:
        """Create a resource from checked inputs and wait for the end.

        Raises:
            SandboxError: the id is taken.
            ArmError: a parent, a referenced resource or the resource group does not exist; the service refuses a value;
                the operation failed.
        """
        return self.finish(self.begin_create(kind, inputs)) or self.require(self.id_of(kind, inputs))

    def update(self, resource_id: str, kind: ResourceType, inputs: Properties) -> Resource:
        """Replace a resource's properties and wait for the end.

        Raises:
            ArmError: the resource is gone, a property is fixed, a reference leads nowhere, or the operation failed.
        """
        return self.finish(self.begin_update(resource_id, kind, inputs)) or self.require(resource_id)

    def delete(self, resource_id: str) -> None:
        """Delete a resource with everything below it and wait for the end; one that is gone is no error (ARM's 204).

        Raises:
            ArmError: something still uses it, or the operation failed.
        """
        accepted = self.begin_delete(resource_id)
        if accepted is not None:
            self.finish(accepted)

    def begin_create(self, kind: ResourceType, inputs: Properties) -> Accepted:
        """Ask for a creation. Raises what `create` raises, but for a failed operation."""
        resource_id = self.id_of(kind, inputs)

        def work(transaction: Transaction) -> Record:
            require_parents(transaction, resource_id)
            require_references(transaction, resource_id, inputs, self.subscription)
            # Under the id of one that was deleted softly Azure gives that one back, with its identity.
            kept = operations.recover(transaction, resource_id, self._now().timestamp()) or {
                "generation": transaction.generation(resource_id) + 1,
                "created": self._now().isoformat(timespec="seconds").replace("+00:00", "Z"),
            }
            return {
                "id": resource_id,
                "token": kind.pulumi_type,
                "generation": kept["generation"],
                "created": kept["created"],
                "inputs": inputs,
                "references": references_of(inputs),
            }

        return self._write(kind, resource_id, "create", inputs, work)

    def begin_update(self, resource_id: str, kind: ResourceType, inputs: Properties) -> Accepted:
        """Ask for an update. Raises what `update` raises, but for a failed operation."""

        def work(transaction: Transaction) -> Record:
            record = transaction.get(resource_id)
            if record is None:
                require_group(transaction.get, resource_id)
                raise arm.resource_not_found(resource_id)
            require_same(record["id"], kind, record["inputs"], inputs)
            require_references(transaction, resource_id, inputs, self.subscription)
            return {**record, "inputs": inputs, "references": references_of(inputs)}

        return self._write(kind, resource_id, "update", inputs, work)

    def begin_delete(self, resource_id: str) -> Accepted | None:
        """Ask for a deletion: None when there is nothing to delete. Raises what `delete` raises, but for a failure."""
        self._settle()
        with self.store.transaction() as transaction:
            record = transaction.get(resource_id)
            if record is None:
                return None
            going = operations.running(transaction, resource_id)
            if going is not None and going["verb"] == "delete":
                return Accepted(id=record["id"], verb="delete", until=going["end"])
            kind = registry.by_token(record["token"])
            struck = strike(transaction, kind, record["id"], "delete", record["inputs"], tenant=self.tenant)
            outcome = struck.refusal or self._take_deletion(transaction, kind, record, struck)
        # A refusal is raised out here: inside, it would take back that its fault was counted down.
        if isinstance(outcome, ArmError):
            raise outcome
        return outcome

    def finish(self, accepted: Accepted, timeout: float = DEFAULT_TIMEOUT) -> Resource | None:
        """Wait for the end of an operation as the provider does: ask, sleep, ask.

        Args:
            accepted: what `begin_…` returned.
            timeout: how long to wait, in Azure's seconds.

        Returns:
            the resource, or None when it is gone.

        Raises:
            ArmError: the operation failed; a resource stays in provisioningState Failed.
            OutcomeUnknownError: the wait was too long or lost its connection; the operation goes on.
            CancelledError: the provider was told to stop; the operation goes on.
        """
        asynchronous = duration_of(arm.type_of(accepted.id), accepted.verb).asynchronous
        waited, every = 0.0, _POLL_SECONDS[accepted.verb] if asynchronous else accepted.seconds
        while self._now().timestamp() < accepted.until and waited < timeout:
            self._pace.sleep(min(every, timeout - waited))
            waited += every
        if accepted.seconds > timeout:
            raise OutcomeUnknownError("operation timed out")
        if accepted.lost:
            raise OutcomeUnknownError(accepted.lost)
        if accepted.error is not None:
            raise accepted.error
        return accepted.resource or self.find(accepted.id)

    def context_of(self, resource: Resource) -> Context:
        """What the functions of the resource's type may look at."""
        record = self.store.get(resource.id)
        if record is None:
            raise arm.resource_not_found(resource.id)
        with self.store.transaction() as transaction:
            return context_in(transaction, record, self.tenant)

    def _settle(self) -> None:
        operations.settle(self.store, self._now().timestamp())

    def _write(
        self,
        kind: ResourceType,
        resource_id: str,
        verb: Verb,
        inputs: Properties,
        work: Callable[[Transaction], Record],
    ) -> Accepted:
        """Take a creation or an update: ``work`` checks it and gives the record, which lacks outputs and companions."""
        self._settle()
        with self.store.transaction() as transaction:
            if verb == "create" and transaction.get(resource_id) is not None:
                # CanCreate of the provider asks for it before it sends anything.
                raise SandboxError(f"cannot create already existing resource '{resource_id}'")
            struck = strike(transaction, kind, resource_id, verb, inputs, tenant=self.tenant)
            outcome: Accepted | ArmError
            if struck.refusal is None:
                require_reachable(transaction, resource_id, inputs)
                _require_quiet(transaction, resource_id, references_of(inputs))
                throttling.draw(transaction, resource_id, verb, now=self._now().timestamp(), pace=self._pace)
                outcome = self._take(transaction, kind, work(transaction), verb, struck)
            else:
                outcome = struck.refusal
        if isinstance(outcome, ArmError):
            raise outcome
        return outcome

    def _take_deletion(self, transaction: Transaction, kind: ResourceType, record: Record, struck: Struck) -> Accepted:
        require_reachable(transaction, record["id"], record["outputs"])
        _require_quiet(transaction, record["id"], ())
        throttling.draw(transaction, record["id"], "delete", now=self._now().timestamp(), pace=self._pace)
        kind.before_delete(context_in(transaction, record, self.tenant))
        return self._start(transaction, record, "delete", shown=record["outputs"], struck=struck, error=struck.error)

    def _take(
        self, transaction: Transaction, kind: ResourceType, record: Record, verb: Verb, struck: Struck
    ) -> Accepted:
        """Check a resource by its type's rules, fill in what follows from the rest, and do the work."""
        before = transaction.get(record["id"])
        context = context_in(transaction, record, self.tenant, None if before is None else before["inputs"])
        contract = self._contract_of(kind.pulumi_type)
        error = self._validate(kind, context, tolerant=duration_of(kind.arm_type, verb).asynchronous) or struck.error
        record = {**record, "outputs": outputs_of(kind, contract, context, record["inputs"])}
        if kind.companions is not None:
            record["companions"] = put_companions(transaction, kind.companions(context), record["created"])
        shown = before["outputs"] if before else None
        if shown is None and self._pace.scale:
            shown = outputs_of(kind, contract, context, record["inputs"], complete=False)
        return self._start(transaction, record, verb, shown=shown or record["outputs"], struck=struck, error=error)

    def _start(
        self,
        transaction: Transaction,
        record: Record,
        verb: Verb,
        *,
        shown: Properties,
        struck: Struck,
        error: ArmError | None,
    ) -> Accepted:
        """Do the work, or write down that it is being done; ``shown`` are the outputs until it is."""
        now = self._now().timestamp()
        duration = duration_in(transaction.get, arm.type_of(record["id"]), verb)
        seconds = duration.seconds + _LATE_SECONDS * struck.is_in(Phase.LATE)
        seconds = max(seconds, _ENDLESS_SECONDS * struck.is_in(Phase.TIMEOUT))
        until = now + self._pace.real(seconds)
        if error is not None:
            # What a poller finds is an answer with status 200 that says Failed.
            error = ArmError(200, error.code, error.message)
            record = {**record, "outputs": with_state(record["outputs"], "Failed")}
        # A call that is no long-running operation has done its work when it is taken, however late its answer comes.
        runs = until > now and duration.asynchronous
        if runs:
            transaction.put(record["id"], {**record, "outputs": with_state(shown, state_of(verb))})
            operations.begin(transaction, record, verb, now=now, until=until, error=error)
        elif verb != "delete" or error is not None:
            transaction.put(record["id"], record)
        else:
            operations.remove(transaction, record, now)
        at_once = not runs and error is None and verb != "delete"
        return Accepted(
            id=record["id"],
            verb=verb,
            until=until,
            seconds=seconds,
            resource=_resource(record) if at_once else None,
            error=error,
            lost=struck.fault.message if struck.fault is not None and struck.is_in(Phase.LOST) else "",
        )

    @staticmethod
    def _validate(kind: ResourceType, context: Context, *, tolerant: bool) -> ArmError | None:
        """What the type's rules say; one that only the operation would find is returned, not raised."""
        try:
            kind.validate(context)
        except ArmError as error:
            if not (error.asynchronous and tolerant):
                raise
            return error
        return None


def _require_quiet(transaction: Transaction, resource_id: str, references: Iterable[str]) -> None:
    """No operation under way forbids this request."""
    refusal = operations.refusal(transaction, resource_id, references)
    if refusal is not None:
        raise refusal


def _resource(record: Record) -> Resource:
    return Resource(record["id"], record["token"], record["outputs"])
