from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gpufleet.cli.app import main
from sandbox.store import Store
from sandbox.values import Secret

GROUP = "/subscriptions/s/resourceGroups/rg-a"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a"
POOL = f"{CLUSTER}/agentPools/h100a"
CONFIG = f"{CLUSTER}//v1/ConfigMap/kube-system/settings"
CREATED = "2026-11-21T09:00:00Z"

Cli = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def cloud(home: Path) -> Path:
    store = Store(home / "cloud")
    with store.transaction() as transaction:
        for resource_id, kind, outputs in (
            (GROUP, "resources:ResourceGroup", {"location": "eastus"}),
            (CLUSTER, "containerservice:ManagedCluster", {"location": "eastus", "fqdn": "a", "token": Secret("hush")}),
            (POOL, "containerservice:AgentPool", {"count": 1}),
        ):
            record = {"id": resource_id, "token": f"azure-native:{kind}", "created": CREATED, "outputs": outputs}
            transaction.put(resource_id, record)
        transaction.put(
            f"{CLUSTER}///ConfigMap/kube-system/settings", {"id": CONFIG, "created": CREATED, "object": {"data": {}}}
        )
    store.close()
    (home / "state" / ".pulumi" / "stacks").mkdir(parents=True)
    return home


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["gpufleet", "sandbox", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_list(cloud: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "TYPE                             NAME      LOCATION  PLACE",
        "resources:ResourceGroup          rg-a      eastus    (subscription)",
        "containerservice:ManagedCluster  aks-a     eastus    rg-a",
        "containerservice:AgentPool       h100a     -         rg-a/aks-a",
        "v1:ConfigMap                     settings  -         aks-a/kube-system",
    ]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--type", "agentpool"], ["h100a"]),
        (["--type", "containerservice:*"], ["aks-a", "h100a"]),
        (["--name", "*-A"], ["rg-a", "aks-a"]),
        (["--type", "v1:ConfigMap", "--name", "nothing"], []),
    ],
)
def test_list_what_fits(
    cloud: Path, cli: Cli, capsys: pytest.CaptureFixture[str], options: list[str], names: list[str]
) -> None:
    assert cli("list", "--format", "json", *options) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schemaVersion"], document["kind"]) == (1, "sandbox")
    assert [resource["name"] for resource in document["resources"]] == names


def test_an_empty_sandbox(home: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("list") == 0
    assert capsys.readouterr().out == ""


def test_show_by_name_or_id_masks_secrets(cloud: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("show", "AKS-a") == 0
    by_name = capsys.readouterr().out
    assert yaml.safe_load(by_name)["properties"] == {"location": "eastus", "fqdn": "a", "token": "[secret]"}
    assert cli("show", CLUSTER.upper()) == 0
    assert capsys.readouterr().out == by_name
    assert cli("show", CONFIG, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["type"] == "v1:ConfigMap"


def test_show_what_is_not_there(cloud: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("show", "nothing") == 2
    assert "nothing in the sandbox's cloud has the id or name 'nothing'" in capsys.readouterr().err


def test_reset_asks_and_needs_a_terminal_for_that(cloud: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("reset") == 2
    assert "Add --yes to go ahead." in capsys.readouterr().err
    assert (cloud / "cloud" / "cloud.jsonl").exists()


def test_reset_empties_cloud_and_state(cloud: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("reset", "--yes") == 0
    assert capsys.readouterr().err == "The sandbox is empty: 4 resources removed.\n"
    assert not (cloud / "cloud" / "cloud.jsonl").exists()
    assert not (cloud / "state").exists()


def test_reset_refuses_while_a_run_holds_a_stack(cloud: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    lock = cloud / "state" / ".pulumi" / "locks" / "organization" / "gpufleet" / "dev" / "1.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    assert cli("reset", "--yes") == 1
    assert "a run holds the lock of dev" in capsys.readouterr().err
    assert (cloud / "cloud" / "cloud.jsonl").exists()
