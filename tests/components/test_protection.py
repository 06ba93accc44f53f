"""What guards what, by the environment's class."""

from __future__ import annotations

from components.options import Keep, child
from gpufleet.spec.environment import EnvironmentClass
from tests.components.graphs import Graph, build, stack_graph
from tests.spec.environments import changed

DATA = {
    "resources:ResourceGroup", "network:VirtualNetwork", "network:NetworkSecurityGroup", "network:Subnet",
    "storagecache:AmlFilesystem", "storage:StorageAccount", "storage:BlobContainer", "containerregistry:Registry",
}  # fmt: skip


def _protected(graph: Graph) -> set[str]:
    return {r.name for r in graph.resources if r.protect}


def _retained(graph: Graph) -> set[str]:
    return {r.name for r in graph.resources if r.retain_on_delete}


LAB_DATA = {
    "test-rg", "test-registry-cr", "lab-rg", "lab-network-vnet", "lab-network-nsg-lustre", "lab-network-snet-lustre",
    "lab-storage-amlfs", "lab-storage-blobs", "lab-storage-datasets", "lab-storage-checkpoints",
}  # fmt: skip


def test_ephemeral_guards_nothing() -> None:
    graph = build(changed({("class",): "ephemeral"}))
    assert _protected(graph) == set()
    assert _retained(graph) == set()


def test_standard_protects_clusters_and_data_and_what_data_stands_in() -> None:
    graph = build(changed({("class",): "standard"}))
    assert _protected(graph) == LAB_DATA | {"lab-cluster-aks", "swedencentral-cluster-aks"}
    assert _retained(graph) == set()


def test_production_also_keeps_data_when_it_leaves_the_program() -> None:
    graph = build(changed({("class",): "production"}))
    assert _protected(graph) == LAB_DATA | {"lab-cluster-aks", "swedencentral-cluster-aks"}
    assert _retained(graph) == LAB_DATA


def test_a_fabric_without_lustre_needs_no_kept_network() -> None:
    graph = build(changed({("class",): "production", ("training", 0, "storage"): {}}))
    assert _retained(graph) == LAB_DATA - {
        "lab-network-vnet", "lab-network-nsg-lustre", "lab-network-snet-lustre", "lab-storage-amlfs"
    }  # fmt: skip


def test_nothing_that_is_kept_refers_to_something_that_is_not() -> None:
    """A kept subnet with a NAT gateway would hold the gateway: Azure refuses to delete what is in use."""
    graph = build(changed({("class",): "production"}))
    kept = {r.urn for r in graph.resources if r.retain_on_delete}
    # The subnet also waits for the one before it, which it does not refer to.
    waits = {r.urn for r in graph.resources if r.name == "lab-network-snet-gpu"}
    for resource in graph.resources:
        if resource.urn in kept:
            assert set(resource.dependencies) - waits <= kept, resource.name


def test_in_cluster_resources_go_with_their_cluster() -> None:
    graph = stack_graph("dev")
    inside = [r for r in graph.resources if r.type.startswith("kubernetes:")]
    assert {(r.name.split("-")[0], graph.named(r.deleted_with)) for r in inside} == {
        ("lab", "lab-cluster-aks"),
        ("eastus", "eastus-cluster-aks"),
    }


def test_only_what_others_write_and_a_budgets_start_are_ignored_changes() -> None:
    graph = stack_graph("prod")
    assert {(r.type.split(":", 1)[1], r.ignore_changes) for r in graph.resources if r.ignore_changes} == {
        ("containerservice:AgentPool", ("count",)),
        ("consumption:Budget", ("timePeriod.startDate",)),
        ("apps/v1:Deployment", ("spec.replicas",)),  # KEDA writes those of model servers
        ("kueue.x-k8s.io/v1beta2:ClusterQueue", ("spec.stopPolicy",)),  # a schedule holds and releases queues
    }


def test_options_hold_nothing_that_was_not_asked_for() -> None:
    options = child(None, EnvironmentClass.PRODUCTION)  # type: ignore[arg-type]
    assert (options.protect, options.retain_on_delete, options.depends_on, options.ignore_changes) == (None,) * 4


def test_cluster_is_protected_but_not_retained_in_production() -> None:
    options = child(None, EnvironmentClass.PRODUCTION, keep=Keep.CLUSTER)  # type: ignore[arg-type]
    assert (options.protect, options.retain_on_delete) == (True, None)
