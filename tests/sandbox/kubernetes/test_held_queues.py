"""The real engine on a fabric that stands still: a deployment meanwhile lets nothing go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pulumi_kubernetes as k8s
import pytest
from pulumi_azure_native import containerservice

from components.batch_queue import BatchQueue, BatchQueueArgs
from components.in_cluster import ClusterAccess
from components.stop_schedule import StopSchedule, StopScheduleArgs
from gpufleet.spec import parse_environment
from gpufleet.spec.base import Path as KeyPath
from gpufleet.spec.environment import EnvironmentClass
from gpufleet.spec.training import TrainingFabric
from sandbox.kubernetes.api import Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind
from tests.components.idle import CASES
from tests.sandbox.engine import Sandbox
from tests.sandbox.kubernetes.running_cluster import CLUSTER, KUBECONFIG, cluster_sandbox
from tests.spec.environments import POOL, changed

pytestmark = pytest.mark.engine


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with cluster_sandbox(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[KubernetesApi]:
    store = sandbox.store
    yield KubernetesApi(store, CLUSTER)
    store.close()


def _fabric(**changes: object) -> TrainingFabric:
    stated: dict[str, Any] = {**CASES["nights-and-weekends"], **changes}
    paths: dict[KeyPath, object] = {("training", 0, key): value for key, value in stated.items()}
    return parse_environment(changed({(*POOL, "nodes"): {"min": 0, "max": 8}, **paths})).training[0]


def _program(fabric: TrainingFabric) -> Callable[[], None]:
    def program() -> None:
        provider = k8s.Provider("k8s", kubeconfig=KUBECONFIG, cluster_identifier="aks")
        # The cluster is only named, as what its objects go with.
        cluster = cast("containerservice.ManagedCluster", provider)
        access = ClusterAccess(environment_class=EnvironmentClass.STANDARD, provider=provider, cluster=cluster)
        queue = BatchQueue("queue", BatchQueueArgs(access=access, fabric=fabric))
        StopSchedule("stops", StopScheduleArgs(access=access, fabric=fabric, ready=[queue]))

    return program


def _queue(team: str) -> Address:
    return Address(Kind("kueue.x-k8s.io", "v1beta2", "ClusterQueue"), "", team)


def _hold(api: KubernetesApi, team: str) -> None:
    """What the CronJob's `kubectl patch --type=merge` writes."""
    live = api.require(_queue(team))
    api.update(_queue(team), {**live, "spec": {**live["spec"], "stopPolicy": "HoldAndDrain"}})


def test_a_deployment_while_the_fabric_stands_still_lets_nothing_go_on(sandbox: Sandbox, api: KubernetesApi) -> None:
    sandbox.stack(_program(_fabric())).up()
    jobs = Kind("batch", "v1", "CronJob")
    assert api.require(Address(jobs, "gpufleet-schedules", "hold-1"))["spec"]["timeZone"] == "Europe/Stockholm"
    for team in ("vision", "speech"):
        _hold(api, team)
    same = sandbox.stack(_program(_fabric())).up()
    assert set(same.changes) == {"same"}
    teams = [
        {"name": name, "nominalNodes": {"h100": nodes}} for name, nodes in (("vision", 2), ("speech", 5), ("audio", 1))
    ]
    sandbox.stack(_program(_fabric(queue={"teams": teams}))).up()
    policies = {team: api.require(_queue(team))["spec"].get("stopPolicy", "") for team in ("vision", "speech", "audio")}
    # The queue that came meanwhile is held within the hour: the jobs name it already.
    assert policies == {"vision": "HoldAndDrain", "speech": "HoldAndDrain", "audio": policies["audio"]}
    assert policies["audio"] in {"", "None"}
    job = api.require(Address(jobs, "gpufleet-schedules", "hold-1"))
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["args"][2:5] == ["vision", "speech", "audio"]
