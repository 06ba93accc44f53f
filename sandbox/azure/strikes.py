"""What the sandbox was told to do to a request: faults that strike it, regions that are down."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import arm, faults, outages
from sandbox.azure.model import SANDBOX_PRINCIPAL, ResourceType, normalise_location
from sandbox.azure.operations import duration_of
from sandbox.errors import ArmError
from sandbox.faults import Fault, Phase
from sandbox.store import Transaction
from sandbox.values import Properties, reveal


@dataclass(frozen=True, slots=True)
class Struck:
    """What a fault makes of a request: nothing, a refusal, or a phase after that."""

    fault: Fault | None = None
    refusal: ArmError | None = None
    error: ArmError | None = None

    def is_in(self, phase: Phase) -> bool:
        """Whether a fault of this phase strikes."""
        return self.fault is not None and self.refusal is None and self.fault.phase is phase


def strike(
    transaction: Transaction, kind: ResourceType, resource_id: str, verb: str, inputs: Properties, *, tenant: str
) -> Struck:
    """What a fault that fits makes of this request; it is counted down in the transaction."""
    token = kind.pulumi_type.partition(":")[2]
    fault = faults.strike(transaction, token, arm.name_of(resource_id), verb)
    if fault is None:
        return Struck()
    words = _words(transaction, kind, resource_id, inputs)
    error = fault.error({**words, "tenant": tenant})
    # A call that is no long-running operation cannot fail later than at once.
    long = verb != "read" and duration_of(kind.arm_type, verb).asynchronous
    if verb == "read" or fault.phase is Phase.REFUSED or (fault.phase is Phase.FAILED and not long):
        return Struck(fault, refusal=error)
    return Struck(fault, error=error if fault.phase is Phase.FAILED else None)


def _words(transaction: Transaction, kind: ResourceType, resource_id: str, inputs: Properties) -> dict[str, str]:
    """What fills the placeholders of a fault's text."""
    plain, subscription = reveal(inputs), resource_id.split("/")[2]
    return {
        "id": resource_id,
        "name": arm.name_of(resource_id),
        "type": kind.arm_type,
        "namespace": kind.arm_type.partition("/")[0],
        "group": arm.resource_group_of(resource_id) or "",
        "subscription": subscription,
        "location": _location(transaction, resource_id, inputs),
        "size": str(plain.get("vmSize") or ""),
        "cluster": str(plain.get("resourceName") or arm.name_of(resource_id)),
        "principal": str(plain.get("principalId") or SANDBOX_PRINCIPAL),
        "operation": f"https://management.azure.com/subscriptions/{subscription}/operations",
    }


def _location(transaction: Transaction, resource_id: str, inputs: Properties) -> str:
    """A resource's region, normalised: its own, else that of the nearest resource above it, else nothing."""
    location = reveal(inputs.get("location"))
    parent = resource_id
    while not location and parent.count("/") > 4:
        parent = arm.parent_of(parent)
        above = transaction.get(parent)
        location = above["outputs"].get("location") if above else None
    return normalise_location(str(location or ""))


def require_reachable(transaction: Transaction, resource_id: str, inputs: Properties) -> None:
    """Raise ArmError when the resource's region is down."""
    if not transaction.under(outages.OUTAGES):
        return
    if outages.is_down(transaction, _location(transaction, resource_id, inputs)):
        row = faults.known()["ServiceUnavailable"]
        raise ArmError(row.integer("status"), row.text("code"), row.text("message"))
