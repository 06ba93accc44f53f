"""Checks of roles, network policies, priorities and definitions; kubernetes_rules.csv says where each looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.kubernetes import names, pod_security
from sandbox.kubernetes.fields import (
    FieldError,
    as_map,
    child,
    each,
    forbidden,
    invalid,
    listed,
    mapped,
    present,
    required,
    unsupported,
)
from sandbox.kubernetes.rules.core import network
from sandbox.kubernetes.rules.model import coded, is_number
from sandbox.values import UNKNOWN, Value, has_unknown

_RBAC_GROUP = "rbac.authorization.k8s.io"
# pkg/apis/scheduling: HighestUserDefinablePriority.
_HIGHEST_PRIORITY = 1_000_000_000
_SYSTEM_PRIORITIES = frozenset({"system-node-critical", "system-cluster-critical"})


@coded
def _exceptions(path: str, block: Value) -> Iterator[FieldError]:
    for where, text in each(block, "except[]", path):
        try:
            outer, inner = network(str(as_map(block).get("cidr"))), network(str(text))
        except ValueError:
            continue
        if inner.version != outer.version or not inner.subnet_of(outer) or inner == outer:  # type: ignore[arg-type]
            yield invalid(where, text, f"must be a strict subset of `cidr`: {outer}")


@coded
def _peer(path: str, peer: Value) -> Iterator[FieldError]:
    selectors = [as_map(peer).get(name) for name in ("podSelector", "namespaceSelector")]
    block = as_map(peer).get("ipBlock")
    if block not in (None, UNKNOWN) and any(selector not in (None, UNKNOWN) for selector in selectors):
        yield forbidden(path, "may not specify both ipBlock and another peer")
    if block is None and selectors == [None, None]:
        yield required(path, "must specify a peer")


@coded
def _port_range(path: str, port: Value) -> Iterator[FieldError]:
    if not isinstance(port, Mapping) or port.get("endPort") is None:
        return
    first, last = port.get("port"), port["endPort"]
    if first is None or isinstance(first, str):
        yield required(f"{path}.port", "must be specified, as a number, when `endPort` is set")
    elif is_number(first) and is_number(last) and last < first:
        yield invalid(f"{path}.endPort", last, "must be greater than or equal to `port`")


@coded
def _rbac_rule(path: str, item: Value) -> Iterator[FieldError]:
    if not isinstance(item, Mapping):
        return
    if not present(item, "verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    if present(item, "nonResourceURLs"):
        if listed(item, "resources") or listed(item, "apiGroups"):
            yield invalid(
                f"{path}.nonResourceURLs",
                item["nonResourceURLs"],
                "rules cannot apply to both regular resources and non-resource URLs",
            )
        return
    if not present(item, "apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not present(item, "resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


@coded
def _no_urls(path: str, value: Value) -> Iterator[FieldError]:
    if value:
        yield invalid(path, value, "namespaced rules cannot apply to non-resource URLs")


@coded
def _subject(path: str, subject: Value) -> Iterator[FieldError]:
    if not isinstance(subject, Mapping):
        return
    kind, group = subject.get("kind"), subject.get("apiGroup")
    if not present(subject, "name"):
        yield required(f"{path}.name")
    if kind == "ServiceAccount":
        if not present(subject, "namespace"):
            yield required(f"{path}.namespace")
        if isinstance(group, str) and group:
            yield unsupported(f"{path}.apiGroup", group, ("",))
        wrong = names.subdomain(subject["name"]) if isinstance(subject.get("name"), str) and subject["name"] else None
        if wrong:
            yield invalid(f"{path}.name", subject["name"], wrong)
    elif kind in {"User", "Group"}:
        if isinstance(group, str) and group not in {"", _RBAC_GROUP}:
            yield unsupported(f"{path}.apiGroup", group, (_RBAC_GROUP,))
    elif isinstance(kind, str):
        yield unsupported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))


@coded
def _priority(_path: str, body: Value) -> Iterator[FieldError]:
    if not isinstance(body, Mapping):
        return
    name, value = str(mapped(body, "metadata").get("name")), body.get("value")
    if name.startswith("system-"):
        if name not in _SYSTEM_PRIORITIES:
            yield forbidden(
                "metadata.name",
                "priority class names with 'system-' prefix are reserved for system use only. error: "
                f"{name} is not a known system priority class",
            )
    elif is_number(value) and value > _HIGHEST_PRIORITY:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}")


@coded
def _definition_name(_path: str, body: Value) -> Iterator[FieldError]:
    spec = mapped(body, "spec")
    plural, group = mapped(spec, "names").get("plural"), spec.get("group")
    name = mapped(body, "metadata").get("name")
    if isinstance(plural, str) and isinstance(group, str) and isinstance(name, str) and name != f"{plural}.{group}":
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')


@coded
def _definition_versions(path: str, spec: Value) -> Iterator[FieldError]:
    versions = [version for version in listed(spec, "versions") if isinstance(version, Mapping)]
    if len([version for version in versions if version.get("storage") is True]) != 1 and not has_unknown(versions):
        yield invalid(
            f"{path}.versions",
            [version.get("name") for version in versions],
            "must have exactly one version marked as storage version",
        )
    for index, version in enumerate(versions):
        schema = mapped(version, "schema").get("openAPIV3Schema")
        where = f"{path}.versions[{index}].schema.openAPIV3Schema"
        if schema is None and version.get("schema") is not UNKNOWN:
            yield required(where, "schemas are required")
        elif isinstance(schema, Mapping) and schema.get("type") not in ("object", UNKNOWN):
            yield (invalid if schema.get("type") else _no_root_type)(
                f"{where}.type", schema.get("type"), "must be object at the root"
            )


def _no_root_type(path: str, _: Value, detail: str) -> FieldError:
    return required(path, "must not be empty at the root" if detail else "")


@coded
def _definition_group(_path: str, body: Value) -> Iterator[FieldError]:
    group = mapped(body, "spec").get("group")
    annotations = mapped(body, "metadata").get("annotations")
    guarded = isinstance(group, str) and (
        group.endswith((".k8s.io", ".kubernetes.io")) or group in {"k8s.io", "kubernetes.io"}
    )
    if guarded and annotations is not UNKNOWN and "api-approved.kubernetes.io" not in (annotations or {}):
        yield required(
            "metadata.annotations[api-approved.kubernetes.io]",
            'protected groups must have approval annotation "api-approved.kubernetes.io"',
        )


@coded
def _security_labels(path: str, labels: Value) -> Iterator[FieldError]:
    for key, value in labels.items() if isinstance(labels, Mapping) else ():
        wrong = pod_security.wrong_label(key, value) if isinstance(value, str) else None
        if wrong:
            yield invalid(child(path, key), value, wrong)
