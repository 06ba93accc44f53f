"""The control plane itself: two side by side, gone with whoever started it, and no bad manifest gets through."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.control_plane.cluster import Answer, Body, Cluster
from tests.control_plane.conftest import Start
from tests.control_plane.server import NotStartedError, control_plane
from tests.sandbox.kubernetes.objects import example
from tools.control_plane.build import Programs

pytestmark = pytest.mark.control_plane


def pod(namespace: str = "team", **context: object) -> Body:
    container = {"name": "a", "image": "example.azurecr.io/a:1", "securityContext": context}
    spec = {"containers": [container], "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": namespace}, "spec": spec}


RESTRICTED = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}


def test_what_is_right_is_taken_and_not_kept(cluster: Cluster) -> None:
    body = example("Deployment")
    del body["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert cluster.apply(body) == Answer()
    # Nothing stands there: with fields that never change it is new again.
    body["spec"]["selector"] = {"matchLabels": {"app": "web", "tier": "a"}}
    body["spec"]["template"]["metadata"]["labels"] = {"app": "web", "tier": "a"}
    assert cluster.apply(body) == Answer()


def test_warnings_are_seen(cluster: Cluster) -> None:
    place = "spec.template.spec.topologySpreadConstraints[0].labelSelector"
    warning = f'299 - "{place}: a null labelSelector results in matching no pod"'
    assert cluster.apply(example("Deployment")) == Answer(warnings=(warning,))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"replica": 1}, ".spec.replica: field not declared in schema"),
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"strategy": {"type": "Rolling"}}, "spec.strategy: Unsupported value"),
        ({"selector": {"matchLabels": {"app": "other"}}}, "`selector` does not match template `labels`"),
    ],
)
def test_a_broken_manifest_is_refused(cluster: Cluster, change: dict[str, Any], words: str) -> None:
    body = example("Deployment")
    body["spec"].update(change)
    assert words in cluster.apply(body).refusal


def test_an_unknown_kind_and_a_wrong_version_are_refused(cluster: Cluster) -> None:
    body = {**example("Deployment"), "apiVersion": "apps/v1beta1"}
    assert cluster.apply(body).refusal == 'no matches for kind "Deployment" in version "apps/v1beta1"'


def test_a_custom_resource_is_held_to_the_operators_own_schema(start: Start) -> None:
    spec = {"replicatedJobs": [{"name": "a", "replica": 1, "template": {"spec": {}}}]}
    metadata = {"name": "a", "namespace": "team"}
    body = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": metadata, "spec": spec}
    with start(["jobset.x-k8s.io JobSet"]) as cluster:
        cluster.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        assert '.spec.replicatedJobs[name="a"].replica: field not declared in schema' in cluster.apply(body).refusal


def test_pod_security_refuses_a_pod_and_warns_of_a_template(start: Start) -> None:
    with start([]) as cluster:
        for level in ("baseline", "restricted"):
            labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
            metadata = {"name": level, "labels": labels}
            cluster.make({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        assert cluster.apply(pod("restricted", **RESTRICTED)).refusal == ""
        locked = pod("restricted", **{**RESTRICTED, "capabilities": {"add": ["IPC_LOCK"], "drop": ["ALL"]}})
        assert 'violates PodSecurity "restricted:latest": unrestricted capabilities' in cluster.apply(locked).refusal
        assert (
            'violates PodSecurity "baseline:latest": privileged'
            in cluster.apply(pod("baseline", privileged=True)).refusal
        )
        template = {"metadata": {"labels": {"app": "a"}}, "spec": pod(privileged=True)["spec"]}
        daemons = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
        metadata = {"name": "a", "namespace": "baseline"}
        answer = cluster.apply({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": daemons})
        assert answer.refusal == ""
        assert [text.startswith('299 - "would violate PodSecurity') for text in answer.warnings] == [True]


def test_admission_knows_priorities_and_service_accounts(cluster: Cluster) -> None:
    body = pod()
    body["spec"]["priorityClassName"] = "training"
    assert "no PriorityClass with name training was found" in cluster.apply(body).refusal
    body = pod()
    body["spec"]["serviceAccountName"] = "nobody"
    assert 'serviceaccount "nobody" not found' in cluster.apply(body).refusal


def test_two_run_side_by_side_and_leave_no_process(programs: Programs, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with control_plane(programs, folders[0]) as one, control_plane(programs, folders[1]) as two:
        servers = {yaml.safe_load(path.read_text())["clusters"][0]["cluster"]["server"] for path in (one, two)}
        assert len(servers) == 2
        assert one.stat().st_mode & 0o777 == 0o600
        assert len(running(tmp_path)) == 4
    assert running(tmp_path) == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_the_servers_go_with_the_process_that_started_them(
    programs: Programs, folder: Path, end: signal.Signals
) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.control_plane.server import control_plane; "
        "from tools.control_plane import build\n"
        "with control_plane(build.find(), Path(sys.argv[1])):\n print('up', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        pids = running(folder)
        assert len(pids) == 2
        watched = [os.pidfd_open(pid) for pid in pids]
        process.send_signal(end)
    for descriptor in watched:
        # Readable once the process has ended (pidfd_open(2)).
        assert select.select([descriptor], [], [], 60)[0] == [descriptor]
        os.close(descriptor)
    assert running(folder) == []


def test_a_server_that_does_not_start_says_why(programs: Programs, folder: Path) -> None:
    broken = Programs(api_server=Path("/bin/false"), etcd=programs.etcd, version=programs.version)
    with pytest.raises(NotStartedError, match="kube-apiserver-0 did not start"), control_plane(broken, folder):
        raise AssertionError
    assert running(folder) == []


def running(folder: Path) -> list[int]:
    """Processes that have a folder in their command line: the servers of a control plane in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"={folder}".encode() in command:
                found.append(int(entry.name))
    return found
