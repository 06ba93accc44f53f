"""The script that brings weights to a node, run by a real shell; the registry and Entra are made up."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.weights_pods import script_text

DIGEST = "ab" * 32
ARTIFACT = f"registry.azurecr.io/models/chat@sha256:{DIGEST}"
FOLDER = f"sha256-{DIGEST}"

_COMMANDS = {
    # The form is a file: what is in it is what a command's arguments must not show.
    "wget": """
for last; do :; done
echo "wget $last" >>"$LOG"
for one in "$@"; do case $one in --post-file=*) cat "${one#--post-file=}" >>"$FORMS"; echo >>"$FORMS" ;; esac; done
case $last in
*/token) echo '{"token_type":"Bearer","access_token":"entra-token"}' ;;
*/exchange) [ ! -e "$STATE/refused" ] && echo '{"refresh_token":"registry-token"}' ;;
esac
""",
    "oras": """
echo "oras $*" >>"$LOG"
case "$1 $2" in
"login --identity-token-stdin") [ "$(cat)" = registry-token ] ;;
"manifest fetch") cat "$STATE/manifest" ;;
"pull --no-tty")
    while [ "$1" != --output ]; do shift; done
    [ ! -e "$STATE/broken" ] || { echo half >"$2/model.safetensors"; exit 1; }
    echo weights >"$2/model.safetensors" ;;
esac
""",
    # 512-byte blocks are what is left: each folder of weights takes 1,000 of the 2,500 KiB.
    "df": """
echo 'Filesystem 1024-blocks Used Available Capacity Mounted'
echo "disk 2500 0 $((2500 - 1000 * $(ls -d "$CACHE"/sha256-*/ 2>/dev/null | wc -l))) 0% /cache"
""",
    "sleep": 'exec /bin/sleep "${REST:-3600}"',
}


@dataclass
class Node:
    """A node's cache, and what the script did."""

    root: Path

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def log(self) -> list[str]:
        file = self.root / "log"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "LOG": str(self.root / "log"),
            "FORMS": str(self.root / "forms"),
            "STATE": str(self.root),
            "ARTIFACT": ARTIFACT,
            "CACHE": str(self.cache),
            "RUN": str(self.root / "run"),
            "READY": str(self.root / "run/ready"),
            "SPARE_BYTES": "0",
            "AZURE_CLIENT_ID": "client",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_AUTHORITY_HOST": "https://login.example/",
            "AZURE_FEDERATED_TOKEN_FILE": str(self.root / "token"),
        }

    def run(self, task: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["dash", str(self.root / "script"), task],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def hold(self) -> subprocess.Popen[bytes]:
        """A holder that has said that it is ready."""
        started = subprocess.Popen(
            ["dash", str(self.root / "script"), "hold"], env=self.environment, stderr=subprocess.DEVNULL
        )
        ready = self.root / "run/ready"
        while not ready.exists():
            assert started.poll() is None
        ready.unlink()
        return started

    def older(self, name: str, *, age: int) -> None:
        folder = self.cache / name
        folder.mkdir()
        (folder / ".complete").touch()
        (folder / ".used").touch()
        os.utime(folder / ".used", (1_700_000_000 - age, 1_700_000_000 - age))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    for folder in ("bin", "cache", "run"):
        (tmp_path / folder).mkdir()
    for name, text in _COMMANDS.items():
        command = tmp_path / "bin" / name
        command.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        command.chmod(0o755)
    (tmp_path / "script").write_text(script_text(), encoding="utf-8")
    (tmp_path / "token").write_text("federated-token", encoding="utf-8")
    (tmp_path / "manifest").write_text(
        '{"config": {"size": 2, "digest": "x"}, "layers": [{"mediaType": "t", "size": 900000}, {"size":100000}]}',
        encoding="utf-8",
    )
    return Node(root=tmp_path)


def end(started: subprocess.Popen[bytes]) -> int:
    started.send_signal(signal.SIGTERM)
    return started.wait(timeout=30)


def test_a_pull_signs_in_without_a_token_in_any_argument(node: Node) -> None:
    done = node.run("fill")
    assert (done.returncode, done.stdout) == (0, "")
    assert node.log == [
        "wget https://login.example/tenant/oauth2/v2.0/token",
        "wget https://registry.azurecr.io/oauth2/exchange",
        "oras login --identity-token-stdin registry.azurecr.io",
        f"oras manifest fetch {ARTIFACT}",
        f"oras pull --no-tty --concurrency 3 --output {node.cache / FOLDER} {ARTIFACT}",
    ]
    entra, registry = (node.root / "forms").read_text(encoding="utf-8").splitlines()
    assert entra.startswith(
        "grant_type=client_credentials&client_id=client&scope=https%3A%2F%2Fcontainerregistry.azure"
    )
    assert entra.endswith("&client_assertion=federated-token")
    assert registry == "grant_type=access_token&service=registry.azurecr.io&access_token=entra-token"
    assert not (node.root / "run/form").exists()
    assert "token" not in done.stderr
    assert sorted(file.name for file in (node.cache / FOLDER).iterdir()) == [".complete", ".used", "model.safetensors"]


def test_a_filled_cache_is_not_filled_again(node: Node) -> None:
    node.older(FOLDER, age=0)
    assert node.run("fill").returncode == 0
    assert end(node.hold()) == 143
    assert node.log == []


def test_what_a_broken_pull_left_is_pulled_anew(node: Node) -> None:
    (node.root / "broken").touch()
    assert node.run("fill").returncode == 1
    assert not (node.cache / FOLDER / ".complete").exists()
    (node.root / "broken").unlink()
    assert node.run("fill").returncode == 0
    assert (node.cache / FOLDER / "model.safetensors").read_text(encoding="utf-8") == "weights\n"


def test_two_servers_of_a_node_pull_once(node: Node) -> None:
    first, second = node.hold(), node.hold()
    assert [end(first), end(second)] == [143, 143]
    assert sum(line.startswith("oras pull") for line in node.log) == 1


def test_what_is_used_longest_ago_goes_first_and_only_as_much_as_needed(node: Node) -> None:
    node.older("sha256-older", age=50)
    node.older("sha256-newer", age=10)
    assert end(node.hold()) == 143
    assert sorted(folder.name for folder in node.cache.glob("sha256-*/")) == sorted([FOLDER, "sha256-newer"])


def test_weights_in_use_stay_and_the_one_that_has_no_room_says_so(node: Node) -> None:
    (node.root / "manifest").write_text('{"layers":[{"size":2000000}]}', encoding="utf-8")
    other = node.cache / "sha256-other"
    node.older(other.name, age=50)
    with (node.cache / "sha256-other.lock").open("w") as lock:
        subprocess.run(["flock", "-s", str(lock.fileno())], pass_fds=[lock.fileno()], check=True)
        done = node.run("hold")
    assert done.returncode == 1
    assert other.exists()
    assert f"{ARTIFACT} takes 2000000 bytes and {node.cache} has 1536000" in done.stderr


@pytest.mark.parametrize(
    ("file", "said"),
    [("refused", "registry.azurecr.io gave no token to the identity client"), ("no-manifest", "no such artifact")],
)
def test_refusals_name_what_is_missing(node: Node, file: str, said: str) -> None:
    (node.root / file).touch()
    if file == "no-manifest":
        (node.root / "manifest").unlink()
    done = node.run("fill")
    assert done.returncode == 1
    assert said in done.stderr
    assert not (node.cache / FOLDER).exists()


def test_a_waiter_ends_once_the_weights_are_there(node: Node) -> None:
    waiter = subprocess.Popen(
        ["dash", str(node.root / "script"), "wait"], env={**node.environment, "REST": "0.05"}, text=True
    )
    assert waiter.poll() is None
    node.older(FOLDER, age=0)
    assert waiter.wait(timeout=60) == 0
