"""What `up` reads of a cluster before it takes nodes away, from a real API server with Kueue's own definitions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config  # type: ignore[import-untyped]

from gpufleet.pool_changes.api_server import read
from gpufleet.pool_changes.jobs import Job, jobs_of
from sandbox import jobs
from sandbox.store import Store
from tests.control_plane.cluster import Body, Cluster
from tests.control_plane.manifests import known_definitions
from tests.control_plane.server import control_plane
from tests.pool_changes.objects import agent_pool, node, pod
from tools.control_plane.build import Programs

pytestmark = pytest.mark.control_plane

ARM_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
POOL = "azure-native:containerservice:AgentPool"


def in_the_sandbox(folder: Path) -> Body:
    """A job of two nodes as `gpufleet sandbox jobs add` writes it down."""
    folder.mkdir()
    store = Store(folder)
    labels = {"gpufleet.io/pool": "h100"}
    outputs = {"count": 4, "vmSize": "Standard_ND96isr_H100_v5", "nodeLabels": labels}
    with store.transaction() as transaction:
        transaction.put(ARM_ID, {"id": ARM_ID, "outputs": {"location": "eastus"}})
        key = f"{ARM_ID}/agentPools/h10001aa"
        transaction.put(key, {"id": key, "token": POOL, "outputs": outputs})
    jobs.add(store, ARM_ID, name="llama", team="nlp", pool="h100", nodes=2)
    (body,) = jobs.objects(store, ARM_ID, jobs.WORKLOAD)
    store.close()
    for key in ("uid", "creationTimestamp", "generation", "resourceVersion"):
        del body["metadata"][key]
    return body


@pytest.fixture
def kubeconfig(programs: Programs, folder: Path) -> Iterator[Path]:
    """An empty cluster with Kueue's own definitions of what is read."""
    kueue = [known_definitions()[f"kueue.x-k8s.io {kind}"] for kind in ("ResourceFlavor", "Workload")]
    with control_plane(programs, folder) as path, contextlib.closing(Cluster(path)) as cluster:
        cluster.prepare(kueue)
        yield path


def test_jobs_of_a_real_api_server(kubeconfig: Path, tmp_path: Path) -> None:
    body = in_the_sandbox(tmp_path / "cloud")
    api: Any = config.new_client_from_config(str(kubeconfig))
    core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
    core.create_namespace({"metadata": {"name": "vision"}})
    core.create_namespaced_service_account("vision", {"metadata": {"name": "default"}})
    for name in (node("h10001aa", 2), node("h10001aa", 3)):
        core.create_node({"metadata": {"name": name, "labels": {"gpufleet.io/pool": "h100"}}})

    where = ("kueue.x-k8s.io", "v1beta2")
    flavor = {"metadata": {"name": "h100"}, "spec": {"nodeLabels": {"gpufleet.io/pool": "h100"}}}
    custom.create_cluster_custom_object(
        *where, "resourceflavors", {"apiVersion": "/".join(where), "kind": "ResourceFlavor", **flavor}
    )
    # What the sandbox calls a workload is one: nothing of it is unknown to Kueue's own definition.
    strict = {"field_validation": "Strict"}
    made = custom.create_namespaced_custom_object(*where, "default", "workloads", body, **strict)
    made["status"] = body["status"]
    custom.replace_namespaced_custom_object_status(*where, "default", "workloads", "llama", made, **strict)

    debug = pod("debug", node("h10001aa", 3))
    debug["spec"]["containers"][0] |= {"name": "main", "image": "example.com/a:1"}
    core.create_namespaced_pod("vision", {key: debug[key] for key in ("metadata", "spec")})
    api.close()
    api.rest_client.pool_manager.clear()

    found = read(kubeconfig.read_text(encoding="utf-8"))
    assert len(found.nodes) == 2
    on = frozenset(f"aks-h10001aa-10000000-vmss{number:06}" for number in range(2))
    assert jobs_of(found, [agent_pool("h10001aa")]) == (
        Job(name="default/llama", team="nlp", pool="h100", count=2, nodes=on),
        Job(name="vision/debug", team="vision", pool="h100", count=1, nodes=frozenset({node("h10001aa", 3)})),
    )
