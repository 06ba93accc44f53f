"""Which jobs run in an environment's clusters: asked of their API servers, or of the sandbox's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gpufleet.errors import GpufleetError

if TYPE_CHECKING:
    from gpufleet.engine.doubts import State
    from gpufleet.engine.stack import EnvironmentStack
    from gpufleet.pool_changes.jobs import ClusterObjects, Job


def clusters_of(state: State) -> Mapping[str, str]:
    """ARM ids of the clusters in a state, by fabric or inference region.

    Args:
        state: as `pulumi stack export` gives it.
    """
    from gpufleet.catalog.type_tokens import plain_type
    from gpufleet.graph.state import read
    from gpufleet.pool_changes.pools import CLUSTER_TYPE, scope_names

    ids = {
        str(resource["urn"]): str(resource.get("id") or "")
        for resource in state["deployment"].get("resources") or []
        if plain_type(str(resource["type"])) == CLUSTER_TYPE and not resource.get("delete")
    }
    scopes = scope_names(read(state))
    return {scopes[urn]: found for urn, found in ids.items() if found and scopes.get(urn)}


def read_jobs(
    stack: EnvironmentStack, state: State, scopes: Iterable[str]
) -> Mapping[str, tuple[Job, ...] | GpufleetError]:
    """The jobs of some fabrics as they are now, or why they are not known.

    Args:
        stack: of the environment.
        state: of the stack.
        scopes: names of fabrics.
    """
    from gpufleet.graph.state import read
    from gpufleet.pool_changes.jobs import jobs_of
    from gpufleet.pool_changes.pools import agent_pools_of

    pools = list(agent_pools_of(read(state)))
    clusters = clusters_of(state)
    kubeconfigs: Mapping[str, str] = {} if stack.sandbox else stack.kubeconfigs()
    found: dict[str, tuple[Job, ...] | GpufleetError] = {}
    for scope in scopes:
        try:
            objects = _objects(stack, clusters.get(scope, ""), kubeconfigs)
            found[scope] = jobs_of(objects, [pool for pool in pools if pool.scope == scope])
        except GpufleetError as error:
            found[scope] = error
    return found


def _objects(stack: EnvironmentStack, cluster: str, kubeconfigs: Mapping[str, str]) -> ClusterObjects:
    from gpufleet.pool_changes import api_server

    if not cluster:
        raise api_server.ClusterUnreachableError("its cluster is not in the state")
    if stack.sandbox:
        return _of_sandbox(cluster)
    if cluster.lower() not in kubeconfigs:
        raise api_server.ClusterUnreachableError("no kubeconfig of its cluster is in the state")
    return api_server.read(kubeconfigs[cluster.lower()])


def _of_sandbox(cluster: str) -> ClusterObjects:
    from gpufleet.cli.sandbox_items import open_cloud
    from gpufleet.pool_changes.api_server import ClusterUnreachableError
    from gpufleet.pool_changes.jobs import ClusterObjects
    from sandbox import jobs
    from sandbox.errors import SandboxError

    store = open_cloud()
    try:
        if store is None:
            raise ClusterUnreachableError("the sandbox has no cloud")
        jobs.require_reachable(store, cluster)
        return ClusterObjects(
            workloads=jobs.objects(store, cluster, jobs.WORKLOAD),
            flavors=jobs.objects(store, cluster, jobs.FLAVOR),
            pods=jobs.objects(store, cluster, jobs.POD),
            nodes=jobs.objects(store, cluster, jobs.NODE),
        )
    except SandboxError as error:
        raise ClusterUnreachableError(str(error)) from None
