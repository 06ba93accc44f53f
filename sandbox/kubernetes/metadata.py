"""What an object's metadata may be: k8s.io/apimachinery pkg/api/validation/objectmeta.go, and etcd's limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from sandbox.kubernetes import names
from sandbox.kubernetes.fields import FieldError, child, forbidden, invalid, listed, mapped, required
from sandbox.kubernetes.kinds import Kind
from sandbox.values import UNKNOWN, Properties, Value, has_unknown

# k8s.io/apimachinery pkg/api/validation/objectmeta.go: TotalAnnotationSizeLimitB.
_ANNOTATIONS_BYTES = 256 * 1024
# etcd's --max-request-bytes (etcd docs: system limits); the API server passes etcd's refusal on.
_OBJECT_BYTES = 1536 * 1024
# Kinds that cannot own (objectmeta.go: BannedOwners).
_BANNED_OWNERS = frozenset({("v1", "Event")})
# Finalizers without a domain that the API server knows (core validation: ValidateFinalizerName).
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})

# How a kind's objects are called, where it is not a subdomain. Sources: pkg/apis/{core,rbac,batch}/validation.
_NAME_RULES: Mapping[str, Callable[[str], str | None]] = {
    "/Namespace": names.label,
    "/Service": names.label_1035,
    "batch/CronJob": lambda name: names.subdomain(name, limit=52),
    "rbac.authorization.k8s.io/ClusterRole": names.path_segment,
    "rbac.authorization.k8s.io/ClusterRoleBinding": names.path_segment,
    "rbac.authorization.k8s.io/Role": names.path_segment,
    "rbac.authorization.k8s.io/RoleBinding": names.path_segment,
}


def check_metadata(kind: Kind, body: Properties) -> Iterator[FieldError]:
    """What is wrong with the metadata and the size of an object (plain values, unknown ones pass)."""
    metadata = body.get("metadata")
    if metadata is UNKNOWN:
        return
    if not isinstance(metadata, Mapping):
        yield required("metadata.name", "name or generateName is required")
        return
    yield from _name(kind, metadata)
    yield from _labels(metadata)
    yield from _annotations(metadata)
    yield from _owners(metadata)
    yield from _finalizers(metadata)
    size = 0 if has_unknown(body) else len(json.dumps(body, default=str, separators=(",", ":")))
    if size > _OBJECT_BYTES:
        yield FieldError("metadata.name", f"etcdserver: request is too large ({size} bytes, {_OBJECT_BYTES} at most)")


def _name(kind: Kind, metadata: Mapping[str, Value]) -> Iterator[FieldError]:
    name = metadata.get("name")
    if name in (None, ""):
        if metadata.get("generateName") in (None, ""):
            yield required("metadata.name", "name or generateName is required")
    elif isinstance(name, str):
        wrong = _NAME_RULES.get(kind.key, names.subdomain)(name)
        if wrong:
            yield invalid("metadata.name", name, wrong)
    namespace = metadata.get("namespace")
    wrong = names.label(namespace) if isinstance(namespace, str) and namespace else None
    if wrong:
        yield invalid("metadata.namespace", namespace, wrong)


def _labels(metadata: Mapping[str, Value]) -> Iterator[FieldError]:
    yield from check_labels("metadata.labels", mapped(metadata, "labels"))


def check_labels(path: str, labels: Mapping[str, Value]) -> Iterator[FieldError]:
    """What is wrong with a map of labels."""
    for key, value in labels.items():
        wrong = names.qualified(key)
        if wrong:
            yield invalid(path, key, wrong)
        wrong = names.label_value(value) if isinstance(value, str) else None
        if wrong:
            yield invalid(child(path, key), value, wrong)


def _annotations(metadata: Mapping[str, Value]) -> Iterator[FieldError]:
    annotations = mapped(metadata, "annotations")
    for key in annotations:
        wrong = names.qualified(key.lower())
        if wrong:
            yield invalid("metadata.annotations", key, wrong)
    size = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_BYTES:
        yield FieldError("metadata.annotations", f"Too long: may not be more than {_ANNOTATIONS_BYTES} bytes")


def _owners(metadata: Mapping[str, Value]) -> Iterator[FieldError]:
    controller = ""
    for index, owner in enumerate(listed(metadata, "ownerReferences")):
        path = f"metadata.ownerReferences[{index}]"
        if not isinstance(owner, Mapping):
            continue
        for field in ("apiVersion", "kind", "name", "uid"):
            if owner.get(field) in (None, ""):
                yield required(child(path, field), "must not be empty")
        if (owner.get("apiVersion"), owner.get("kind")) in _BANNED_OWNERS:
            yield invalid(path, owner.get("kind"), "is disallowed from being an owner")
        if owner.get("controller") is True:
            if controller:
                yield invalid(
                    "metadata.ownerReferences",
                    owner.get("name"),
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {owner.get('name')}",
                )
            controller = str(owner.get("name"))


def _finalizers(metadata: Mapping[str, Value]) -> Iterator[FieldError]:
    found = [item for item in listed(metadata, "finalizers") if isinstance(item, str)]
    for index, finalizer in enumerate(found):
        path = f"metadata.finalizers[{index}]"
        wrong = names.qualified(finalizer)
        if wrong:
            yield invalid(path, finalizer, wrong)
        elif "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            yield invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")
    if {"orphan", "foregroundDeletion"} <= set(found):
        yield forbidden("metadata.finalizers", "finalizers orphan and foregroundDeletion cannot both be set")
