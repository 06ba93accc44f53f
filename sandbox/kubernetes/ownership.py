"""Server-side apply: who owns which field, conflicts, and what goes when an owner lets go.

Source: Kubernetes documentation, "Server-Side Apply"; sigs.k8s.io/structured-merge-diff v6, merge/update.go; texts from
k8s.io/apimachinery pkg/util/managedfields/internal/conflict.go. A field is a leaf: a scalar, an atomic list or map,
or something empty. Fields of other API versions are not converted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.errors import KubernetesError
from sandbox.values import Properties, Secret, Value, reveal

# Lists of built-in kinds whose items have an identity: the keys, with their defaults (x-kubernetes-list-map-keys in
# the OpenAPI document, api/openapi-spec/v3 of k8s.io/kubernetes). Every other list is atomic.
_LIST_KEYS: Mapping[str, tuple[tuple[str, Value], ...]] = {
    "conditions": (("type", None),),
    "containers": (("name", None),),
    "env": (("name", None),),
    "ephemeralContainers": (("name", None),),
    "hostAliases": (("ip", None),),
    "imagePullSecrets": (("name", None),),
    "initContainers": (("name", None),),
    "ownerReferences": (("uid", None),),
    "topologySpreadConstraints": (("topologyKey", None), ("whenUnsatisfiable", None)),
    "volumeDevices": (("devicePath", None),),
    "volumeMounts": (("mountPath", None),),
    "volumes": (("name", None),),
}
# Ports are lists with an identity in containers and services only.
_PORT_KEYS = ("containerPort", "port")
# Maps that belong to one owner as a whole (x-kubernetes-map-type: atomic).
_ATOMIC_MAPS = frozenset(
    {
        "configMapKeyRef", "fieldRef", "fileKeyRef", "labelSelector", "namespaceSelector", "nodeSelector",
        "podSelector", "resourceFieldRef", "roleRef", "secretKeyRef", "selector",
    }
)  # fmt: skip
# What identifies an object is nobody's field.
_IDENTITY = frozenset(
    {
        "name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion", "managedFields", "selfLink",
        "deletionTimestamp", "deletionGracePeriodSeconds",
    }
)  # fmt: skip
_IDENTITY_TOP = frozenset({"apiVersion", "kind", "status"})

Schema = Mapping[str, Value] | None
"""The openAPIV3Schema of a custom kind; None for a built-in one."""


@dataclass(frozen=True, kw_only=True)
class Manager:
    """Who set fields, and how: ``Apply`` or ``Update``."""

    name: str
    operation: str
    api_version: str
    fields: frozenset[str]

    def __str__(self) -> str:
        # Only managers that update say with which version.
        return f'"{self.name}"' + (f" using {self.api_version}" if self.operation == "Update" else "")

    def holding(self, fields: Iterable[str]) -> Manager:
        """The same manager with other fields."""
        return Manager(name=self.name, operation=self.operation, api_version=self.api_version, fields=frozenset(fields))

    def to_json(self) -> Properties:
        """Its record."""
        return {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "fields": sorted(self.fields),
        }

    @classmethod
    def from_json(cls, record: Properties) -> Manager:
        """The manager of a record."""
        return cls(
            name=record["manager"],
            operation=record["operation"],
            api_version=record["apiVersion"],
            fields=frozenset(record["fields"]),
        )


def fields_of(body: Properties, schema: Schema = None) -> dict[str, Value]:
    """Every field of an object that somebody can own, by its path (``.spec.ports[port=80,protocol="TCP"].name``)."""
    return dict(_leaves(_without_identity(body), "", "", schema))


def _without_identity(body: Properties) -> Properties:
    content = {key: value for key, value in body.items() if key not in _IDENTITY_TOP and not key.startswith("__")}
    metadata = reveal(content.get("metadata"))
    if isinstance(metadata, dict):
        content["metadata"] = {key: value for key, value in metadata.items() if key not in _IDENTITY} or None
    return content


def _leaves(value: Value, path: str, name: str, schema: Schema) -> Iterator[tuple[str, Value]]:
    plain = value.value if isinstance(value, Secret) else value
    if isinstance(plain, dict) and plain and not _atomic_map(name, schema):
        for key, item in plain.items():
            if item is not None:
                yield from _leaves(item, f"{path}.{key}", key, _below(schema, key))
    elif isinstance(plain, list) and plain and _keys(name, plain, schema) is not None:
        for item in plain:
            key = _item_key(name, item, plain, schema)
            yield from _leaves(item, f"{path}{key}", "", _items(schema))
    elif path and plain is not None:
        yield path, reveal(plain)


def _atomic_map(name: str, schema: Schema) -> bool:
    if schema is None:
        return name in _ATOMIC_MAPS
    return bool(_extension(schema, "map-type") == "atomic")


def _extension(schema: Mapping[str, Value], name: str) -> Value:
    return schema.get(f"x-kubernetes-{name}", schema.get(f"x_kubernetes_{name.replace('-', '_')}"))


def _below(schema: Schema, key: str) -> Schema:
    if schema is None:
        return None
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and isinstance(properties.get(key), Mapping):
        return properties[key]  # type: ignore[no-any-return]
    extra = schema.get("additionalProperties")
    return extra if isinstance(extra, Mapping) else {}


def _items(schema: Schema) -> Schema:
    if schema is None:
        return None
    items = schema.get("items")
    return items if isinstance(items, Mapping) else {}


def _keys(name: str, items: list[Value], schema: Schema) -> tuple[tuple[str, Value], ...] | None:
    """The identifying fields of a list's items; None when the list is atomic."""
    keys: tuple[tuple[str, Value], ...] | None
    if schema is not None:
        found = _extension(schema, "list-map-keys") if _extension(schema, "list-type") == "map" else None
        keys = tuple((key, None) for key in found or ()) or None
    elif name == "ports":
        known = [
            key for key in _PORT_KEYS if all(key in reveal(item) for item in items if isinstance(reveal(item), dict))
        ]
        # A network policy's ports have no identity: they have a "port", but never a name or target.
        keys = ((known[0], None), ("protocol", "TCP")) if known else None
    else:
        keys = _LIST_KEYS.get(name)
    return keys if keys and all(isinstance(reveal(item), dict) for item in items) else None


def _item_key(name: str, item: Value, items: list[Value], schema: Schema) -> str:
    plain = reveal(item)
    parts = [
        f"{key}={json.dumps(plain.get(key, default), ensure_ascii=False)}"
        for key, default in _keys(name, items, schema) or ()
    ]
    return f"[{','.join(parts)}]"


def apply(
    live: Properties,
    desired: Properties,
    managers: list[Manager],
    *,
    name: str,
    api_version: str,
    force: bool,
    schema: Schema = None,
) -> tuple[Properties, list[Manager]]:
    """What becomes of an object and its owners when ``name`` applies what it wants of it.

    Raises:
        KubernetesError: another manager owns a field that would change (and ``force`` is off).
    """
    wanted, there = fields_of(desired, schema), fields_of(live, schema)
    own = next((manager for manager in managers if (manager.name, manager.operation) == (name, "Apply")), None)
    others = [manager for manager in managers if manager is not own]
    changed = {field for field, value in wanted.items() if field in there and there[field] != value}
    conflicts = [(manager, sorted(manager.fields & changed)) for manager in others if manager.fields & changed]
    if conflicts and not force:
        raise KubernetesError("Conflict", _conflict_text(conflicts))
    others = [manager.holding(manager.fields - changed) for manager in others]
    held = frozenset[str]().union(*(manager.fields for manager in others))
    dropped = (own.fields if own else frozenset()) - wanted.keys() - held
    left = _pruned(live, dropped, schema) if dropped else live
    merged = _merged(left, desired, "", schema)
    mine = Manager(name=name, operation="Apply", api_version=api_version, fields=frozenset(wanted))
    return merged, [manager for manager in (*others, mine) if manager.fields]


def update(
    live: Properties,
    new: Properties,
    managers: list[Manager],
    *,
    name: str,
    api_version: str,
    schema: Schema = None,
) -> list[Manager]:
    """Who owns what after ``name`` replaced an object: what changed is its own, and nobody else's."""
    before, after = fields_of(live, schema), fields_of(new, schema)
    changed = {field for field, value in after.items() if before.get(field) != value or field not in before}
    own = next((manager for manager in managers if (manager.name, manager.operation) == (name, "Update")), None)
    others = [manager.holding((manager.fields - changed) & after.keys()) for manager in managers if manager is not own]
    fields = ((own.fields if own else frozenset()) | changed) & after.keys()
    mine = Manager(name=name, operation="Update", api_version=api_version, fields=frozenset(fields))
    return [manager for manager in (*others, mine) if manager.fields]


def _conflict_text(conflicts: list[tuple[Manager, list[str]]]) -> str:
    count = sum(len(fields) for _, fields in conflicts)
    if count == 1:
        manager, [field] = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {manager}: {field}"
    lines = []
    for manager, fields in sorted(conflicts, key=lambda item: str(item[0])):
        lines += [f"conflicts with {manager}:", *(f"- {field}" for field in fields)]
    return f"Apply failed with {count} conflicts: " + "\n".join(lines)


def _pruned(body: Properties, dropped: frozenset[str], schema: Schema) -> Properties:
    """An object without fields; what they leave empty goes too."""
    found: Properties = _prune(body, "", "", dropped, schema) or {}
    return found


def _prune(value: Value, path: str, name: str, dropped: frozenset[str], schema: Schema) -> Value:
    if path in dropped:
        return None
    plain = value.value if isinstance(value, Secret) else value
    kept: Value
    if isinstance(plain, dict) and plain and not _atomic_map(name, schema):
        kept = {
            key: item
            for key, old in plain.items()
            if (item := _prune(old, f"{path}.{key}", key, dropped, _below(schema, key))) is not None
        }
    elif isinstance(plain, list) and plain and _keys(name, plain, schema) is not None:
        kept = [
            item
            for old in plain
            for item in [_prune(old, path + _item_key(name, old, plain, schema), "", dropped, _items(schema))]
            if item is not None
        ]
    else:
        return value
    if not kept:
        return None
    return Secret(kept) if isinstance(value, Secret) else kept


def _merged(live: Value, desired: Value, name: str, schema: Schema) -> Value:
    """``desired`` on top of ``live``."""
    old, new = (item.value if isinstance(item, Secret) else item for item in (live, desired))
    if isinstance(old, dict) and isinstance(new, dict) and not _atomic_map(name, schema):
        result: Value = dict(old)
        for key, item in new.items():
            if item is not None:
                result[key] = _merged(old.get(key), item, key, _below(schema, key))
    elif isinstance(old, list) and isinstance(new, list) and new and _keys(name, [*old, *new], schema) is not None:
        both = [*old, *new]
        items = {_item_key(name, item, both, schema): item for item in old}
        for item in new:
            key = _item_key(name, item, both, schema)
            items[key] = _merged(items.get(key), item, "", _items(schema))
        result = list(items.values())
    else:
        return desired
    # A map that is secret as a whole stays so.
    return Secret(reveal(result)) if isinstance(desired, Secret) or isinstance(live, Secret) else result
