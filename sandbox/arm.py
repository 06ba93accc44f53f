"""Azure Resource Manager's ids and the errors that every Azure namespace shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from sandbox.errors import ArmError

_PARAMETER = re.compile(r"\{(\w+)\}")


@cache
def parameters(template: str) -> tuple[str, ...]:
    """The names in a path template, in order: ``/subscriptions/{subscriptionId}/…`` gives ``("subscriptionId", …)``."""
    return tuple(_PARAMETER.findall(template))


def format_id(template: str, names: Mapping[str, str]) -> str:
    """The ARM id made from a path template; a ``scope`` may come with its leading slash."""
    return _PARAMETER.sub(lambda found: names[found[1]].strip("/"), template)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    def group(found: re.Match[str]) -> str:
        # Only an extension resource's scope spans several segments.
        return f"(?P<{found[1]}>{'.+?' if found[1] in {'scope', 'resourceUri'} else '[^/]+'})"

    return re.compile(_PARAMETER.sub(group, template), re.IGNORECASE)


def parse_id(template: str, resource_id: str) -> dict[str, str] | None:
    """The names in an id by its path template, or None when the id is of another type. Case-insensitive, as ARM is."""
    found = _pattern(template).fullmatch(resource_id)
    return found.groupdict() if found else None


def type_of(resource_id: str) -> str:
    """The ARM type in an id: ``…/providers/Microsoft.ContainerService/managedClusters/c/agentPools/p`` gives
    ``Microsoft.ContainerService/managedClusters/agentPools``."""  # noqa: D205, D209
    before, found, rest = resource_id.rpartition("/providers/")
    if not found:
        return (
            "Microsoft.Resources/resourceGroups"
            if before or "/resourcegroups/" in rest.lower()
            else "Microsoft.Resources/subscriptions"
        )
    namespace, *segments = rest.split("/")
    return "/".join([namespace, *segments[::2]])


def parent_of(resource_id: str) -> str:
    """The id of what holds a resource: the parent resource, the resource group, the scope, or the subscription."""
    scope, found, rest = resource_id.rpartition("/providers/")
    if found and rest.count("/") == 2:
        return scope
    return resource_id.rsplit("/", 2)[0]


def name_of(resource_id: str) -> str:
    """The last segment of an id."""
    return resource_id.rpartition("/")[2]


def resource_group_of(resource_id: str) -> str | None:
    """The name of the resource group in an id, or None above one."""
    found = re.match(r"/subscriptions/[^/]+/resourcegroups/([^/]+)", resource_id, re.IGNORECASE)
    return found[1] if found else None


# errors Texts as ARM answers them:
# learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors and its pages.
def resource_group_not_found(name: str) -> ArmError:
    """404 for anything below a resource group that does not exist."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def resource_not_found(resource_id: str) -> ArmError:
    """404 for a resource that does not exist."""
    short, group = f"{type_of(resource_id)}/{name_of(resource_id)}", resource_group_of(resource_id)
    text = f"The Resource '{short}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    return ArmError(404, "ResourceNotFound", text)


def parent_not_found(resource_id: str, parent: str) -> ArmError:
    """404 for a child whose parent resource does not exist."""
    short = type_of(resource_id).partition("/")[2]
    text = (
        f"Failed to perform 'write' on resource(s) of type '{short}', because the parent resource '{parent}' "
        "could not be found."
    )
    return ArmError(404, "ParentResourceNotFound", text)


def reference_not_found(resource_id: str, reference: str) -> ArmError:
    """400 for an id in the body that leads nowhere."""
    text = (
        f"Resource {reference} referenced by resource {resource_id} was not found. Please make sure that the "
        "referenced resource exists, and that both resources are in the same region."
    )
    return ArmError(400, "InvalidResourceReference", text)


def change_not_allowed(path: str) -> ArmError:
    """400 for a change of a property that is fixed at creation."""
    return ArmError(400, "PropertyChangeNotAllowed", f"Changing property '{path}' is not allowed.")


def location_not_allowed(resource_id: str, was: str, wanted: str) -> ArmError:
    """409 for a resource that exists in another location."""
    text = (
        f"The resource '{name_of(resource_id)}' already exists in location '{was}' in resource group "
        f"'{resource_group_of(resource_id)}'. "
        f"A resource with the same name cannot be created in location '{wanted}'. Please select a new resource name."
    )
    return ArmError(409, "InvalidResourceLocation", text)


def invalid_parameter(path: str, text: str) -> ArmError:
    """400 for a value that the service refuses."""
    return ArmError(400, "InvalidParameter", f"The value of parameter {path} is invalid: {text}")
