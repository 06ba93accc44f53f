"""Fields that the API server never changes, with its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from sandbox.kubernetes import quantity
from sandbox.kubernetes.fields import FieldError, as_map, concealed, each, forbidden, listed, mapped, show
from sandbox.kubernetes.kinds import Kind
from sandbox.tables import read_table
from sandbox.values import Properties, Value, has_unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Immutable:
    """Fields of kinds that stay as they were made, what the API server says, and its function that says it."""

    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    text: str
    source: str


@cache
def immutable_fields() -> tuple[Immutable, ...]:
    """The table kubernetes_immutable.csv; a text's {value} is the new value, {field} the path."""
    return tuple(
        Immutable(
            kinds=tuple(row.text("kinds").split()),
            fields=tuple(row.text("fields").split()),
            text=row.text("text"),
            source=row.text("source"),
        )
        for row in read_table("kubernetes_immutable.csv", ("kinds", "fields", "text", "source"))
    )


# Kinds whose spec changes in these fields only: pkg/apis/apps/validation ValidateStatefulSetUpdate, pkg/apis/core/
# validation ValidatePersistentVolumeClaimUpdate and ValidatePodUpdate.
_STATEFUL = (
    "minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "replicas", "revisionHistoryLimit",
    "template", "updateStrategy",
)  # fmt: skip
_CLAIM = ("resources", "volumeAttributesClassName")
_MUTABLE_SPEC: Mapping[str, tuple[tuple[str, ...], str]] = {
    "apps/StatefulSet": (
        _STATEFUL,
        (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        ),
    ),
    "/PersistentVolumeClaim": (
        _CLAIM,
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
    ),
    "/Pod": (
        ("activeDeadlineSeconds", "containers", "initContainers", "terminationGracePeriodSeconds", "tolerations"),
        (
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        ),
    ),
}


def check_update(kind: Kind, before: Properties, after: Properties) -> list[FieldError]:
    """What an update changes although the API server never does."""
    if has_unknown(after):
        return []
    old, new = concealed(before), concealed(after)
    return [*_declared(kind, old, new), *_data(kind, old, new), *_spec(kind, old, new), *_shrunk(kind, old, new)]


def _declared(kind: Kind, old: Properties, new: Properties) -> Iterator[FieldError]:
    for entry in immutable_fields():
        for field in entry.fields if kind.key in entry.kinds else ():
            was, becomes = _at(old, field), _at(new, field)
            # A field that nobody set has the API server's own value, which may come back as an explicit one.
            if was is not None and was != becomes:
                yield FieldError(field, entry.text.format(value=show(becomes), field=field))


def _at(body: Properties, field: str) -> Value:
    return next((value for _, value in each(body, field)), None)


def _data(kind: Kind, old: Properties, new: Properties) -> Iterator[FieldError]:
    if kind.key not in {"/ConfigMap", "/Secret"} or old.get("immutable") is not True:
        return
    if new.get("immutable") is not True:
        yield forbidden("immutable", "field is immutable when `immutable` is set")
    for field in ("data", "binaryData", "stringData"):
        if (old.get(field) or {}) != (new.get(field) or {}):
            yield forbidden(field, "field is immutable when `immutable` is set")


def _spec(kind: Kind, old: Properties, new: Properties) -> Iterator[FieldError]:
    mutable, text = _MUTABLE_SPEC.get(kind.key, ((), ""))
    was, becomes = mapped(old, "spec"), mapped(new, "spec")
    if not text:
        return
    fixed = [
        field for field in was.keys() | becomes.keys() if field not in mutable and was.get(field) != becomes.get(field)
    ]
    changed = any(_but_image(was, group) != _but_image(becomes, group) for group in ("containers", "initContainers"))
    if fixed or (kind.key == "/Pod" and changed):
        yield forbidden("spec", text)


def _but_image(spec: Properties, group: str) -> list[Properties]:
    return [{key: value for key, value in as_map(item).items() if key != "image"} for item in listed(spec, group)]


def _shrunk(kind: Kind, old: Properties, new: Properties) -> Iterator[FieldError]:
    if kind.key != "/PersistentVolumeClaim":
        return
    path = "spec.resources.requests.storage"
    was, becomes = quantity.parse(_at(old, path)), quantity.parse(_at(new, path))
    if was is not None and becomes is not None and becomes < was:
        yield forbidden(path, "field can not be less than status.capacity")
