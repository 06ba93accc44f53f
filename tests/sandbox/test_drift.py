"""Evictions and edits behind the tool's back."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import drift
from sandbox.azure import registry
from sandbox.azure.resource_manager import Resource
from sandbox.drift import Assignment, Eviction, parse_path
from sandbox.errors import SandboxError
from sandbox.kubernetes.api import KubernetesApi
from sandbox.kubernetes.kinds import Kind
from sandbox.store import Store
from tests.sandbox.conftest import Azure

POOL = registry.by_token("azure-native:containerservice:AgentPool")


def pool(azure: Azure, name: str, **more: object) -> Resource:
    inputs: dict[str, Any] = {
        "resourceGroupName": "rg",
        "resourceName": "aks",
        "agentPoolName": name,
        "vmSize": "Standard_D8s_v5",
        "mode": "User",
        "count": 3,
    }
    return azure.manager.create(POOL, {**inputs, **more})


def spot(azure: Azure, name: str, **more: object) -> Resource:
    return pool(azure, name, scaleSetPriority="Spot", **more)


@pytest.fixture
def pools(azure: Azure) -> Azure:
    azure.group()
    azure.cluster()
    return azure


def counts(azure: Azure) -> dict[str, int]:
    return {
        found.id.rpartition("/")[2]: found.outputs["count"]
        for found in azure.manager.all()
        if found.pulumi_type == POOL.pulumi_type
    }


def test_an_evicted_spot_pool_keeps_what_the_autoscaler_orders_again(pools: Azure, store: Store) -> None:
    pool(pools, "cpu")
    plain = spot(pools, "spota", enableAutoScaling=False)
    scaled = spot(pools, "spotb", enableAutoScaling=True, minCount=1, maxCount=5)
    stopped = spot(pools, "spotc", scaleSetEvictionPolicy="Deallocate")
    assert drift.evict(store, [key for key, _ in drift.spot_pools(store)]) == [
        Eviction(id=plain.id, nodes=3, left=0, policy="Delete"),
        Eviction(id=scaled.id, nodes=3, left=1, policy="Delete"),
        Eviction(id=stopped.id, nodes=3, left=3, policy="Deallocate"),
    ]
    assert counts(pools) == {"cpu": 3, "spota": 0, "spotb": 1, "spotc": 3}


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("count", ("count",)),
        ("tags.owner", ("tags", "owner")),
        ("zones[0]", ("zones", 0)),
        ("ipConfigurations[1].subnet.id", ("ipConfigurations", 1, "subnet", "id")),
        ('nodeLabels["gpufleet/pool"]', ("nodeLabels", "gpufleet/pool")),
        ('a["b.c"].d', ("a", "b.c", "d")),
    ],
)
def test_paths(text: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize("text", ["", "[0]", "a[", 'a["b', "a[x]", "a..b"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(SandboxError, match="is no property path"):
        parse_path(text)


def edit(store: Store, resource: Resource, path: str, value: object, *, force: bool = False) -> None:
    drift.edit(store, resource.id.lower(), [Assignment(path=parse_path(path), value=value)], force=force)


def test_an_edit_is_checked_as_any_request(pools: Azure, store: Store) -> None:
    made = pool(pools, "cpu", nodeLabels={"a": "b"}, availabilityZones=["1"])
    edit(store, made, "count", 7)
    edit(store, made, 'nodeLabels["x/y"]', "z")
    edit(store, made, "nodeLabels.a", None)
    edit(store, made, "tags.owner", "me")
    now = pools.manager.require(made.id).outputs
    assert (now["count"], now["nodeLabels"], now["tags"]) == (7, {"x/y": "z"}, {"owner": "me"})
    for path, value, text in (
        ("count", "many", "'count': .*should be of type"),
        ("colour", "blue", "unknown property 'colour'"),
        ("availabilityZones[0]", "2", "availabilityZones"),
        ("availabilityZones[4]", "2", r"leads nowhere at '4'"),
        ("nodeTaints[0].x", "2", "leads nowhere at '0'"),
        ("tags.nothing", None, "leads nowhere at 'nothing'"),
    ):
        with pytest.raises(SandboxError, match=text):
            edit(store, made, path, value)
    assert pools.manager.require(made.id).outputs == now


def test_a_forced_edit_is_written_as_it_is(pools: Azure, store: Store) -> None:
    made = pool(pools, "cpu")
    edit(store, made, "provisioningState", "Failed", force=True)
    edit(store, made, "count", 0, force=True)
    record = store.get(made.id)
    assert record is not None
    assert (record["outputs"]["provisioningState"], record["outputs"]["count"]) == ("Failed", 0)
    assert record["inputs"]["count"] == 0
    assert "provisioningState" not in record["inputs"]


def test_what_is_not_there_cannot_be_edited(store: Store) -> None:
    for force in (False, True):
        with pytest.raises(SandboxError, match="nothing in the sandbox's cloud has the id '/x'"):
            drift.edit(store, "/x", [Assignment(path=("a",), value=1)], force=force)


def test_an_object_is_edited_as_kubectl_does(pools: Azure, store: Store) -> None:
    cluster = next(found.id for found in pools.manager.all() if found.pulumi_type.endswith(":ManagedCluster"))
    api, kind = KubernetesApi(store, cluster), Kind("", "v1", "ConfigMap")
    address = api.address(kind, {"name": "settings", "namespace": "default"})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"}}
    api.apply(address, {**body, "data": {"a": "b"}}, manager="pulumi-kubernetes")
    [key] = [key for key, _ in store.items(cluster + "//") if key.endswith("/settings")]
    drift.edit(store, key, [Assignment(path=("data", "a"), value="c")], force=False)
    assert api.require(address)["data"] == {"a": "c"}
    assert "kubectl-edit" in [manager.name for manager in api.managers(address)]
    with pytest.raises(SandboxError, match="data"):
        drift.edit(store, key, [Assignment(path=("data", "not a key"), value="c")], force=False)
    drift.edit(store, key, [Assignment(path=("data", "not a key"), value="c")], force=True)
    assert api.require(address)["data"] == {"a": "c", "not a key": "c"}


def test_a_release_is_not_edited_by_hand(pools: Azure, store: Store) -> None:
    with store.transaction() as transaction:
        transaction.put("/subscriptions/s/c//helm.sh/release/ns/r", {"id": "c//helm.sh/v3/Release/ns/r", "object": {}})
    with pytest.raises(SandboxError, match="a Helm release is changed by an upgrade"):
        drift.edit(store, "/subscriptions/s/c//helm.sh/release/ns/r", [Assignment(path=("a",), value=1)], force=False)
