"""Request bodies against the models of Microsoft's own SDK (azure-mgmt-*): an opinion that owes nothing to our code.

The packages of the generation before `model_base` carry the API specification's validation (`_validation`: required,
pattern, bounds), so the pins in requirements-dev.txt are the last ones that do, at the API version of the provider or
the nearest there is.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import azure.mgmt  # type: ignore[import-untyped]

from sandbox.azure import registry
from sandbox.values import Properties

# Package and model by resource type. A type that is not here has no model.
MODELS = {
    "apimanagement:Api": ("apimanagement", "ApiCreateOrUpdateParameter"),
    "apimanagement:ApiManagementService": ("apimanagement", "ApiManagementServiceResource"),
    "apimanagement:ApiOperation": ("apimanagement", "OperationContract"),
    "apimanagement:ApiPolicy": ("apimanagement", "PolicyContract"),
    "apimanagement:Product": ("apimanagement", "ProductContract"),
    "apimanagement:ProductPolicy": ("apimanagement", "PolicyContract"),
    "apimanagement:Subscription": ("apimanagement", "SubscriptionCreateParameters"),
    "alertsmanagement:PrometheusRuleGroup": ("alertsmanagement", "PrometheusRuleGroupResource"),
    "authorization:RoleAssignment": ("authorization.v2022_04_01", "RoleAssignmentCreateParameters"),
    "cdn:AFDCustomDomain": ("cdn", "AFDDomain"),
    "cdn:AFDEndpoint": ("cdn", "AFDEndpoint"),
    "cdn:AFDOrigin": ("cdn", "AFDOrigin"),
    "cdn:AFDOriginGroup": ("cdn", "AFDOriginGroup"),
    "cdn:Profile": ("cdn", "Profile"),
    "cdn:Route": ("cdn", "Route"),
    "cdn:SecurityPolicy": ("cdn", "SecurityPolicy"),
    "consumption:Budget": ("consumption", "Budget"),
    "containerregistry:Registry": ("containerregistry.v2023_01_01_preview", "Registry"),
    "containerregistry:Replication": ("containerregistry.v2024_11_01_preview", "Replication"),
    "containerservice:AgentPool": ("containerservice", "AgentPool"),
    "containerservice:MaintenanceConfiguration": ("containerservice", "MaintenanceConfiguration"),
    "containerservice:ManagedCluster": ("containerservice", "ManagedCluster"),
    "frontdoor:Policy": ("frontdoor", "WebApplicationFirewallPolicy"),
    "managedidentity:FederatedIdentityCredential": ("msi.v2023_01_31", "FederatedIdentityCredential"),
    "managedidentity:UserAssignedIdentity": ("msi.v2023_01_31", "Identity"),
    "monitor:ActionGroup": ("monitor.v2022_06_01", "ActionGroupResource"),
    "monitor:AzureMonitorWorkspace": ("monitor.v2021_06_03_preview", "AzureMonitorWorkspaceResource"),
    "monitor:DataCollectionEndpoint": ("monitor.v2022_06_01", "DataCollectionEndpointResource"),
    "monitor:DataCollectionRule": ("monitor.v2022_06_01", "DataCollectionRuleResource"),
    "monitor:DataCollectionRuleAssociation": ("monitor.v2022_06_01", "DataCollectionRuleAssociationProxyOnlyResource"),
    "monitor:DiagnosticSetting": ("monitor.v2021_05_01_preview", "DiagnosticSettingsResource"),
    "network:NatGateway": ("network", "NatGateway"),
    "network:NetworkSecurityGroup": ("network", "NetworkSecurityGroup"),
    "network:PrivateDnsZoneGroup": ("network", "PrivateDnsZoneGroup"),
    "network:PrivateEndpoint": ("network", "PrivateEndpoint"),
    "network:PrivateLinkService": ("network", "PrivateLinkService"),
    "network:PublicIPAddress": ("network", "PublicIPAddress"),
    "network:Subnet": ("network", "Subnet"),
    "network:VirtualNetwork": ("network", "VirtualNetwork"),
    "operationalinsights:Workspace": ("loganalytics", "Workspace"),
    "privatedns:PrivateZone": ("privatedns", "PrivateZone"),
    "privatedns:VirtualNetworkLink": ("privatedns", "VirtualNetworkLink"),
    "resources:ResourceGroup": ("resource.resources.v2024_07_01", "ResourceGroup"),
    "storage:BlobContainer": ("storage", "BlobContainer"),
    "storage:BlobContainerImmutabilityPolicy": ("storage", "ImmutabilityPolicy"),
    "storage:BlobServiceProperties": ("storage", "BlobServiceProperties"),
    "storage:ManagementPolicy": ("storage", "ManagementPolicy"),
    "storage:StorageAccount": ("storage", "StorageAccountCreateParameters"),
    "storagecache:AmlFilesystem": ("storagecache", "AmlFilesystem"),
    "trafficmanager:Endpoint": ("trafficmanager", "Endpoint"),
    "trafficmanager:Profile": ("trafficmanager", "Profile"),
}

# Where a model is older than the provider's API version, or says less than the service takes; each with its reason.
NEWER_THAN_THE_MODEL = {
    # Ubuntu 24.04: AKS docs, upgrade-os-version; the enumeration is open.
    ("containerservice", "OSSKU"): {"Ubuntu2404"},
    # Azure/prometheus-collector AddonBicepTemplate; the enumeration is open.
    ("monitor.v2022_06_01", "KnownDataFlowStreams"): {"Microsoft-PrometheusMetrics"},
}

# Properties that came after the model's API version.
NEWER_PROPERTIES = {
    # Microsoft.Monitor API specification 2023-04-03, which the provider speaks.
    ("monitor.v2021_06_03_preview", "AzureMonitorWorkspaceResource"): {"publicNetworkAccess"},
}

_SCALARS: dict[str, Any] = {"str": str, "bool": bool, "int": int, "float": (int, float), "object": object, "long": int}
_TEXTS = {
    "iso-8601": r"\d{4}-\d{2}-\d{2}([T ].+)?",
    "date": r"\d{4}-\d{2}-\d{2}",
    "duration": r"P(?=.)(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?",
}


@cache
def _module(package: str) -> types.ModuleType:
    """The package's models, without its clients: these take seconds to import."""
    name = "azure.mgmt"
    for step in package.split("."):
        parent, name = name, f"{name}.{step}"
        if name not in sys.modules:
            stub = types.ModuleType(name)
            stub.__path__ = [str(Path(folder, step)) for folder in sys.modules[parent].__path__]
            sys.modules[name] = stub
    assert azure.mgmt.__path__
    return importlib.import_module(f"{name}.models")


def model_of(token: str) -> type | None:
    """The official model of `azure-native:<module>:<Type>`, or None when there is none."""
    found = MODELS.get(token.partition(":")[2])
    return None if found is None else getattr(_module(found[0]), found[1])


def problems(token: str, inputs: Properties) -> list[str]:
    """What the official model finds wrong with the body that these inputs make; each starts with its path.

    Raises:
        LookupError: the type has no model.
    """
    model = model_of(token)
    if model is None:
        raise LookupError(token)
    kind = registry.by_token(token)
    apart = {*kind.path_parameters, "azureApiVersion"}
    body = {name: value for name, value in inputs.items() if name not in apart and not name.startswith("__")}
    return list(_object(MODELS[token.partition(":")[2]][0], model, body, ""))


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _attributes(model: Any) -> dict[str, str]:  # noqa: ANN401 a class of a package without types
    """Attribute of the model by folded name: Pulumi's property has the name on the wire, or the client's."""
    found: dict[str, str] = {}
    for attribute, entry in model._attribute_map.items():
        wire = entry["key"].replace("\\.", "\0").split(".")[-1].replace("\0", ".")
        # `type` is the resource's own, read-only, and a pool's property: the one that takes a value counts.
        if _fold(wire) not in found or model._validation.get(found[_fold(wire)], {}).get("readonly"):
            found[_fold(wire)] = attribute
    return {**{_fold(attribute): attribute for attribute in model._attribute_map}, **found}


def _object(package: str, model: Any, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, dict):
        yield f"{path}: not an object"
        return
    known = _attributes(model)
    newer = NEWER_PROPERTIES.get((package, model.__name__), set())
    given: set[str] = set()
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        attribute = known.get(_fold(name))
        if attribute is None and name in newer:
            continue
        if attribute is None:
            yield f"{where}: unknown"
        elif item is not None:
            given.add(attribute)
            rules = model._validation.get(attribute, {})
            if rules.get("readonly"):
                yield f"{where}: read-only"
            yield from _rules(rules, item, where)
            slot = _Slot(package=package, model=model, attribute=attribute)
            yield from _value(slot, model._attribute_map[attribute]["type"], item, where)
    for attribute, rules in model._validation.items():
        if rules.get("required") and not rules.get("readonly") and attribute not in given:
            wire = model._attribute_map[attribute]["key"].split(".")[-1]
            yield f"{path}.{wire}: required" if path else f"{wire}: required"


def _subtype(package: str, model: Any, value: Any) -> Any:  # noqa: ANN401
    """The model that an object's discriminator names, where there are several."""
    for attribute, models in getattr(model, "_subtype_map", {}).items():
        name = value.get(model._attribute_map[attribute]["key"]) if isinstance(value, dict) else None
        if name in models:
            return getattr(_module(package), models[name])
    return model


@dataclass(frozen=True, kw_only=True)
class _Slot:
    """Where a value stands: an attribute of a model."""

    package: str
    model: Any
    attribute: str


def _value(slot: _Slot, kind: str, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 JSON
    if kind.startswith("["):
        yield from _items(slot, kind[1:-1], enumerate(value) if isinstance(value, list) else None, path, "a list")
    elif kind.startswith("{"):
        # A map of identities goes in as a list of ids: the provider turns it into the map.
        items = {item: {} for item in value} if isinstance(value, list) else value
        yield from _items(slot, kind[1:-1], items.items() if isinstance(items, dict) else None, path, "a map")
    elif kind in _TEXTS:
        if not isinstance(value, str) or not re.fullmatch(_TEXTS[kind], value):
            yield f"{path}: not a {kind}"
    elif kind in _SCALARS:
        yield from _scalar(slot, kind, value, path)
    else:
        yield from _object(
            slot.package, _subtype(slot.package, getattr(_module(slot.package), kind), value), value, path
        )


def _items(slot: _Slot, kind: str, items: Iterable[tuple[Any, Any]] | None, path: str, what: str) -> Iterator[str]:
    if items is None:
        yield f"{path}: not {what}"
        return
    for key, item in items:
        yield from _value(slot, kind, item, f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}")


def _scalar(slot: _Slot, kind: str, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 JSON
    if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind in {"int", "long", "float"}):
        yield f"{path}: not {kind}"
    elif kind == "str":
        yield from _member(slot, value, path)


def _member(slot: _Slot, value: str, path: str) -> Iterator[str]:
    """An enumeration's member. The wire does not tell them from strings; the constructor's annotation does."""
    parameter = inspect.signature(slot.model.__init__).parameters.get(slot.attribute)
    named = re.search(r"_models\.(\w+)", str(parameter.annotation)) if parameter is not None else None
    kind = getattr(_module(slot.package), named[1], None) if named else None
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        extra = NEWER_THAN_THE_MODEL.get((slot.package, kind.__name__), set())
        if value not in {member.value for member in kind} | extra:
            yield f"{path}: not a {kind.__name__}"


def _rules(rules: dict[str, Any], value: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    number = isinstance(value, int | float) and not isinstance(value, bool)
    sized = isinstance(value, str | list)
    broken = {
        "pattern": isinstance(value, str) and "pattern" in rules and re.match(rules["pattern"], value) is None,
        "minimum": number and value < rules.get("minimum", value),
        "maximum": number and value > rules.get("maximum", value),
        "min_length": sized and len(value) < rules.get("min_length", 0),
        "max_length": sized and len(value) > rules.get("max_length", len(value)),
        "min_items": sized and len(value) < rules.get("min_items", 0),
        "max_items": sized and len(value) > rules.get("max_items", len(value)),
    }
    yield from (f"{path}: {name} {rules[name]}" for name, fails in broken.items() if fails)
