"""No secret of a run is in plain text anywhere: output, logs, state, process arguments.

The secrets are what the sandbox's Azure hands out for dev (certificate authorities of the clusters, storage keys), the
sandbox's passphrase, and markers planted where people keep theirs: in the variables of the shell. That the search can
find them is shown on the decrypted state.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.engine.install import engine_folder, ensure_engine
from gpufleet.engine.project import ROOT
from gpufleet.engine.sandbox_home import HOME_VARIABLE, PASSPHRASE, sandbox_environment
from sandbox.azure import registry
from sandbox.azure.resource_manager import ResourceManager
from sandbox.contract import ContractBook
from sandbox.store import Store
from sandbox.values import reveal
from tests.soak.kills import Home, descendants

pytestmark = [pytest.mark.soak, pytest.mark.engine, pytest.mark.timeout(900)]

GPUFLEET = str(ROOT / ".venv" / "bin" / "gpufleet")
# What a person's shell may hold when they try something in the sandbox.
PLANTED = {
    name: f"planted-{name.lower().replace('_', '-')}-6f1c"
    for name in (
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_ACCESS_TOKEN",
        "ARM_CLIENT_SECRET",
        "ARM_ACCESS_KEY",
        "AZURE_CLIENT_SECRET",
        "AZURE_STORAGE_KEY",
    )
}


def test_secrets_stay_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = Home(tmp_path / "home")
    monkeypatch.setenv(HOME_VARIABLE, str(home.path))
    home.environment |= PLANTED
    said: dict[str, str] = {}
    arguments: set[str] = set()
    for command in (["preview"], ["up", "--yes", "--format", "json"], ["up", "--yes", "--diff"]):
        said[" ".join(command)] = _watched([GPUFLEET, command[0], "dev", "--sandbox", *command[1:]], home, arguments)
    engine = ensure_engine()
    environment = sandbox_environment(ROOT, engine, "dev")
    pulumi = str(engine_folder(engine) / "pulumi")
    for plain in (
        ["preview", "--json"],
        ["up", "--yes"],
        ["stack", "export"],
        ["stack", "--show-urns"],
    ):
        command = [pulumi, *plain, "--non-interactive", "--stack", "dev"]
        said[" ".join(plain)] = _watched(command, home, arguments, environment.applied())
    decrypted = _run([pulumi, "stack", "export", "--show-secrets", "--stack", "dev"], environment.applied())

    secrets = {**dict(_secrets(home)), "passphrase": PASSPHRASE, **PLANTED}
    authorities = [value for name, value in secrets.items() if name.startswith("authority")]
    assert len(authorities) == 2
    assert all(value in decrypted for value in authorities), "the search would not find what is there"

    searched = {**said, "arguments": "\n".join(arguments)}
    for folder in ("state", "engine-home", "pulumi-home", "stacks", "scratch"):
        for path in (home.path / folder).rglob("*"):
            if path.is_file() and not path.is_symlink():
                searched[str(path.relative_to(home.path))] = path.read_text(encoding="utf-8", errors="replace")
    assert any(name.startswith("pulumi-home/logs/") for name in searched)
    found = [
        f"{name} in {place}"
        for place, text in searched.items()
        for name, value in secrets.items()
        if value in text or base64.b64encode(value.encode()).decode() in text
    ]
    assert found == []
    assert any("kubernetes" in line for line in arguments), "no process was seen"


def _secrets(home: Home) -> Iterator[tuple[str, str]]:
    """What the sandbox's Azure hands out, by name."""
    store = Store(home.path / "cloud")
    manager = ResourceManager(store, ContractBook("azure-native").get)
    functions = {
        "azure-native:containerservice:ManagedCluster": "containerservice:listManagedClusterUserCredentials",
        "azure-native:storage:StorageAccount": "storage:listStorageAccountKeys",
    }
    try:
        for _, record in store.items("/subscriptions/"):
            function = functions.get(record.get("token", ""))
            if function is None:
                continue
            kind = registry.by_token(record["token"])
            answer = reveal(registry.invoke(f"azure-native:{function}")(manager, reveal(record["inputs"])))
            if "keys" in answer:
                yield from ((f"key {kind.title} {index}", key["value"]) for index, key in enumerate(answer["keys"]))
            else:
                config = json.loads(base64.b64decode(answer["kubeconfigs"][0]["value"]))
                cluster = config["clusters"][0]
                yield f"authority {cluster['name']}", cluster["cluster"]["certificate-authority-data"]
    finally:
        store.close()


def _watched(command: list[str], home: Home, arguments: set[str], environment: dict[str, str] | None = None) -> str:
    """Run, and note the arguments of every process that it begins."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment or home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for pid in [process.pid, *descendants(process.pid)]:
                try:
                    arguments.add(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace"))
                except (FileNotFoundError, ProcessLookupError):
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        output, _ = process.communicate(timeout=240)
    finally:
        over.set()
        watcher.join()
    assert process.returncode == 0, output[-4000:]
    return output


def _run(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
