"""All resource types and functions that the sandbox knows, gathered from the namespace modules."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from sandbox.azure.model import ResourceType
from sandbox.errors import NotEmulatedError
from sandbox.values import Properties

if TYPE_CHECKING:
    from sandbox.azure.resource_manager import ResourceManager

Invoke: TypeAlias = "Callable[[ResourceManager, Properties], Properties]"

# One module per Azure namespace. Each has TYPES, and INVOKES when it has functions.
NAMESPACES = (
    "alertsmanagement",
    "apimanagement",
    "authorization",
    "cdn",
    "consumption",
    "containerregistry",
    "containerservice",
    "frontdoor",
    "managedidentity",
    "monitor",
    "network",
    "operationalinsights",
    "privatedns",
    "resources",
    "storage",
    "storagecache",
    "trafficmanager",
)


@cache
def types() -> Mapping[str, ResourceType]:
    """Every known resource type by token."""
    modules = [importlib.import_module(f"sandbox.azure.{name}") for name in NAMESPACES]
    return {kind.pulumi_type: kind for module in modules for kind in module.TYPES}


@cache
def _by_arm_type() -> Mapping[str, ResourceType]:
    return {name.lower(): kind for kind in types().values() for name in kind.arm_types}


@cache
def _invokes() -> Mapping[str, Invoke]:
    modules = [importlib.import_module(f"sandbox.azure.{name}") for name in NAMESPACES]
    return {token: function for module in modules for token, function in getattr(module, "INVOKES", {}).items()}


def by_arm_type(arm_type: str) -> ResourceType | None:
    """The known type for ``Microsoft.Network/virtualNetworks/subnets``, or None. Case-insensitive."""
    return _by_arm_type().get(arm_type.lower())


def by_token(token: str) -> ResourceType:
    """The type for ``azure-native:network:Subnet``.

    Raises:
        NotEmulatedError: the sandbox does not know it.
    """
    kind = types().get(token)
    if kind is None:
        module = token.split(":")[1]
        where = f"sandbox/azure/{module}.py" if module in NAMESPACES else f"a new module sandbox/azure/{module}.py"
        raise NotEmulatedError(
            f"the sandbox does not emulate '{token}'; a resource type is one entry in {where} (docs/sandbox.md)"
        )
    return kind


def invoke(token: str) -> Invoke:
    """The function for ``azure-native:containerservice:listManagedClusterUserCredentials`` and the like.

    Raises:
        NotEmulatedError: the sandbox does not know it.
    """
    function = _invokes().get(token)
    if function is None:
        getter = _getter(token)
        if getter is None:
            raise NotEmulatedError(
                f"the sandbox does not emulate the function '{token}' (docs/sandbox.md says how to add one)"
            )
        return getter
    return function


def _getter(token: str) -> Invoke | None:
    """``getX`` of every known type ``X`` reads the resource that its arguments name."""
    package, module, name = token.split(":")
    kind = types().get(f"{package}:{module}:{name[3:]}") if name.startswith("get") else None
    if kind is None:
        return None

    def get(manager: ResourceManager, arguments: Properties) -> Properties:
        found = manager.require(manager.id_of(kind, arguments))
        children = _children(manager, kind, found.id) if kind.lists else {}
        return {**found.outputs, **children, "id": found.id}

    return get


def _children(manager: ResourceManager, kind: ResourceType, resource_id: str) -> Properties:
    """What Azure shows of resources that stand below this one, beside those that were given with it."""
    found: Properties = {}
    for name, segment in kind.lists.items():
        own = [
            {**other.outputs, "id": other.id}
            for other in manager.all()
            if other.id.lower().startswith(f"{resource_id}/{segment}/".lower())
        ]
        names = {item["name"].lower() for item in own}
        given = manager.require(resource_id).outputs.get(name) or ()
        found[name] = [*(item for item in given if str(item.get("name", "")).lower() not in names), *own]
    return found
