"""Checks of configuration, services, volumes and quotas; kubernetes_rules.csv says where each looks."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Iterator, Mapping

from sandbox.kubernetes import names, quantity
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
)
from sandbox.kubernetes.rules.model import coded, is_number
from sandbox.values import UNKNOWN, Value, has_unknown

# pkg/apis/core: MaxSecretSize; ValidateConfigMap has the same limit.
_DATA_BYTES = 1024 * 1024
# pkg/apis/core/validation: ValidateSecret; what a type demands of the data.
_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


@coded
def _base64_values(path: str, value: Value) -> Iterator[FieldError]:
    for key, text in value.items() if isinstance(value, Mapping) else ():
        try:
            base64.b64decode(text if isinstance(text, str) else "", validate=True)
        except (binascii.Error, ValueError):
            yield FieldError(child(path, key), "illegal base64 data")


@coded
def _data_size(_path: str, body: Value) -> Iterator[FieldError]:
    if not isinstance(body, Mapping) or has_unknown(body):
        return
    plain = sum(len(str(text).encode()) for field in ("data", "stringData") for text in mapped(body, field).values())
    binary = sum(len(str(text)) * 3 // 4 for text in mapped(body, "binaryData").values())
    if plain + binary > _DATA_BYTES:
        yield FieldError("data", f"Too long: may not be more than {_DATA_BYTES} bytes")


@coded
def _data_overlap(_path: str, body: Value) -> Iterator[FieldError]:
    for key in mapped(body, "binaryData"):
        if key in mapped(body, "data"):
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")


@coded
def _secret_keys(_path: str, body: Value) -> Iterator[FieldError]:
    kind = body.get("type") if isinstance(body, Mapping) else None
    if not isinstance(kind, str) or body.get("data") is UNKNOWN or body.get("stringData") is UNKNOWN:
        return
    there = {**mapped(body, "data"), **mapped(body, "stringData")}
    for key in _SECRET_KEYS.get(kind, ()):
        if key not in there:
            yield required(f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and not there.keys() & {"username", "password"}:
        yield required("data[username]")
    annotations = mapped(mapped(body, "metadata"), "annotations")
    if kind == "kubernetes.io/service-account-token" and not annotations.get("kubernetes.io/service-account.name"):
        yield required("metadata.annotations[kubernetes.io/service-account.name]")


@coded
def _service_ports(path: str, spec: Value) -> Iterator[FieldError]:
    ports = listed(spec, "ports")
    headless = isinstance(spec, Mapping) and (spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName")
    if not ports and not headless and isinstance(spec, Mapping) and spec.get("ports") is not UNKNOWN:
        yield required(f"{path}.ports")
    for index, port in enumerate(ports):
        if len(ports) > 1 and isinstance(port, Mapping) and not present(port, "name"):
            yield required(f"{path}.ports[{index}].name")


@coded
def _node_port(path: str, spec: Value) -> Iterator[FieldError]:
    kind = spec.get("type") or "ClusterIP" if isinstance(spec, Mapping) else "ClusterIP"
    for where, port in each(spec, "ports[].nodePort", path):
        if not is_number(port) or not port:
            continue
        if kind in {"ClusterIP", "ExternalName"}:
            yield forbidden(where, f"may not be used when `type` is '{kind}'")
        elif not 30000 <= port <= 32767:
            yield invalid(
                where, port, "provided port is not in the valid range. The range of valid ports is 30000-32767"
            )


@coded
def _service_type(path: str, spec: Value) -> Iterator[FieldError]:
    if not isinstance(spec, Mapping):
        return
    kind, address = spec.get("type") or "ClusterIP", spec.get("clusterIP")
    if kind == "ExternalName":
        name = spec.get("externalName")
        if name in (None, ""):
            yield required(f"{path}.externalName")
        elif isinstance(name, str) and names.subdomain(name.removesuffix(".")):
            yield invalid(f"{path}.externalName", name, str(names.subdomain(name.removesuffix("."))))
    if kind in {"LoadBalancer", "NodePort"} and address == "None":
        yield invalid(f"{path}.clusterIP", address, f"may not be set to 'None' for {kind} services")
    if (
        present(spec, "externalTrafficPolicy")
        and kind in {"ClusterIP", "ExternalName"}
        and not present(spec, "externalIPs")
    ):
        yield invalid(
            f"{path}.externalTrafficPolicy",
            spec["externalTrafficPolicy"],
            "may only be set for externally-accessible services",
        )


@coded
def _address(path: str, value: Value) -> Iterator[FieldError]:
    try:
        ipaddress.ip_address(value if isinstance(value, str) and value not in {"", "None"} else "::1")
    except ValueError:
        yield invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


@coded
def _cidr(path: str, value: Value) -> Iterator[FieldError]:
    try:
        if isinstance(value, str):
            network(value)
    except ValueError:
        yield invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A CIDR range.

    Raises:
        ValueError: it is none.
    """
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text, strict=False)


@coded
def _access_modes(path: str, spec: Value) -> Iterator[FieldError]:
    modes = listed(spec, "accessModes")
    if not modes and isinstance(spec, Mapping) and spec.get("accessModes") is not UNKNOWN:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield forbidden(f"{path}.accessModes", "may not use ReadWriteOncePod with other access modes")


def _storage(path: str, value: Value) -> Iterator[FieldError]:
    storage = value.get("storage") if isinstance(value, Mapping) else None
    amount = quantity.parse(storage)
    if storage is None:
        yield required(f"{path}[storage]" if path == "spec.capacity" else f"{path}.storage")
    elif amount is not None and amount <= 0:
        yield invalid(f"{path}.storage", storage, "must be greater than zero")


@coded
def _claim_storage(path: str, spec: Value) -> Iterator[FieldError]:
    if isinstance(spec, Mapping) and UNKNOWN not in (spec.get("resources"), mapped(spec, "resources").get("requests")):
        yield from _storage(f"{path}.resources.requests", mapped(mapped(spec, "resources"), "requests"))


@coded
def _capacity(path: str, spec: Value) -> Iterator[FieldError]:
    if isinstance(spec, Mapping) and spec.get("capacity") is not UNKNOWN:
        yield from _storage(f"{path}.capacity", mapped(spec, "capacity"))


@coded
def _local_affinity(path: str, spec: Value) -> Iterator[FieldError]:
    if present(spec, "local") and not present(spec, "nodeAffinity"):
        yield required(f"{path}.nodeAffinity", "Local volume requires node affinity")


@coded
def _class_parameters(path: str, value: Value) -> Iterator[FieldError]:
    size = sum(len(str(key)) + len(str(text)) for key, text in value.items()) if isinstance(value, Mapping) else 0
    if isinstance(value, Mapping) and len(value) > 512:
        yield FieldError(path, "Too long: Provisioner Parameters exceeded max allowed 512")
    if size > 256 * 1024:
        yield FieldError(path, f"Too long: may not be more than {256 * 1024} bytes")


@coded
def _quota_resources(path: str, value: Value) -> Iterator[FieldError]:
    standard = {
        "cpu", "memory", "storage", "ephemeral-storage", "pods", "services", "replicationcontrollers",
        "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
    }  # fmt: skip
    for name in value if isinstance(value, Mapping) else ():
        plain = name.removeprefix("requests.").removeprefix("limits.")
        if names.qualified(name):
            yield invalid(f"{path}[{name}]", name, str(names.qualified(name)))
        elif (
            "/" not in name
            and plain not in standard
            and not name.startswith(("services.", "hugepages-", "requests.hugepages-"))
        ):
            yield invalid(f"{path}[{name}]", name, "must be a standard resource for quota")


@coded
def _limit_order(path: str, item: Value) -> Iterator[FieldError]:
    bounds = ("min", "defaultRequest", "default", "max")
    for name in {key for bound in bounds for key in mapped(item, bound)}:
        last: tuple[str, Value] | None = None
        for bound in bounds:
            text = mapped(item, bound).get(name)
            amount = quantity.parse(text)
            if amount is None:
                continue
            low = quantity.parse(mapped(item, last[0]).get(name)) if last else None
            if last and low is not None and low > amount:
                yield invalid(
                    f"{path}.{last[0]}[{name}]",
                    last[1],
                    f"{last[0]} value {last[1]} is greater than {bound} value {text}",
                )
            last = (bound, text)


@coded
def _pod_limits(path: str, item: Value) -> Iterator[FieldError]:
    for field in ("default", "defaultRequest"):
        if isinstance(item, Mapping) and item.get("type") == "Pod" and present(item, field):
            yield forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")


@coded
def _limit_resources(path: str, value: Value) -> Iterator[FieldError]:
    for name in as_map(value):
        wrong = names.qualified(name)
        if wrong:
            yield invalid(f"{path}[{name}]", name, wrong)
        elif "/" not in name and name not in {"cpu", "memory", "storage", "ephemeral-storage"}:
            yield invalid(f"{path}[{name}]", name, "must be a standard limit resource type or fully qualified")
