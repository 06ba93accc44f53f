"""Server-side apply: owners, conflicts, and what goes with an owner."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import KubernetesError
from sandbox.kubernetes.api import Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.ownership import fields_of
from sandbox.values import Secret
from tests.sandbox.kubernetes.objects import example

CONFIG = Address(Kind("", "v1", "ConfigMap"), "default", "a")
SERVICE = Address(Kind("", "v1", "Service"), "default", "web")


def config(**data: object) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "data": data}


def owners(api: KubernetesApi, address: Address) -> dict[str, list[str]]:
    return {f"{manager.name} {manager.operation}": sorted(manager.fields) for manager in api.managers(address)}


def test_fields_have_the_api_servers_paths() -> None:
    body = example("Deployment")
    found = fields_of(body)
    pod = ".spec.template.spec"
    assert found[f'{pod}.containers[name="web"].image'] == "example.azurecr.io/web:1"
    assert found[f'{pod}.containers[name="web"].ports[containerPort=8080,protocol="TCP"].name'] == "http"
    assert found[f'{pod}.containers[name="web"].env[name="KEY"].valueFrom.secretKeyRef'] == {"name": "keys", "key": "a"}
    assert found[f"{pod}.nodeSelector"] == {"kubernetes.azure.com/agentpool": "h100"}
    assert found[f"{pod}.tolerations"] == body["spec"]["template"]["spec"]["tolerations"]
    assert found[".spec.selector"] == {"matchLabels": {"app": "web"}}
    assert ".metadata.name" not in found
    assert found[".metadata.labels.app"] == "web"
    ports = fields_of(example("Service"))
    assert ports['.spec.ports[port=9090,protocol="TCP"].nodePort'] == 30090
    assert ".spec.ingress" in fields_of(example("NetworkPolicy"))


def test_a_manager_adds_changes_and_drops_its_fields(api: KubernetesApi) -> None:
    api.apply(CONFIG, config(a="1", b="1"), manager="ours")
    api.apply(CONFIG, config(c="1"), manager="theirs")
    assert owners(api, CONFIG) == {"ours Apply": [".data.a", ".data.b"], "theirs Apply": [".data.c"]}
    live = api.apply(CONFIG, config(a="2"), manager="ours")
    assert live["data"] == {"a": "2", "c": "1"}
    assert owners(api, CONFIG) == {"theirs Apply": [".data.c"], "ours Apply": [".data.a"]}


def test_a_field_that_two_own_stays_until_both_let_go(api: KubernetesApi) -> None:
    api.apply(CONFIG, config(a="1"), manager="ours")
    api.apply(CONFIG, config(a="1"), manager="theirs")
    assert api.apply(CONFIG, config(), manager="ours")["data"] == {"a": "1"}
    assert "data" not in api.apply(CONFIG, {"metadata": config()["metadata"]}, manager="theirs")


def test_one_conflict(api: KubernetesApi) -> None:
    api.create(CONFIG, config(a="1"), manager="pulumi-kubernetes")
    api.update(CONFIG, config(a="2"), manager="kubectl-edit")
    assert owners(api, CONFIG) == {"kubectl-edit Update": [".data.a"]}
    with pytest.raises(KubernetesError) as error:
        api.apply(CONFIG, config(a="1"), manager="ours")
    assert error.value.reason == "Conflict"
    assert str(error.value) == 'Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .data.a'
    assert api.require(CONFIG)["data"] == {"a": "2"}
    assert api.apply(CONFIG, config(a="2"), manager="ours")["data"] == {"a": "2"}
    assert api.apply(CONFIG, config(a="3"), manager="ours", force=True)["data"] == {"a": "3"}
    assert owners(api, CONFIG) == {"ours Apply": [".data.a"]}


def test_several_conflicts_by_manager(api: KubernetesApi) -> None:
    api.apply(CONFIG, config(a="1", b="1"), manager="x")
    api.update(CONFIG, config(a="1", b="1", c="1"), manager="y")
    with pytest.raises(KubernetesError) as error:
        api.apply(CONFIG, config(a="2", b="2", c="2"), manager="ours")
    assert str(error.value) == (
        "Apply failed with 3 conflicts: "
        'conflicts with "x":\n- .data.a\n- .data.b\nconflicts with "y" using v1:\n- .data.c'
    )


def test_list_items_have_owners(api: KubernetesApi) -> None:
    body = example("Service")
    body["metadata"]["namespace"] = "default"
    api.apply(SERVICE, body, manager="ours")
    extra = {"name": "extra", "port": 81, "protocol": "TCP"}
    patch = {"metadata": {"name": "web"}, "spec": {"ports": [extra]}}
    live = api.apply(SERVICE, patch, manager="theirs")
    assert [port["port"] for port in live["spec"]["ports"]] == [80, 9090, 81]
    body["spec"]["ports"] = body["spec"]["ports"][:1]
    live = api.apply(SERVICE, body, manager="ours")
    assert [port["port"] for port in live["spec"]["ports"]] == [80, 81]
    live = api.apply(SERVICE, {"metadata": {"name": "web"}}, manager="theirs")
    assert [port["port"] for port in live["spec"]["ports"]] == [80]


def test_fields_are_handed_over(api: KubernetesApi) -> None:
    api.create(CONFIG, config(a="1"), manager="pulumi-kubernetes")
    api.update(CONFIG, config(a="1", b="1"), manager="kubectl-edit")
    api.apply(CONFIG, config(c="1"), manager="helm")
    api.hand_over(CONFIG, "ours", {"Update": ("kubectl", "pulumi-kubernetes")})
    assert owners(api, CONFIG) == {"helm Apply": [".data.c"], "ours Apply": [".data.a", ".data.b"]}


def test_what_a_patch_makes_of_an_object_must_be_valid(api: KubernetesApi) -> None:
    body = example("Service")
    body["metadata"]["namespace"] = "default"
    api.apply(SERVICE, body, manager="ours")
    with pytest.raises(KubernetesError, match=r'Service "web" is invalid: spec\.sessionAffinity: Unsupported value'):
        api.apply(SERVICE, {"metadata": {"name": "web"}, "spec": {"sessionAffinity": "x"}}, manager="m", force=True)


def test_secrets_stay_secret_through_an_apply(api: KubernetesApi) -> None:
    api.apply(CONFIG, config(a=Secret("1")), manager="ours")
    live = api.apply(CONFIG, config(b="2"), manager="theirs")
    assert live["data"] == {"a": Secret("1"), "b": "2"}
    whole = {**config(), "data": Secret({"a": "1", "c": "3"})}
    assert api.apply(CONFIG, whole, manager="ours")["data"] == Secret({"a": "1", "b": "2", "c": "3"})


def test_nulls_are_nothing(api: KubernetesApi) -> None:
    assert api.apply(CONFIG, config(a="1", b=None), manager="ours")["data"] == {"a": "1"}
