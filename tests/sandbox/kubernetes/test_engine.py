"""The real engine on a cluster: conflicts, finalizers, namespaces and definitions that go under what needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
import pytest

from gpufleet.engine import EngineError
from sandbox.kubernetes.api import DEFINITION, NAMESPACE, Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind
from tests.sandbox.engine import Sandbox, errors
from tests.sandbox.kubernetes.running_cluster import CLUSTER, KUBECONFIG, cluster_sandbox

pytestmark = pytest.mark.engine

SETTINGS = Address(Kind("", "v1", "ConfigMap"), "team", "settings")
WIDGET = Address(Kind("example.com", "v1", "Widget"), "team", "w")
KEEP = ["example.com/keep"]


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE", "true")
    with cluster_sandbox(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[KubernetesApi]:
    store = sandbox.store
    yield KubernetesApi(store, CLUSTER)
    store.close()


def objects(value: str = "1", finalizers: list[str] | None = None, *, settings: bool = True) -> Callable[[], None]:
    def program() -> None:
        provider = k8s.Provider("k8s", kubeconfig=KUBECONFIG, cluster_identifier="aks")
        options = pulumi.ResourceOptions(provider=provider)
        team = k8s.core.v1.Namespace("team", metadata=k8s.meta.v1.ObjectMetaArgs(name="team"), opts=options)
        if settings:
            k8s.core.v1.ConfigMap(
                "settings",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name="settings", namespace=team.metadata.name, finalizers=finalizers
                ),
                data={"k": value},
                opts=options,
            )

    return program


def test_a_field_that_another_manager_took(sandbox: Sandbox, api: KubernetesApi) -> None:
    sandbox.stack(objects()).up()
    body = {"metadata": {"name": "settings", "namespace": "team"}, "data": {"k": "argo"}}
    api.apply(SETTINGS, body, manager="argocd", force=True)
    with pytest.raises(EngineError) as caught:
        sandbox.stack(objects("2")).up()
    assert 'Apply failed with 1 conflict: conflict with "argocd": .data.k' in errors(caught)
    assert api.require(SETTINGS)["data"] == {"k": "argo"}


def test_a_finalizer_outlives_the_deletion(sandbox: Sandbox, api: KubernetesApi) -> None:
    sandbox.stack(objects(finalizers=KEEP)).up()
    with pytest.raises(EngineError) as caught:
        sandbox.stack(objects(settings=False)).up()
    assert "timed out waiting for the condition: 'team/settings' is still there" in errors(caught)
    assert "finalizers might be preventing deletion (example.com/keep)" in errors(caught)
    live = api.require(SETTINGS)
    api.update(SETTINGS, {**live, "metadata": {**live["metadata"], "finalizers": []}})
    assert sandbox.stack(objects(settings=False)).up().changes == {"same": 3, "delete": 1}


def test_nothing_new_in_a_namespace_that_goes(sandbox: Sandbox, api: KubernetesApi) -> None:
    sandbox.stack(objects(settings=False)).up()
    held = {"metadata": {"name": "held", "namespace": "team", "finalizers": KEEP}}
    api.create(Address(Kind("", "v1", "ConfigMap"), "team", "held"), held)
    assert api.delete(Address(NAMESPACE, "", "team")) is not None
    with pytest.raises(EngineError) as caught:
        sandbox.stack(objects()).up()
    assert "unable to create new content in namespace team because it is being terminated" in errors(caught)


def widgets(size: int = 1) -> Callable[[], None]:
    def program() -> None:
        objects(settings=False)()
        provider = k8s.Provider("crs", kubeconfig=KUBECONFIG, cluster_identifier="aks")
        k8s.apiextensions.CustomResource(
            "w",
            api_version="example.com/v1",
            kind="Widget",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="w", namespace="team"),
            spec={"size": size},
            opts=pulumi.ResourceOptions(provider=provider),
        )

    return program


def test_a_definition_goes_under_its_objects(sandbox: Sandbox, api: KubernetesApi) -> None:
    sandbox.stack(objects(settings=False)).up()
    spec = {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    definition = {
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    place = Address(DEFINITION, "", "widgets.example.com")
    api.create(place, definition)
    with pytest.raises(EngineError) as caught:
        sandbox.stack(widgets(size=0)).preview()
    assert "spec.size in body should be greater than or equal to 1" in errors(caught)
    sandbox.stack(widgets()).up()
    assert api.require(WIDGET)["spec"] == {"size": 1}
    api.delete(place)
    assert api.get(WIDGET) is None
    with pytest.raises(EngineError) as caught:
        sandbox.stack(widgets(size=2)).up()
    assert 'no matches for kind "Widget" in version "example.com/v1"' in errors(caught)
    # What went with its definition is gone for the destroy too.
    sandbox.stack(widgets()).destroy()
    assert sandbox.ids() == [CLUSTER]
