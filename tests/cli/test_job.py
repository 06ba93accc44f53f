"""`gpufleet job render`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.command_line import Gpufleet
from tests.jobs.jobs import IMAGE
from tests.spec.environments import changed


@pytest.fixture
def lab(gpufleet: Gpufleet) -> Gpufleet:
    """With an environment `lab` of eight H100 nodes."""
    text = yaml.safe_dump({"config": {"gpufleet:environment": changed({})}}, sort_keys=False)
    gpufleet.stack("lab", text)
    return gpufleet


_ASKED = ("job", "render", "lab", "--name", "llm", "--image", IMAGE, "--nodes", "4")
_KINDS = ["ConfigMap", "TrainingRuntime", "TrainJob"]


def test_stdout_is_the_manifests_alone(lab: Gpufleet) -> None:
    done = lab(*_ASKED, "--", "torchrun", "train.py", "--epochs", "3")
    assert (done.code, done.err) == (0, "")
    manifests = list(yaml.safe_load_all(done.out))
    assert [manifest["kind"] for manifest in manifests] == _KINDS
    pod = manifests[1]["spec"]["template"]["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"] == ["torchrun", "train.py", "--epochs", "3"]


def test_json_is_kubernetes_own_list(lab: Gpufleet, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    done = lab(*_ASKED, "--format", "json", "-o", file, "--", "torchrun", "train.py")
    assert (done.code, done.out, done.err) == (0, "", "")
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (document["apiVersion"], document["kind"]) == ("v1", "List")
    assert [manifest["kind"] for manifest in document["items"]] == _KINDS


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--nodes", "9", "--", "x"), "error: --nodes 9: pool h100 has 8 at the most\n"),
        (("--image", "train:latest", "--", "x"), "error: --image train:latest: not pinned by a digest\n"),
        ((), "error: no command is given\n"),
        (("--kind", "job", "--", "x"), "error: --kind job: a plain Job has no gang, and 4 nodes are asked for\n"),
        (("--team", "vision", "--", "x"), "error: --team vision: fabric lab has no such team\n"),
    ],
)
def test_what_cannot_run_is_refused(lab: Gpufleet, more: tuple[str, ...], message: str) -> None:
    done = lab(*_ASKED, *more)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)


def test_an_unknown_environment(lab: Gpufleet) -> None:
    done = lab("job", "render", "nowhere", *_ASKED[3:], "--", "x")
    assert (done.code, done.out) == (6, "")


def test_a_broken_stack_file(lab: Gpufleet) -> None:
    lab.stack("lab", yaml.safe_dump({"config": {"gpufleet:environment": changed({("training", 0, "region"): "mars"})}}))
    done = lab(*_ASKED, "--", "x")
    assert (done.code, done.out) == (2, "")
    assert "training[0].region" in done.err


def test_without_a_workload_it_says_what_is_missing(lab: Gpufleet) -> None:
    value = changed({("training", 0, "workload"): None, ("training", 0, "storage", "lustre", "capacityTiB"): 8})
    lab.stack("lab", yaml.safe_dump({"config": {"gpufleet:environment": value}}))
    done = lab(*_ASKED, "--", "x")
    assert done.code == 0
    assert done.err == "fabric lab declares no workload: nothing tells how often to write a checkpoint\n"
