"""What the control plane is made of: the pinned module, and the operators' definitions with their hashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.spec.cluster import Cluster
from tools.control_plane import __main__ as command
from tools.control_plane import build, definitions
from tools.control_plane.errors import ControlPlaneError

SUM = "h1:" + "A" * 43 + "="
DEFINITION = """\
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {names: {kind: Widget}}
---
kind: Kustomization
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPUFLEET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'go'}:/usr/bin:/bin")
    return tmp_path / "cache"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    (folder / "crds").mkdir(parents=True)
    (folder / "crds" / "widgets.yaml").write_text(DEFINITION)
    (folder / "crds" / "kustomization.yaml").write_text("resources: [widgets.yaml]\n")
    return folder


def fake_go(tmp_path: Path, answer: dict[str, str] | None = None, build_script: str = "exit 1") -> Path:
    """A `go` that answers `go mod download -json` and runs a script for `go build`; $out is where to build."""
    folder = tmp_path / "go"
    folder.mkdir()
    path = folder / "go"
    path.write_text(
        f"""#!/bin/sh
if [ "$1" = version ]; then echo "go version go1.26.1 linux/amd64"; exit 0; fi
echo "$*" >> {folder}/called
if [ "$1" = mod ]; then echo '{json.dumps(answer or {})}'; exit 0; fi
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
{build_script}
"""
    )
    path.chmod(0o755)
    return folder / "called"


def table(tmp_path: Path, **changes: object) -> Path:
    row = {
        "module": "example.com/operator",
        "version": "v1.2.3",
        "sum": SUM,
        "folder": "crds",
        "kinds": ["Widget"],
        **changes,
    }
    path = tmp_path / "definitions.yaml"
    path.write_text(json.dumps([row]))
    return path


def test_the_pinned_kubernetes_is_the_clusters() -> None:
    minor = Cluster.model_fields["kubernetes_version"].default
    assert build.pinned_version().startswith(f"{minor}.")


def test_definitions_are_downloaded_once_and_only_they_are_kept(cache: Path, module: Path, tmp_path: Path) -> None:
    called = fake_go(tmp_path, {"Sum": SUM, "Dir": str(module)})
    rows = table(tmp_path)
    assert [item["spec"]["names"]["kind"] for item in definitions.ensure(rows)] == ["Widget"]
    assert definitions.ensure(rows) == definitions.find(rows)
    assert called.read_text() == "mod download -json example.com/operator@v1.2.3\n"
    assert [path.name for path in cache.rglob("*.json")] == ["widgets.example.com.json"]


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("answer", "changes", "words"),
    [
        (
            {"Sum": SUM.replace("A", "B")},
            {},
            f"the Go module example.com/operator@v1.2.3 has the hash {SUM.replace('A', 'B')}; definitions.yaml pins",
        ),
        ({"Error": "not found"}, {}, "the Go module example.com/operator@v1.2.3 can't be downloaded: not found"),
        (None, {"kinds": ["Gadget", "Widget"]}, "crds defines Widget; definitions.yaml says Gadget, Widget"),
        (None, {"folder": "elsewhere"}, "elsewhere defines nothing; definitions.yaml says Widget"),
        (None, {"sum": "h1:short"}, "sum\n  String should match pattern"),
        (None, {"digest": "x"}, "digest\n  Extra inputs are not permitted"),
    ],
)
def test_what_is_not_as_pinned_is_refused_and_leaves_nothing(
    module: Path,
    tmp_path: Path,
    answer: dict[str, str] | None,
    changes: dict[str, object],
    words: str,
) -> None:
    fake_go(tmp_path, answer or {"Sum": SUM, "Dir": str(module)})
    rows = table(tmp_path, **changes)
    with pytest.raises(ControlPlaneError) as caught:
        definitions.ensure(rows)
    assert words in str(caught.value)
    assert [path.name for path in (tmp_path / "cache" / "control-plane").iterdir()] == ["definitions.lock"]


def test_what_is_missing_says_what_makes_it(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ControlPlaneError, match=r"there is no Kubernetes API server in .*: make control-plane builds it"
    ):
        build.find()
    with pytest.raises(ControlPlaneError, match=r"there are no resource definitions in .*: make control-plane"):
        definitions.find(table(tmp_path))


def test_a_build_stamps_the_version_and_is_done_once(cache: Path, tmp_path: Path) -> None:
    called = fake_go(tmp_path, build_script='touch "$out/kube-apiserver" "$out/server"')
    programs = build.ensure()
    assert build.ensure() == programs
    assert programs.etcd.exists()
    assert programs.api_server.exists()
    [line] = called.read_text().splitlines()
    assert f"k8s.io/component-base/version.gitVersion=v{build.pinned_version()}" in line
    assert line.endswith(" k8s.io/kubernetes/cmd/kube-apiserver go.etcd.io/etcd/server/v3")


def test_a_failed_build_leaves_nothing_and_names_its_log(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, build_script="echo './x.go:3:1: syntax error' >&2; exit 1")
    with pytest.raises(EngineUnavailableError, match=r"the Go build of a Kubernetes API server failed: \./x\.go:3:1"):
        build.ensure()
    assert [path.name for path in (cache / "control-plane").iterdir()] == ["build.lock"]
    monkeypatch.setattr(definitions, "ensure", list)
    assert command.main() == 2
    told = capsys.readouterr().err
    assert "[control-plane] error: the Go build of a Kubernetes API server failed" in told
    assert str(cache / "logs" / "control-plane-build.log") in told
