"""A resource's outputs: what Azure gives back for inputs."""

from __future__ import annotations

from sandbox.azure.model import SANDBOX_CLIENT, Context, ResourceType
from sandbox.contract import Contract
from sandbox.values import Properties, Secret, reveal


def outputs_of(
    kind: ResourceType, contract: Contract, context: Context, inputs: Properties, *, complete: bool = True
) -> Properties:
    """The outputs of a resource, its secrets marked.

    Args:
        kind: its type.
        contract: the SDK's shapes of the type.
        context: what the type's own functions may look at.
        inputs: the program's inputs, secrets marked.
        complete: whether the resource is there; what Azure makes up (host names, addresses) is missing before.
    """
    shape = contract.outputs.properties
    outputs: Properties = dict(kind.defaults)
    outputs.update(
        {
            name: value
            for name, value in inputs.items()
            if name in shape and name not in kind.write_only and value is not None
        }
    )
    for name, defaults in kind.nested_defaults.items():
        if isinstance(outputs.get(name), dict):
            outputs[name] = {**defaults, **outputs[name]}
    if context.location and "location" in outputs:
        outputs["location"] = context.location
    if isinstance(context.inputs.get("identity"), dict):
        outputs["identity"] = _identity(context, context.inputs["identity"])
    outputs.update(_common(context, kind, contract))
    if kind.outputs is not None and complete:
        outputs.update(kind.outputs(context))
    for name in kind.secret_outputs:
        if name in outputs and not isinstance(outputs[name], Secret):
            outputs[name] = Secret(reveal(outputs[name]))
    return outputs


def _common(context: Context, kind: ResourceType, contract: Contract) -> Properties:
    common: Properties = {
        "name": context.name,
        "type": kind.arm_type,
        "provisioningState": "Succeeded",
        "azureApiVersion": contract.api_version,
        "etag": f'W/"{context.guid("etag")}"',
        "eTag": context.token("etag"),
        "systemData": {
            "createdBy": SANDBOX_CLIENT,
            "createdByType": "Application",
            "createdAt": context.created,
            "lastModifiedBy": SANDBOX_CLIENT,
            "lastModifiedByType": "Application",
            "lastModifiedAt": context.created,
        },
    }
    return {name: value for name, value in common.items() if name in contract.outputs.properties}


def _identity(context: Context, given: Properties) -> Properties:
    """A managed identity as Azure gives it back: principals filled in, user-assigned ones as a map by id."""
    identity: Properties = {**given}
    if "SystemAssigned" in str(given.get("type", "")):
        identity |= {"principalId": context.guid("system-principal"), "tenantId": context.tenant}
    assigned = given.get("userAssignedIdentities")
    if isinstance(assigned, list):
        identity["userAssignedIdentities"] = {
            resource_id: {name: (context.find(resource_id) or {}).get(name) for name in ("clientId", "principalId")}
            for resource_id in assigned
        }
    return identity
