"""The API server: names and sizes, namespaces, owners, finalizers, definitions, admission, field ownership."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.errors import KubernetesError
from sandbox.kubernetes.api import DEFINITION, NAMESPACE, RELEASE, Address, KubernetesApi
from sandbox.kubernetes.immutable import immutable_fields
from sandbox.kubernetes.kinds import Kind
from sandbox.values import Secret
from tests.sandbox.kubernetes.objects import KINDS, example, pod_spec, token_of

CONFIG = Kind("", "v1", "ConfigMap")
POD = Kind("", "v1", "Pod")
WIDGET = Kind("example.com", "v1", "Widget")
RULE = Kind("nfd.k8s-sigs.io", "v1alpha1", "NodeFeatureRule")


def config(name: str = "a", namespace: str = "default", **metadata: object) -> dict[str, Any]:
    place = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**place, **metadata}, "data": {"k": "v"}}


def put(api: KubernetesApi, body: dict[str, Any]) -> dict[str, Any]:
    kind = Kind.from_token(token_of(body))
    return api.create(api.address(kind, body["metadata"]), body)


def namespace(api: KubernetesApi, name: str = "team", **labels: str) -> dict[str, Any]:
    return put(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


def refused(reason: str, text: str, call: Callable[..., object], *arguments: object, **options: object) -> None:
    with pytest.raises(KubernetesError) as error:
        call(*arguments, **options)
    assert (error.value.reason, str(error.value)) == (reason, text)


# ---- metadata


@pytest.mark.parametrize(
    ("metadata", "path"),
    [
        ({"name": "A"}, "metadata.name"),
        ({"name": "a" * 254}, "metadata.name"),
        ({"name": ""}, "metadata.name"),
        ({"labels": {"a b": "c"}}, "metadata.labels"),
        ({"labels": {"a/b/c": "c"}}, "metadata.labels"),
        ({"labels": {"a": "x" * 64}}, "metadata.labels.a"),
        ({"labels": {"example.com/a": "-"}}, "metadata.labels[example.com/a]"),
        ({"annotations": {"a b": "c"}}, "metadata.annotations"),
        ({"annotations": {"a": "x" * (256 * 1024)}}, "metadata.annotations"),
        ({"finalizers": ["keep"]}, "metadata.finalizers[0]"),
        ({"finalizers": ["orphan", "foregroundDeletion"]}, "metadata.finalizers"),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "b"}]},
            "metadata.ownerReferences[0].uid",
        ),
    ],
)
def test_metadata(api: KubernetesApi, metadata: dict[str, Any], path: str) -> None:
    body = config(**metadata)
    with pytest.raises(KubernetesError, match=r"^ConfigMap \".*\" is invalid: ") as error:
        put(api, body)
    assert f"{path}: " in str(error.value)


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "a" * 253},
        {"labels": {"example.com/a": "", "b": "x" * 63}},
        {"annotations": {"a": "x" * (256 * 1024 - 1)}},
        {"finalizers": ["example.com/keep", "kubernetes"]},
    ],
)
def test_metadata_at_the_limit(api: KubernetesApi, metadata: dict[str, Any]) -> None:
    assert put(api, config(**metadata))["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("kind", "name", "fits"),
    [
        ("Service", "1web", False),
        ("Service", "web1", True),
        ("Service", "a.b", False),
        ("Role", "system:a", True),
        ("Role", "a/b", False),
        ("CronJob", "a" * 53, False),
        ("CronJob", "a" * 52, True),
        ("StorageClass", "a.b", True),
    ],
)
def test_names_by_kind(api: KubernetesApi, kind: str, name: str, fits: bool) -> None:
    namespace(api)
    body = example(kind)
    body["metadata"]["name"] = name
    if fits:
        assert put(api, body)["metadata"]["name"] == name
    else:
        with pytest.raises(KubernetesError, match=r"metadata\.name: Invalid value"):
            put(api, body)


def test_an_object_of_a_megabyte_and_a_half(api: KubernetesApi) -> None:
    body = example("StorageClass")
    body["mountOptions"] = ["x" * 1024] * 1540
    with pytest.raises(KubernetesError, match="etcdserver: request is too large"):
        put(api, body)


def test_a_secret_is_not_in_an_error(api: KubernetesApi) -> None:
    body = config(labels={"a": Secret("hunter two!")})
    refused(
        "Invalid",
        'ConfigMap "a" is invalid: metadata.labels.a: Invalid value: "[secret]": a valid label must be an empty string '
        "or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        put,
        api,
        body,
    )


# ---- namespaces


def test_a_cluster_wide_kind_has_no_namespace(api: KubernetesApi) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "namespace": "b"}}
    text = 'Namespace "a" is invalid: metadata.namespace: Forbidden: not allowed on this type'
    refused("Invalid", text, put, api, body)


def test_namespaces_that_are_there_from_the_start(api: KubernetesApi) -> None:
    refused("AlreadyExists", 'namespaces "kube-system" already exists', namespace, api, "kube-system")
    text = 'namespaces "kube-system" is forbidden: this namespace may not be deleted'
    address = Address(NAMESPACE, "", "kube-system")
    refused("Forbidden", text, api.delete, address)
    patch = {"metadata": {"name": "kube-system", "labels": {"a": "b"}}}
    live = api.apply(address, patch, manager="m")
    assert live["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": "kube-system"}


def test_a_namespace_with_something_that_holds_on(api: KubernetesApi) -> None:
    namespace(api)
    put(api, config("free", "team"))
    put(api, config("held", "team", finalizers=["example.com/keep"]))
    place, held = Address(NAMESPACE, "", "team"), Address(CONFIG, "team", "held")
    left = api.delete(place)
    assert left is not None
    assert left["status"] == {"phase": "Terminating"}
    assert api.get(Address(CONFIG, "team", "free")) is None
    text = (
        'configmaps "new" is forbidden: unable to create new content in namespace team because it is being terminated'
    )
    refused("Forbidden", text, put, api, config("new", "team"))
    live = api.require(held)
    assert live["metadata"]["deletionTimestamp"] == "2026-11-21T09:00:00Z"
    live["metadata"] = {**live["metadata"], "finalizers": []}
    api.update(held, live)
    assert (api.get(held), api.get(place)) == (None, None)
    assert namespace(api)["status"] == {"phase": "Active"}


# ---- owners


def owned(owner: dict[str, Any], called: str = "child", **reference: object) -> dict[str, Any]:
    target = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return config(called, ownerReferences=[{**target, **reference}])


def test_an_owner_takes_what_it_owns_along(api: KubernetesApi) -> None:
    owner = put(api, config("owner"))
    child = put(api, owned(owner))
    put(api, owned(child, "grandchild"))
    assert api.delete(Address(CONFIG, "default", "owner")) is None
    assert [api.get(Address(CONFIG, "default", name)) for name in ("child", "grandchild")] == [None, None]


def test_orphans_stay(api: KubernetesApi) -> None:
    owner = put(api, config("owner"))
    put(api, owned(owner))
    assert api.delete(Address(CONFIG, "default", "owner"), "orphan") is None
    assert api.get(Address(CONFIG, "default", "child")) is not None


def test_a_dependent_can_block_its_owner(api: KubernetesApi) -> None:
    owner = put(api, config("owner"))
    child = owned(owner, blockOwnerDeletion=True)
    child["metadata"]["finalizers"] = ["example.com/keep"]
    put(api, child)
    address = Address(CONFIG, "default", "owner")
    assert api.delete(address) is not None
    live = api.require(Address(CONFIG, "default", "child"))
    api.update(Address(CONFIG, "default", "child"), {**live, "metadata": {**live["metadata"], "finalizers": []}})
    assert api.get(address) is None


@pytest.mark.parametrize("change", [{"uid": "other"}, {"name": "other"}, {"kind": "Secret"}])
def test_an_owner_must_be_there(api: KubernetesApi, change: dict[str, str]) -> None:
    owner = put(api, config("owner"))
    with pytest.raises(
        KubernetesError, match=r"metadata\.ownerReferences\[0\]: Not found: .* would delete this object"
    ):
        put(api, owned(owner, **change))


# ---- definitions


def definition(**schema: object) -> dict[str, Any]:
    body = example("CustomResourceDefinition")
    properties = {"type": "object", "properties": {"spec": schema}} if schema else {"type": "object"}
    body["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = properties
    return body


def widget(spec: object, name: str = "w", **metadata: object) -> dict[str, Any]:
    place = {"name": name, "namespace": "default", **metadata}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": place, "spec": spec}


def test_a_definition_takes_its_objects_along(api: KubernetesApi) -> None:
    put(api, definition(type="object"))
    put(api, widget({}))
    assert api.delete(Address(DEFINITION, "", "widgets.example.com")) is None
    assert api.get(Address(WIDGET, "default", "w")) is None
    refused("NoKindMatch", 'no matches for kind "Widget" in version "example.com/v1"', api.require_kind, WIDGET)


def test_an_object_that_holds_on_keeps_its_definition(api: KubernetesApi) -> None:
    put(api, definition(type="object"))
    put(api, widget({}, finalizers=["example.com/keep"]))
    assert api.delete(Address(DEFINITION, "", "widgets.example.com")) is not None
    live = api.require(Address(WIDGET, "default", "w"))
    refused("NoKindMatch", 'no matches for kind "Widget" in version "example.com/v1"', api.require_kind, WIDGET)
    api.update(Address(WIDGET, "default", "w"), {**live, "metadata": {**live["metadata"], "finalizers": []}})
    assert api.get(Address(DEFINITION, "", "widgets.example.com")) is None


OBJECT = {"type": "object"}
_PORT = {**OBJECT, "properties": {"port": {"type": "integer"}}}
_PORTS = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"], "items": _PORT}
_SET = {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("schema", "bad", "path", "good"),
    [
        ({"type": "string"}, 1, "spec", "a"),
        ({"type": "integer"}, 1.5, "spec", 2.0),
        ({"type": "integer", "format": "int32"}, 2**31, "spec", 2**31 - 1),
        ({"type": "boolean"}, "true", "spec", True),
        ({"type": "number", "maximum": 1, "exclusiveMaximum": True}, 1, "spec", 0.9),
        ({"type": "integer", "minimum": 1}, 0, "spec", 1),
        ({"type": "string", "enum": ["a", "b"]}, "c", "spec", "b"),
        ({"type": "string", "pattern": "^a+$"}, "ab", "spec", "aa"),
        ({"type": "string", "minLength": 2, "maxLength": 3}, "a", "spec", "abc"),
        ({"type": "string", "maxLength": 3}, "abcd", "spec", "abc"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, [], "spec", ["a"]),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], "spec[1]", ["a"]),
        (_SET, ["a", "a"], "spec[1]", ["a", "b"]),
        (_PORTS, [{"port": 1}, {"port": 1}], "spec[1]", [{"port": 1}]),
        ({**OBJECT, "required": ["a"], "properties": {"a": OBJECT}}, {}, "spec.a", {"a": {}}),
        ({**OBJECT, "properties": {"size": {"type": "integer"}}}, {"siz": 1}, "spec.siz", {"size": 1}),
        ({**OBJECT, "additionalProperties": {"type": "string"}}, {"a": 1}, "spec.a", {"a": "b"}),
        ({**OBJECT, "maxProperties": 1, "additionalProperties": True}, {"a": 1, "b": 2}, "spec", {"a": 1}),
        ({"x-kubernetes-int-or-string": True}, True, "spec", "50%"),
        ({"x_kubernetes_int_or_string": True}, 1.5, "spec", 1),
        ({**OBJECT, "nullable": False}, [], "spec", {}),
    ],
)  # fmt: skip
def test_a_definitions_schema(api: KubernetesApi, schema: dict[str, Any], bad: object, path: str, good: object) -> None:
    put(api, definition(**schema))
    with pytest.raises(KubernetesError) as error:
        put(api, widget(bad))
    assert str(error.value).startswith(f'Widget.example.com "w" is invalid: {path}: ')
    assert put(api, widget(good))["spec"] == good


def test_unknown_fields_can_be_kept(api: KubernetesApi) -> None:
    put(api, definition(type="object", **{"x-kubernetes-preserve-unknown-fields": True}))
    assert put(api, widget({"any": {"thing": 1}}))["spec"] == {"any": {"thing": 1}}


def test_a_charts_kind_has_its_schema(api: KubernetesApi) -> None:
    release = {"name": "n", "namespace": "default", "chart": "network-operator", "version": "26.4.0"}
    api.put_release(Address(RELEASE, "default", "n"), {**release, "values": {"nfd": {"enabled": True}}}, create=True)
    rule = {"name": "r", "matchFeatures": [{"feature": "pci.device", "matchExpressions": {"vendor": {"op": "Is"}}}]}
    body = {"apiVersion": RULE.api_version, "kind": RULE.kind, "metadata": {"name": "a"}, "spec": {"rules": [rule]}}
    with pytest.raises(
        KubernetesError, match=r"spec\.rules\[0\]\.matchFeatures\[0\]\.matchExpressions\.vendor\.op: Unsup"
    ):
        put(api, body)


# ---- admission


def pod(**spec: object) -> dict[str, Any]:
    body = example("Pod")
    body["metadata"]["namespace"] = "default"
    body["spec"] = {**pod_spec(), "serviceAccountName": "default", **spec}
    return body


def test_a_pods_account_and_priority_must_be_there(api: KubernetesApi) -> None:
    text = 'pods "web" is forbidden: error looking up service account default/x: serviceaccount "x" not found'
    refused("Forbidden", text, put, api, pod(serviceAccountName="x"))
    text = 'pods "web" is forbidden: no PriorityClass with name high was found'
    refused("Forbidden", text, put, api, pod(priorityClassName="high"))
    priority = example("PriorityClass")
    priority["metadata"]["name"] = "high"
    put(api, priority)
    assert put(api, pod(priorityClassName="high"))["spec"]["priorityClassName"] == "high"


def test_one_default_priority(api: KubernetesApi) -> None:
    first = {**example("PriorityClass"), "globalDefault": True}
    put(api, first)
    second = {**first, "metadata": {"name": "b"}}
    text = (
        'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass web is already marked as default. '
        "Only one default can exist"
    )
    refused("Forbidden", text, put, api, second)
    assert put(api, {**second, "globalDefault": False})["metadata"]["name"] == "b"


SAFE = {
    "containers": [
        {
            "name": "web",
            "image": "a",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
    "initContainers": None,
    "volumes": None,
}


@pytest.mark.parametrize(
    ("level", "spec", "text"),
    [
        ("baseline", {"hostNetwork": True}, "host namespaces (hostNetwork=true)"),
        ("baseline", {"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}, 'hostPath volumes (volume "h")'),
        (
            "baseline",
            {"containers": [{"name": "web", "image": "a", "securityContext": {"privileged": True}}]},
            'privileged (container "web" must not set securityContext.privileged=true)',
        ),
        (
            "baseline",
            {"containers": [{"name": "web", "image": "a", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
            "hostPort (hostPort 80)",
        ),
        (
            "baseline",
            {"containers": [{"name": "a", "image": "a", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]},
            'non-default capabilities (container "a" must not include non-default capabilities in securityContext.',
        ),
        (
            "restricted",
            {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
            'runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)',
        ),
        (
            "restricted",
            {"securityContext": {"runAsNonRoot": True}},
            'seccompProfile (pod or container "web" must set securityContext.seccompProfile.type to "RuntimeDefault"',
        ),
        (
            "restricted",
            {"volumes": [{"name": "n", "nfs": {"server": "a", "path": "/"}}]},
            'restricted volume types (volume "n" uses restricted volume type)',
        ),
        (
            "restricted",
            {"containers": [{"name": "web", "image": "a"}]},
            'allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=',
        ),
    ],
)
def test_pod_security(api: KubernetesApi, level: str, spec: dict[str, Any], text: str) -> None:
    namespace(api, "team", **{"pod-security.kubernetes.io/enforce": level})
    body = pod(**{**SAFE, **spec})
    body["metadata"]["namespace"] = "team"
    with pytest.raises(KubernetesError) as error:
        put(api, body)
    assert str(error.value).startswith(f'pods "web" is forbidden: violates PodSecurity "{level}:latest": {text}')
    body["spec"] = pod(**SAFE)["spec"]
    assert put(api, body)["metadata"]["name"] == "web"


def test_a_workload_is_warned_of(api: KubernetesApi) -> None:
    namespace(api, "team", **{"pod-security.kubernetes.io/enforce": "baseline"})
    body = example("Deployment")
    put(api, body)
    address = Address(Kind("apps", "v1", "Deployment"), "team", "web")
    warning = 'would violate PodSecurity "baseline:latest": hostPath volumes (volume "host")'
    assert api.warnings(address, body) == [warning]
    live = api.require(Address(NAMESPACE, "", "team"))
    labels = {**live["metadata"]["labels"], "pod-security.kubernetes.io/warn": "privileged"}
    api.update(Address(NAMESPACE, "", "team"), {**live, "metadata": {**live["metadata"], "labels": labels}})
    assert api.warnings(address, body) == []


# ---- what never changes


@pytest.mark.parametrize(
    ("kind", "path", "value", "text"),
    [
        ("Deployment", "spec.selector.matchLabels.b", "c", 'spec.selector: Invalid value: {"matchLabels":{"app":"web"'),
        ("StatefulSet", "spec.serviceName", "b", "spec: Forbidden: updates to statefulset spec for fields other than"),
        ("Job", "spec.completionMode", "NonIndexed", "spec.completionMode: Invalid value"),
        ("Secret", "type", "example.com/a", 'type: Invalid value: "example.com/a": field is immutable'),
        ("PersistentVolume", "spec.csi.volumeHandle", "b", "spec.csi: Forbidden: spec.persistentvolumesource is immut"),
        ("PersistentVolumeClaim", "spec.storageClassName", "b", "spec: Forbidden: spec is immutable after creation"),
        (
            "PersistentVolumeClaim",
            "spec.resources.requests.storage",
            "9Gi",
            "storage: Forbidden: field can not be less",
        ),
        ("ResourceQuota", "spec.scopes", ["BestEffort"], 'spec.scopes: Invalid value: ["BestEffort"]: field is immut'),
        ("RoleBinding", "roleRef.name", "b", "cannot change roleRef"),
        ("PriorityClass", "value", 5, "value: Forbidden: may not be changed in an update."),
        ("PriorityClass", "preemptionPolicy", "Never", 'preemptionPolicy: Invalid value: "Never": field is immutable'),
        ("StorageClass", "parameters.sku", "b", "parameters: Forbidden: updates to parameters are forbidden."),
        ("StorageClass", "reclaimPolicy", "Delete", 'reclaimPolicy: Invalid value: "Delete": field is immutable'),
        (
            "CustomResourceDefinition",
            "spec.scope",
            "Cluster",
            'spec.scope: Invalid value: "Cluster": field is immutable',
        ),
        ("Pod", "spec.nodeName", "n", "spec: Forbidden: pod updates may not change fields other than"),
    ],
)
def test_what_never_changes(api: KubernetesApi, kind: str, path: str, value: object, text: str) -> None:
    namespace(api)
    body = example(kind)
    if kind == "Pod":
        put(api, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "team"}})
    put(api, body)
    here: Any = body
    *way, last = path.split(".")
    for step in way:
        here = here[step]
    here[last] = value
    address = api.address(Kind.from_token(token_of(body)), body["metadata"])
    with pytest.raises(KubernetesError) as error:
        api.update(address, body)
    assert text in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_without_a_change_is_no_change(api: KubernetesApi, kind: str) -> None:
    namespace(api)
    put(api, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "team"}})
    body = example(kind)
    body["metadata"]["name"] = body["metadata"]["name"].replace("web", "app")
    put(api, body)
    address = api.address(Kind.from_token(token_of(body)), body["metadata"])
    assert api.update(address, body)["metadata"]["resourceVersion"] == "2"


def test_every_immutable_field_has_a_source() -> None:
    assert len(immutable_fields()) == 14
    assert all(entry.source for entry in immutable_fields())


def test_an_edit_of_an_old_version_is_refused(api: KubernetesApi) -> None:
    live = put(api, config())
    address = Address(CONFIG, "default", "a")
    api.update(address, config())
    text = (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to '
        "the latest version and try again"
    )
    refused("Conflict", text, api.update, address, live)


def test_a_dry_run_writes_nothing(api: KubernetesApi) -> None:
    address = Address(CONFIG, "default", "a")
    assert api.create(address, config(), dry_run=True)["data"] == {"k": "v"}
    assert api.get(address) is None
    put(api, config())
    api.apply(address, {**config(), "data": {"x": "y"}}, manager="m", dry_run=True)
    assert api.require(address)["data"] == {"k": "v"}
