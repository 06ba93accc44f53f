"""ARM ids from a resource's inputs: what Azure will call a resource, known before it exists.

Azure names nothing itself: every id is a template of its type (the path of the type's PUT in Azure's API
specifications, github.com/Azure/azure-rest-api-specs) filled with names that the request brings along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from gpufleet.catalog import table

_COLUMNS = ("type", "path")
_PARAMETER = re.compile(r"\{(\w+)\}")
_SUBSCRIPTION = "subscriptionId"


@cache
def templates() -> Mapping[str, str]:
    """Id templates by Pulumi type token: `azure-native:network:Subnet` to `/subscriptions/{subscriptionId}/…`.

    Raises:
        CatalogError: the table is damaged.
    """
    return {row.text("type"): row.text("path") for row in table.read("arm_ids.csv", _COLUMNS)}


def resource_id(pulumi_type: str, inputs: Mapping[str, object], *, subscription: str) -> str:
    """The ARM id of a resource.

    Args:
        pulumi_type: type token.
        inputs: the provider's checked inputs, which hold every name.
        subscription: GUID, "" when it is not known.

    Returns:
        the id, or "" when the type is not in the table or a part of the id is not a plain text.
    """
    template = templates().get(pulumi_type, "")
    values = {**inputs, _SUBSCRIPTION: subscription}
    parts: dict[str, str] = {}
    for name in _PARAMETER.findall(template):
        value = values.get(name)
        if not isinstance(value, str) or not value.strip("/"):
            return ""
        parts[name] = value.strip("/")  # scopes and resource URIs are ids themselves and begin with a slash
    return _PARAMETER.sub(lambda match: parts[match[1]], template)


def subscription_of(resource_id: str) -> str:
    """The subscription's GUID in an ARM id, "" when there is none."""
    parts = resource_id.split("/")
    return parts[2] if len(parts) > 2 and parts[:2] == ["", "subscriptions"] else ""
