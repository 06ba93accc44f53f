"""The ``azure-native`` provider over the sandbox's Azure. Run by the engine as ``pulumi-resource-azure-native``.

Behaviour follows pulumi-azure-native's provider/pkg/provider/provider.go: differences are old inputs against new
inputs, a preview echoes inputs and leaves every other output unknown, a refresh carries only changed outputs into the
inputs.
"""

from __future__ import annotations

import os

from sandbox import arm
from sandbox.azure import registry
from sandbox.azure.checks import COMMON
from sandbox.azure.model import SANDBOX_SUBSCRIPTION, SANDBOX_TENANT, ResourceType, normalise_location
from sandbox.azure.resource_manager import DEFAULT_TIMEOUT, Accepted, Resource, ResourceManager
from sandbox.cloud import open_store
from sandbox.contract import Contract, ContractBook, check_inputs
from sandbox.contract.model import Array, ObjectShape, Reference, Shape
from sandbox.errors import ArmError, Failure, OutcomeUnknownError, PartialFailureError, SandboxError
from sandbox.pace import CancelledError, Pace, pace_from
from sandbox.providers.autoname import random_hex, random_uuid
from sandbox.providers.difference import Difference, carry_over, compare
from sandbox.providers.retry import send
from sandbox.providers.shell import Backend, Checked, CheckRequest, Urn, run
from sandbox.store import Store
from sandbox.values import UNKNOWN, Properties, Secret, Value, reveal

_CREATE_BEFORE_DELETE = "__createBeforeDelete"
# The provider says this where a location is neither given nor to be had from the resource group.
_LOCATION_HINT = ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."


class AzureNative(Backend):
    """Checks, compares and forwards to the sandbox's Resource Manager."""

    package = "azure-native"

    def __init__(self, store: Store, book: ContractBook, pace: Pace | None = None) -> None:
        self.version = book.version
        self._store = store
        self._book = book
        self._pace = pace or Pace()
        self._location = ""
        self._manager = ResourceManager(store, book.get, pace=self._pace)

    def cancel(self) -> None:
        """End the waits; Azure's operations go on."""
        self._pace.cancel()

    def configure(self, variables: Properties) -> None:
        """Subscription, tenant and default location: configuration, else environment, else the sandbox's own."""
        plain = reveal(variables)
        self._location = plain.get("location") or os.environ.get("ARM_LOCATION", "")
        self._manager = ResourceManager(
            self._store,
            self._book.get,
            subscription=plain.get("subscriptionId") or os.environ.get("ARM_SUBSCRIPTION_ID") or SANDBOX_SUBSCRIPTION,
            tenant=plain.get("tenantId") or os.environ.get("ARM_TENANT_ID") or SANDBOX_TENANT,
            pace=self._pace,
        )

    def check(self, request: CheckRequest) -> Checked:
        """Name, location and API version filled in; then the contract, the names and the type's own checks."""
        kind = registry.by_token(request.urn.type)
        contract = self._book.get(kind.pulumi_type)
        inputs = dict(request.news)
        self._autoname(kind, request, inputs)
        self._locate(kind, contract, request, inputs)
        failures = check_inputs(contract, inputs)
        failures += self._missing(kind, contract, inputs)
        if not failures:
            failures += [failure for name, rule in kind.names.items() for failure in rule.check(name, inputs.get(name))]
            failures += [failure for check in (*COMMON, *kind.checks) for failure in check(inputs)]
            failures += _unknown_region(kind, inputs)
        if contract.api_version:
            inputs.setdefault("azureApiVersion", contract.api_version)
        return Checked(inputs=inputs, failures=failures)

    def _autoname(self, kind: ResourceType, request: CheckRequest, inputs: Properties) -> None:
        key = kind.name_parameter
        if key in inputs or kind.autoname is None:
            return
        if key in request.olds:
            inputs[key] = request.olds[key]
            random = request.olds.get(_CREATE_BEFORE_DELETE) is True
        elif request.autoname_mode == "disable":
            return
        elif request.autoname_mode and (request.autoname_mode == "enforce" or kind.autoname != "uuid"):
            inputs[key], random = request.proposed_name, True
        elif kind.autoname == "uuid":
            inputs[key], random = random_uuid(request.random_seed), True
        else:
            inputs[key] = request.urn.name + (random_hex(request.random_seed, 8) if kind.autoname == "random" else "")
            random = kind.autoname == "random"
        if random:
            inputs[_CREATE_BEFORE_DELETE] = True

    def _locate(self, kind: ResourceType, contract: Contract, request: CheckRequest, inputs: Properties) -> None:
        if "location" in inputs or "location" not in contract.inputs.properties or not kind.auto_location:
            return
        location = (
            request.olds.get("location") or self._location or self._group_location(inputs.get("resourceGroupName"))
        )
        if location:
            inputs["location"] = location

    def _group_location(self, group: Value) -> Value:
        group = reveal(group)
        if group is UNKNOWN or not isinstance(group, str):
            return group if group is UNKNOWN else None
        found = self._manager.find(f"/subscriptions/{self._manager.subscription}/resourceGroups/{group}")
        return found.outputs["location"] if found else None

    @staticmethod
    def _missing(kind: ResourceType, contract: Contract, inputs: Properties) -> list[Failure]:
        """What the SDK's types leave optional because the provider fills it in, and could not."""
        missing = []
        if kind.name_parameter not in inputs:
            missing.append(Failure(kind.name_parameter, f"missing required property '{kind.name_parameter}'"))
        group_given = "resourceGroupName" in inputs and kind.name_parameter != "resourceGroupName"
        if (
            kind.auto_location
            and "location" in contract.inputs.properties
            and "location" not in inputs
            and not group_given
        ):
            missing.append(Failure("location", f"missing required property 'location'{_LOCATION_HINT}"))
        return missing

    def diff(self, urn: Urn, old_inputs: Properties, news: Properties) -> Difference:
        """Old inputs against new inputs; what makes the id, and what cannot be changed, replaces."""
        kind = registry.by_token(urn.type)
        changes = compare(old_inputs, news, (*kind.path_parameters, *kind.replace_on))
        old, new = (reveal(inputs.get("location")) for inputs in (old_inputs, news))
        if isinstance(old, str) and isinstance(new, str) and normalise_location(old) == normalise_location(new):
            changes.pop("location", None)
        replaces = any(change.replace for change in changes.values())
        by_hand = old_inputs.get(_CREATE_BEFORE_DELETE) is not True
        return Difference(changes=changes, delete_before_replace=replaces and by_hand)

    def preview(self, urn: Urn, inputs: Properties, state: Properties | None) -> Properties:
        """Inputs that come back as outputs; everything else is unknown. An update keeps its name and location."""
        kind = registry.by_token(urn.type)
        contract = self._book.get(kind.pulumi_type)
        given = {name: value for name, value in inputs.items() if name not in kind.write_only}
        outputs = _preview_object(contract, contract.outputs, given)
        for name in ("name", "location"):
            if state is not None and name in state:
                outputs[name] = state[name]
        return outputs

    def create(self, urn: Urn, inputs: Properties) -> tuple[str, Properties]:
        """Create through Resource Manager."""
        kind = registry.by_token(urn.type)
        made = self._finish(send(lambda: self._manager.begin_create(kind, inputs), self._pace))
        return made.id, made.outputs

    def update(self, urn: Urn, resource_id: str, inputs: Properties, state: Properties) -> Properties:  # noqa: ARG002
        """Update through Resource Manager."""
        kind = registry.by_token(urn.type)
        return self._finish(send(lambda: self._manager.begin_update(resource_id, kind, inputs), self._pace)).outputs

    def delete(self, urn: Urn, resource_id: str, state: Properties) -> None:  # noqa: ARG002
        """Delete through Resource Manager."""
        registry.by_token(urn.type)
        accepted = send(lambda: self._manager.begin_delete(resource_id), self._pace)
        if accepted is not None:
            self._manager.finish(accepted, self.timeout.get() or DEFAULT_TIMEOUT)

    def _finish(self, accepted: Accepted) -> Resource:
        """Wait for a creation or an update.

        What failed in Azure is reported with its state, so that the engine keeps it and mends it in the next run
        (HandleErrorWithCheckpoint in pulumi-azure-native's provider/pkg/provider/crud).
        """
        try:
            made = self._manager.finish(accepted, self.timeout.get() or DEFAULT_TIMEOUT)
        except CancelledError as error:
            raise OutcomeUnknownError(f"resource updated but read failed {error}: {error}") from error
        except ArmError as error:
            left = self._manager.find(accepted.id)
            if left is None:
                raise
            raise PartialFailureError(left.id, left.outputs, str(error)) from error
        if made is None:
            raise arm.resource_not_found(accepted.id)  # somebody deleted it meanwhile
        return made

    def read(
        self, urn: Urn, resource_id: str, state: Properties, inputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """Read for a refresh or an import."""
        kind = registry.by_token(urn.type)
        if arm.parse_id(kind.path, resource_id) is None:
            raise SandboxError(f"'{resource_id}' is not the id of a {kind.title}: it has the form {kind.path}")
        found = send(lambda: self._manager.read(resource_id), self._pace)
        if found is None or found.pulumi_type != kind.pulumi_type:
            return None
        contract = self._book.get(kind.pulumi_type)
        live = _project(contract, contract.inputs, found.outputs)
        if inputs:
            known = _project(contract, contract.inputs, state)
            return found.id, found.outputs, carry_over(inputs, known, live)
        names = {
            name: value for name, value in (arm.parse_id(kind.path, found.id) or {}).items() if name != "subscriptionId"
        }
        return found.id, found.outputs, {**live, **names, "azureApiVersion": contract.api_version}

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Call a function of the sandbox's Azure."""
        return registry.invoke(token)(self._manager, reveal(arguments))


def _unknown_region(kind: ResourceType, inputs: Properties) -> list[Failure]:
    """A location must be a region of Azure, or the one place where a global type is."""
    from gpufleet.catalog import regions  # noqa: PLC0415 - 0.07 s that the plugin's start need not wait for

    location = reveal(inputs.get("location"))
    if not isinstance(location, str):
        return []
    name = normalise_location(location)
    if name == "global" or regions.find(name) is not None:
        return []
    near = regions.nearest(name)
    hint = f"; did you mean '{near}'?" if near else ""
    text = f"The provided location '{location}' is not available for resource type '{kind.arm_type}'{hint}"
    return [Failure("location", text)]


def _preview_object(contract: Contract, shape: ObjectShape, given: Properties) -> Properties:
    return {name: _preview_value(contract, item, given.get(name)) for name, item in shape.properties.items()}


def _preview_value(contract: Contract, shape: Shape, value: Value) -> Value:
    if value is None or value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, Secret):
        return value
    match shape:
        case Reference(name):
            return _preview_object(contract, contract.types[name], value) if isinstance(value, dict) else UNKNOWN
        case Array(item):
            return (
                [_preview_value(contract, item, element) for element in value] if isinstance(value, list) else UNKNOWN
            )
    # A map that went in as a list (user-assigned identities) comes back with values that nobody knows yet.
    return UNKNOWN if isinstance(value, list) else value


def _project(contract: Contract, shape: ObjectShape, outputs: Properties) -> Properties:
    """The part of some outputs that has the form of inputs."""
    return {
        name: _project_value(contract, item, outputs[name])
        for name, item in shape.properties.items()
        if outputs.get(name) is not None
    }


def _project_value(contract: Contract, shape: Shape, value: Value) -> Value:
    match shape:
        case Reference(name) if isinstance(value, dict):
            return _project(contract, contract.types[name], value)
        case Array(item) if isinstance(value, list):
            return [_project_value(contract, item, element) for element in value]
        case Array() if isinstance(value, dict):
            return list(value)  # a set of ids goes in as a list and comes back as a map
    return value


def main() -> None:
    """Entry point of the plugin."""
    run(lambda: AzureNative(open_store(), ContractBook("azure-native"), pace_from()))


if __name__ == "__main__":
    main()
