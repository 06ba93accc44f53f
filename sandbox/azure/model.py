"""What the sandbox knows of one Azure resource type, as data."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from sandbox import arm
from sandbox.errors import ArmError, Failure
from sandbox.values import Properties, Value, reveal

# The subscription and tenant of the sandbox when the program's configuration names none: fictional, so that nobody
# takes them for real ones.
SANDBOX_SUBSCRIPTION = "5a4db0c5-0000-4000-8000-000000000001"
SANDBOX_TENANT = "5a4db0c5-0000-4000-8000-00000000000f"
# Who creates things in the sandbox (systemData, getClientConfig).
SANDBOX_CLIENT = "5a4db0c5-0000-4000-8000-0000000000c1"
SANDBOX_PRINCIPAL = "5a4db0c5-0000-4000-8000-0000000000c2"

_NAMESPACE = uuid.UUID(SANDBOX_SUBSCRIPTION)

RESOURCE_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"


@dataclass(frozen=True, kw_only=True)
class NameRule:
    """A pattern for names and how to say it; ``source`` is where the rule stands."""

    pattern: str
    text: str
    source: str = "Azure docs: resource-name-rules"

    def check(self, path: str, name: Value) -> Iterable[Failure]:
        """A failure when the name breaks the rule."""
        name = reveal(name)
        if isinstance(name, str) and not re.fullmatch(self.pattern, name):
            yield Failure(path, f"'{path}' is not a valid name: '{name}' must be {self.text}")


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a type's own functions may look at when a resource is created, updated or read."""

    id: str
    inputs: Properties
    """The program's inputs, secrets revealed."""
    generation: int
    """How many times this id was created: a resource made again under the same id has new principal ids."""
    tenant: str
    created: str
    """ISO time of creation."""
    find: Callable[[str], Properties | None]
    """Outputs of another resource by id (case-insensitive), or None."""
    below: Callable[[str], list[Properties]]
    """Outputs of every resource whose id starts with a prefix."""
    users: Callable[[str], list[str]]
    """Ids of the resources whose inputs name another resource by its id (case-insensitive)."""
    records: Callable[[str], list[Properties]]
    """Records whose key starts with a prefix: resources (``/subscriptions/…``) with ``id``, ``token``, ``inputs`` and
    ``outputs``, or the sandbox's own (``setting/…``, ``deleted/…``)."""
    previous: Properties | None = None
    """The inputs before an update, secrets revealed; None when the resource is created, read or deleted."""

    @property
    def subscription(self) -> str:
        """The subscription's id (a GUID)."""
        return self.id.split("/")[2]

    @property
    def name(self) -> str:
        """The resource's name."""
        return arm.name_of(self.id)

    @cached_property
    def location(self) -> str:
        """The resource's location, normalised (``eastus``)."""
        return normalise_location(str(self.inputs.get("location", "")))

    @cached_property
    def everything(self) -> list[Properties]:
        """Records of everything in the subscription; read once."""
        return self.records(f"/subscriptions/{self.subscription}/")

    def of_type(self, pulumi_type: str) -> Iterator[Properties]:
        """Records of every other resource of a type, in all groups of the subscription."""
        for record in self.everything:
            if record.get("token") == pulumi_type and record["id"].lower() != self.id.lower():
                yield record

    def guid(self, role: str) -> str:
        """A GUID for one purpose: the same in every run, another one for a resource made again."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.id.lower()}#{self.generation}#{role}"))

    def token(self, role: str, length: int = 8) -> str:
        """A short lower-case hexadecimal string, like the random parts in Azure's host names."""
        return hashlib.sha256(f"{self.id.lower()}#{self.generation}#{role}".encode()).hexdigest()[:length]

    def secret_bytes(self, role: str, length: int) -> str:
        """Base64 of ``length`` bytes that look random and guard nothing."""
        block = hashlib.shake_256(f"{self.id.lower()}#{self.generation}#{role}".encode()).digest(length)
        return base64.b64encode(block).decode()


Check = Callable[[Properties], Iterable[Failure]]
StateRule = Callable[[Context], None]
Outputs = Callable[[Context], Properties]
ChangeRefused = Callable[[str, str], ArmError]


def _property_change(_: str, path: str) -> ArmError:
    return arm.change_not_allowed(f"properties.{path}")


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One resource type: what the SDK, where properties, types and enums come from, does not say."""

    pulumi_type: str
    """``azure-native:<module>:<Type>``."""
    path: str
    """Template of the ARM id; its parameters are inputs, the last one is the name. They all are fixed at creation."""
    type_names: tuple[str, ...] = ()
    """Values of the path's parameter that stands where a type's name does (kinds of Traffic Manager's endpoints)."""
    names: Mapping[str, NameRule] = field(default_factory=dict)
    """Rules for inputs that are names, by property (mostly the path's last parameter)."""
    autoname: Literal["random", "uuid", "copy"] | None = "random"
    """How the provider names the resource when the program does not (pulumi-azure-native resources.AutoNameKind)."""
    auto_location: bool = True
    """Whether a missing location is the resource group's."""
    replace_on: tuple[str, ...] = ()
    """Properties whose change the provider answers with a replacement (pulumi-azure-native
    provider/pkg/gen/replacement.go and the API specification's x-ms-mutability); ``a.b`` and ``a[].b`` reach into
    objects and lists."""
    immutable: tuple[str, ...] = ()
    """Properties that Azure refuses to change although the provider tries an update."""
    change_refused: ChangeRefused = _property_change
    """The service's own error for such a change, from the resource's id and the property's path."""
    write_only: tuple[str, ...] = ()
    """Inputs that Azure never gives back."""
    secret_outputs: tuple[str, ...] = ()
    """Outputs that the provider marks secret."""
    defaults: Mapping[str, Value] = field(default_factory=dict)
    """What Azure fills in where the program says nothing (top level)."""
    nested_defaults: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    """The same inside objects that the program gives, by the object's property."""
    checks: tuple[Check, ...] = ()
    """More checks of the inputs, done at preview; unknown values must pass."""
    rules: tuple[StateRule, ...] = ()
    """Rules that need the cloud's state, at create and update (``Context.previous`` tells which); each raises
    ArmError."""
    delete_rules: tuple[StateRule, ...] = ()
    """What forbids a deletion in the cloud's present state; each raises ArmError. Not asked when a parent or the
    resource group goes: ARM orders those deletions itself."""
    singleton: bool = False
    """Whether it is there as soon as its parent is: a program that creates it sets it, one that deletes it leaves it as
    it is, and what stands below it doesn't wait for it (pulumi-azure-native provider/pkg/resources/customresources)."""
    soft_delete_days: int = 0
    """How long Azure keeps a deleted resource, to give it back when it is made again under the same id."""
    outputs: Outputs | None = None
    """Read-only outputs besides id, name, type, location, systemData and provisioningState."""
    lists: Mapping[str, str] = field(default_factory=dict)
    """Outputs in which Azure also shows resources that stand below this one, with their path's segment (``subnets``).
    The provider keeps them out of a program's state where the program does not give them (pulumi-azure-native
    provider/pkg/provider: sub-resource properties), so only ``get<Type>`` functions show them."""
    companions: Callable[[Context], Iterable[tuple[str, Properties]]] | None = None
    """Resources that Azure makes and deletes with this one: ids and outputs (the node resource group of a cluster)."""

    def validate(self, context: Context) -> None:
        """Raise ArmError when a rule forbids what is asked for."""
        for rule in self.rules:
            rule(context)

    def before_delete(self, context: Context) -> None:
        """Raise ArmError when the cloud's state forbids the deletion."""
        for rule in self.delete_rules:
            rule(context)

    @property
    def name_parameter(self) -> str:
        """The input that holds the resource's name."""
        return arm.parameters(self.path)[-1]

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The inputs that make the id (without the subscription)."""
        return tuple(name for name in arm.parameters(self.path) if name != "subscriptionId")

    @cached_property
    def arm_type(self) -> str:
        """``Microsoft.ContainerService/managedClusters/agentPools``; the first where there are several."""
        return self.arm_types[0]

    @cached_property
    def arm_types(self) -> tuple[str, ...]:
        """Every ARM type that the resource may have: one, or one for each of ``type_names``."""
        whole = arm.type_of(self.path)
        return tuple(re.sub(r"\{\w+\}", name, whole) for name in self.type_names) or (whole,)

    @property
    def title(self) -> str:
        """The type's short name (``AgentPool``)."""
        return self.pulumi_type.rpartition(":")[2]


def normalise_location(location: str) -> str:
    """``East US`` and ``EastUS`` are ``eastus``."""
    return location.replace(" ", "").lower()
