"""Checks of pod specs, wherever they stand; kubernetes_rules.csv says where each looks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping

from sandbox.kubernetes import names, quantity
from sandbox.kubernetes.fields import (
    FieldError,
    duplicate,
    each,
    forbidden,
    invalid,
    listed,
    mapped,
    not_found,
    present,
    required,
    unsupported,
)
from sandbox.kubernetes.metadata import check_labels
from sandbox.kubernetes.rules.model import between, coded, is_number, named
from sandbox.values import UNKNOWN, Value

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def _all_containers(spec: Value) -> Iterator[tuple[str, Value]]:
    for group in ("initContainers", "containers"):
        yield from each(spec, f"{group}[]")


@coded
def _container_names(path: str, spec: Value) -> Iterator[FieldError]:
    seen: set[str] = set()
    for where, container in _all_containers(spec):
        name = container.get("name") if isinstance(container, Mapping) else None
        if isinstance(name, str):
            if name in seen:
                yield duplicate(f"{path}.{where}.name", name)
            seen.add(name)


@coded
def _has_containers(path: str, spec: Value) -> Iterator[FieldError]:
    if isinstance(spec, Mapping) and not present(spec, "containers"):
        yield required(f"{path}.containers")


@coded
def _image(path: str, container: Value) -> Iterator[FieldError]:
    image = container.get("image") if isinstance(container, Mapping) else None
    if image in (None, ""):
        yield required(f"{path}.image")
    elif isinstance(image, str) and image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")


@coded
def _host_ports(path: str, spec: Value) -> Iterator[FieldError]:
    seen: set[tuple[Value, ...]] = set()
    shared = isinstance(spec, Mapping) and spec.get("hostNetwork") is True
    for where, port in each(spec, "containers[].ports[]"):
        host = port.get("hostPort") if isinstance(port, Mapping) else None
        if not is_number(host):
            continue
        if shared and is_number(port.get("containerPort")) and host != port["containerPort"]:
            yield invalid(f"{path}.{where}.hostPort", host, "must match `containerPort` when `hostNetwork` is true")
        key = (port.get("protocol") or "TCP", port.get("hostIP") or "", host)
        if key in seen:
            yield duplicate(f"{path}.{where}.hostPort", "/".join(str(part) for part in key))
        seen.add(key)


@coded
def _env(path: str, variable: Value) -> Iterator[FieldError]:
    source = variable.get("valueFrom") if isinstance(variable, Mapping) else None
    if not isinstance(source, Mapping):
        return
    if present(variable, "value") and variable["value"] is not UNKNOWN:
        yield invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    found = [
        name
        for name in ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
        if source.get(name) is not None
    ]
    if not found:
        yield invalid(
            f"{path}.valueFrom",
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        )
    elif len(found) > 1:
        yield invalid(f"{path}.valueFrom", "", "may not have more than one field specified at a time")


@coded
def _mounts(path: str, spec: Value) -> Iterator[FieldError]:
    yield from check_mounts(path, spec, set())


def check_mounts(path: str, spec: Value, claims: set[Value]) -> Iterator[FieldError]:
    """Mounts whose volume the pod spec does not have (``claims``: names that a StatefulSet's templates add)."""
    volumes = claims | {volume.get("name") for volume in listed(spec, "volumes") if isinstance(volume, Mapping)}
    if UNKNOWN in volumes or (isinstance(spec, Mapping) and spec.get("volumes") is UNKNOWN):
        return
    for container, value in _all_containers(spec):
        for field in ("volumeMounts", "volumeDevices"):
            for where, mount in each(value, f"{field}[]"):
                name = mount.get("name") if isinstance(mount, Mapping) else None
                if isinstance(name, str) and name not in volumes:
                    yield not_found(f"{path}.{container}.{where}.name", name)
        yield from _unique_paths(f"{path}.{container}", value)


def _unique_paths(path: str, container: Value) -> Iterator[FieldError]:
    seen: set[str] = set()
    for where, mount in each(container, "volumeMounts[]"):
        target = mount.get("mountPath") if isinstance(mount, Mapping) else None
        if isinstance(target, str):
            if target in seen:
                yield invalid(f"{path}.{where}.mountPath", target, "must be unique")
            seen.add(target)


@coded
def _relative(path: str, value: Value) -> Iterator[FieldError]:
    if isinstance(value, str) and value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    elif isinstance(value, str) and ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


@coded
def _requests_within_limits(path: str, value: Value) -> Iterator[FieldError]:
    limits, requests = mapped(value, "limits"), mapped(value, "requests")
    for name, request in requests.items():
        asked, limit = quantity.parse(request), quantity.parse(limits.get(name))
        where = f"{path}.requests"
        if asked is None:
            continue
        if _extended(name) or name.startswith("hugepages-"):
            if limits.get(name) is None:
                yield required(f"{path}.limits", f"Limit must be set for non overcommitable resources: {name}")
            elif limit is not None and asked != limit:
                yield invalid(where, request, f"must be equal to {name} limit of {limits[name]}")
        elif limit is not None and asked > limit:
            yield invalid(where, request, f"must be less than or equal to {name} limit of {limits[name]}")


def _extended(name: str) -> bool:
    """Whether a resource is an extended one, such as nvidia.com/gpu (core helper: IsExtendedResourceName)."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


@coded
def _whole_devices(path: str, value: Value) -> Iterator[FieldError]:
    for name, amount in value.items() if isinstance(value, Mapping) else ():
        number = quantity.parse(amount)
        if _extended(name) and number is not None and number != number.to_integral_value():
            yield invalid(f"{path}[{name}]", amount, "must be an integer")


@coded
def _resource_names(path: str, value: Value) -> Iterator[FieldError]:
    standard = {"cpu", "memory", "ephemeral-storage"}
    for name in value if isinstance(value, Mapping) else ():
        wrong = names.qualified(name)
        if wrong:
            yield invalid(f"{path}[{name}]", name, wrong)
        elif "/" not in name and name not in standard and not name.startswith("hugepages-"):
            yield invalid(f"{path}[{name}]", name, "must be a standard resource type or fully qualified")


@coded
def _probe_success(path: str, container: Value) -> Iterator[FieldError]:
    for name in ("livenessProbe", "startupProbe"):
        count = mapped(container, name).get("successThreshold")
        if is_number(count) and count != 1:
            yield invalid(f"{path}.{name}.successThreshold", count, "must be 1")


@coded
def _init_probes(path: str, container: Value) -> Iterator[FieldError]:
    for name in (*_PROBES, "lifecycle"):
        if mapped(container, name) and container.get("restartPolicy") != "Always":
            yield forbidden(f"{path}.{name}", "may not be set for init containers without restartPolicy=Always")


@coded
def _port_or_name(path: str, value: Value) -> Iterator[FieldError]:
    if is_number(value):
        yield from between(1, 65535)(path, value)
    else:
        yield from named(names.port_name)(path, value)


_POD_FIELDS = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    }
)
_POD_MAPS = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


@coded
def _field_path(path: str, value: Value) -> Iterator[FieldError]:
    """Fields of its pod that an environment variable may have."""
    if isinstance(value, str) and value not in _POD_FIELDS and not _POD_MAPS.fullmatch(value):
        yield unsupported(path, value, sorted(_POD_FIELDS))


@coded
def _sleep(path: str, spec: Value) -> Iterator[FieldError]:
    """Sleeping before a container ends takes no longer than the pod may take to end."""
    grace = spec.get("terminationGracePeriodSeconds", 30) if isinstance(spec, Mapping) else None
    for where, container in _all_containers(spec):
        seconds = mapped(mapped(mapped(container, "lifecycle"), "preStop"), "sleep").get("seconds")
        if is_number(seconds) and is_number(grace) and not 0 <= seconds <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace:g})"
            yield invalid(f"{path}.{where}.lifecycle.preStop.sleep", seconds, text)


@coded
def _toleration(path: str, value: Value) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        return
    operator, key = value.get("operator") or "Equal", value.get("key")
    if key in (None, "") and operator != "Exists" and operator is not UNKNOWN:
        yield invalid(
            f"{path}.operator",
            operator,
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        )
    wrong = names.label_value(value["value"]) if operator == "Equal" and isinstance(value.get("value"), str) else None
    if wrong:
        yield invalid(f"{path}.operator", value["value"], wrong)
    if operator == "Exists" and isinstance(value.get("value"), str) and value["value"]:
        yield invalid(f"{path}.operator", value["value"], "value must be empty when `operator` is 'Exists'")
    if value.get("tolerationSeconds") not in (None, UNKNOWN) and value.get("effect") not in ("NoExecute", UNKNOWN):
        yield invalid(
            f"{path}.effect", value.get("effect") or "", "effect must be 'NoExecute' when `tolerationSeconds` is set"
        )


@coded
def _requirement(path: str, value: Value) -> Iterator[FieldError]:
    if not isinstance(value, Mapping) or not isinstance(value.get("operator"), str):
        return
    operator, count = value["operator"], len(listed(value, "values"))
    if value.get("values") is UNKNOWN:
        return
    if operator in {"In", "NotIn"} and not count:
        yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    if operator in {"Exists", "DoesNotExist"} and count:
        yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    if operator in {"Gt", "Lt"} and count != 1:
        yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")


@coded
def _node_labels(path: str, value: Value) -> Iterator[FieldError]:
    yield from check_labels(path, value if isinstance(value, Mapping) else {})


@coded
def _security(path: str, container: Value) -> Iterator[FieldError]:
    context = mapped(container, "securityContext")
    if context.get("privileged") is True and context.get("allowPrivilegeEscalation") is False:
        yield invalid(
            f"{path}.securityContext",
            context,
            "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
        )


@coded
def _seccomp(path: str, value: Value) -> Iterator[FieldError]:
    if isinstance(value, Mapping) and value.get("type") == "Localhost" and not present(value, "localhostProfile"):
        yield required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")


@coded
def _dns(path: str, spec: Value) -> Iterator[FieldError]:
    servers = listed(mapped(spec, "dnsConfig"), "nameservers")
    if (
        isinstance(spec, Mapping)
        and spec.get("dnsPolicy") == "None"
        and not servers
        and spec.get("dnsConfig") is not UNKNOWN
    ):
        yield required(
            f"{path}.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"
        )
    if len(servers) > 3:
        yield invalid(f"{path}.dnsConfig.nameservers", servers, "must not have more than 3 nameservers")
    for index, server in enumerate(servers):
        try:
            ipaddress.ip_address(server if isinstance(server, str) else "0.0.0.0")  # noqa: S104 not an address to bind
        except ValueError:
            yield invalid(
                f"{path}.dnsConfig.nameservers[{index}]",
                server,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            )


@coded
def _medium(path: str, value: Value) -> Iterator[FieldError]:
    if isinstance(value, str) and value not in {"", "Memory"} and not value.startswith("HugePages"):
        yield invalid(path, value, "unknown medium")
