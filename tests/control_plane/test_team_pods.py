"""The policy of teams' namespaces and rendered jobs, before a real API server."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.components.queues import GOLDEN as QUEUES
from tests.control_plane.cluster import Body, Cluster
from tests.control_plane.conftest import Start
from tests.control_plane.manifests import Manifest, pods_of
from tests.jobs.jobs import GOLDEN as JOBS

pytestmark = pytest.mark.control_plane

_KINDS = {
    "kubeflow.org MPIJob",
    "resource.nvidia.com ComputeDomain",
    "trainer.kubeflow.org TrainJob",
    "trainer.kubeflow.org TrainingRuntime",
}
_POLICY_SECONDS = 60.0
_ADMITTED = {"kueue.x-k8s.io/podset": "node"}
_CONTAINER = {"name": "c", "image": "example.com/a:1"}


def _documents(text: str) -> list[Body]:
    return [body for body in yaml.safe_load_all(text) if "apiVersion" in body]


def _pod(
    spec: dict[str, Any] | None = None, container: dict[str, Any] | None = None, labels: dict[str, str] | None = None
) -> Body:
    metadata = {"name": "p", "namespace": "team-default", "labels": labels or {}}
    containers = [{**_CONTAINER, **(container or {})}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **(spec or {})}}


@pytest.fixture(scope="module")
def team(start: Start) -> Iterator[Cluster]:
    """A cluster with the namespace of the team `default` and its policy in force."""
    golden = _documents((QUEUES / "one-team.yaml").read_text(encoding="utf-8"))
    with start(_KINDS) as cluster:
        for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"):
            (body,) = (body for body in golden if body["kind"] == kind)
            cluster.make(body)
        teams = [
            {**body, "metadata": {**body["metadata"], "name": f"team-{name}"}}
            for body in golden
            if body["kind"] == "Namespace" and body["metadata"]["name"] == "team-default"
            for name in ("default", "vision")
        ]
        for body in teams:
            cluster.make(body)
        end = time.monotonic() + _POLICY_SECONDS
        while not cluster.apply(_pod({"hostNetwork": True})).refusal:
            assert time.monotonic() < end, "the policy never came into force"
        yield cluster


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        (_pod({"hostNetwork": True}), "have no host namespaces"),
        (_pod({"hostPID": True}), "have no host namespaces"),
        (_pod(container={"securityContext": {"privileged": True}}), "are not privileged"),
        (
            _pod({"initContainers": [{**_CONTAINER, "name": "i", "securityContext": {"privileged": True}}]}),
            "privileged",
        ),
        (_pod(container={"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}), "add IPC_LOCK at most"),
        (_pod({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}), "have no hostPath volumes"),
        (_pod(container={"ports": [{"containerPort": 80, "hostPort": 80}]}), "have no host ports"),
        (_pod({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}), "and a seccomp profile"),
        (_pod(container={"resources": {"limits": {"nvidia.com/gpu": "1"}}}), "get GPUs through the team's queue"),
        (_pod({"resourceClaims": [{"name": "g", "resourceClaimTemplateName": "g"}]}), "get GPUs through"),
    ],
)
def test_what_the_policy_refuses(team: Cluster, pod: Body, message: str) -> None:
    assert message in team.apply(pod).refusal


@pytest.mark.parametrize(
    "pod",
    [
        _pod(),
        _pod(container={"securityContext": {"capabilities": {"add": ["IPC_LOCK"], "drop": ["ALL"]}}}),
        _pod(container={"resources": {"limits": {"nvidia.com/gpu": "1"}}}, labels=_ADMITTED),
        _pod({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "lustre"}}]}),
    ],
)
def test_what_it_lets_in(team: Cluster, pod: Body) -> None:
    assert team.apply(pod).refusal == ""


def test_it_is_about_teams_alone(team: Cluster) -> None:
    pod = _pod({"hostNetwork": True})
    pod["metadata"]["namespace"] = "default"
    assert team.apply(pod).refusal == ""


@pytest.mark.parametrize("file", sorted(JOBS.glob("*.yaml")), ids=lambda file: file.stem)
def test_rendered_jobs_and_their_pods_are_taken(team: Cluster, file: Any) -> None:  # noqa: ANN401 pytest's parameter
    for body in _documents(file.read_text(encoding="utf-8")):
        answer = team.apply(body)
        assert (body["kind"], answer.refusal, answer.warnings) == (body["kind"], "", ())
        for pod in pods_of(Manifest(origin=file.name, body=body)):
            admitted = copy.deepcopy(pod.body)
            admitted["metadata"].setdefault("labels", {}).update(_ADMITTED)
            taken = team.apply(admitted)
            assert (taken.refusal, taken.warnings) == ("", ())
