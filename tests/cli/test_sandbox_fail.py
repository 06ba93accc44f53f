"""`gpufleet sandbox fail`, `evict`, `outage` and `edit`: what they say, write and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gpufleet.cli.app import main
from sandbox import faults, outages
from sandbox.store import Store

GROUP = "/subscriptions/5a4db0c5-0000-4000-8000-000000000001/resourceGroups/rg-a"
POOLS = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-a/agentPools"
CREATED = "2026-11-21T09:00:00Z"

Cli = Callable[..., int]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["gpufleet", "sandbox", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "cloud")


def put(store: Store, resource_id: str, kind: str, **outputs: object) -> None:
    record = {
        "id": resource_id,
        "token": f"azure-native:{kind}",
        "created": CREATED,
        "generation": 1,
        "inputs": {"resourceGroupName": "rg-a", "location": "eastus"},
        "outputs": outputs,
    }
    with store.transaction() as transaction:
        transaction.put(resource_id, record)


def pools(store: Store) -> None:
    put(store, f"{POOLS}/spot", "containerservice:AgentPool", scaleSetPriority="Spot", count=4, minCount=1)
    put(store, f"{POOLS}/h100a", "containerservice:AgentPool", count=2)


def test_a_fault_can_wait_before_there_is_a_cloud(cli: Cli, home: Path, capsys: Captured) -> None:
    options = ["--type", "AgentPool", "--name", "h100*", "--code", "AllocationFailed", "--times", "2"]
    assert cli("fail", "add", *options, "--operation", "create") == 0
    captured = capsys.readouterr()
    assert captured.out == "1\n"
    assert captured.err == "Fault 1: AllocationFailed (failed) strikes create of AgentPool h100* 2 times\n"
    store = Store(home / "cloud")
    [fault] = faults.listed(store)
    store.close()
    assert (fault.type, fault.name, fault.verbs, fault.times) == ("AgentPool", "h100*", ("create",), 2)


def test_everything_about_a_fault_can_be_said(cli: Cli, store: Store, capsys: Captured) -> None:
    options = ["--status", "429", "--message", "slow {name}", "--retry-after", "5", "--phase", "late"]
    assert cli("fail", "add", "--code", "Mine", *options, "--format", "json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body == {
        "schemaVersion": 1,
        "kind": "sandboxFault",
        "fault": {
            "id": "1",
            "type": "*",
            "name": "*",
            "operations": ["create", "update", "delete"],
            "code": "Mine",
            "status": 429,
            "message": "slow {name}",
            "phase": "late",
            "times": 1,
            "retryAfterSeconds": 5,
        },
    }


def test_faults_are_listed(cli: Cli, store: Store, capsys: Captured) -> None:
    for code in ("Conflict", "AllocationFailed"):
        faults.add(store, faults.make(code=code))
    assert cli("fail", "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "ID  CODE              TYPE  NAME  OPERATIONS            PHASE    TIMES",
        "1   Conflict          *     *     create,update,delete  refused  1",
        "2   AllocationFailed  *     *     create,update         failed   1",
    ]
    assert cli("fail", "list", "--format", "json") == 0
    assert [fault["code"] for fault in json.loads(capsys.readouterr().out)["faults"]] == [
        "Conflict",
        "AllocationFailed",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["fail", "add", "--code", "Confl1ct"], "knows no error code 'Confl1ct': did you mean 'Conflict'"),
        (["fail", "add", "--code", "Conflict", "--phase", "soon"], "'soon' is no phase: one of refused, failed, late,"),
        (["fail", "add", "--code", "Conflict", "--operation", "make"], "'make' is no operation"),
        (["fail", "remove"], "name the faults to remove, or give --all"),
        (["fail", "remove", "1", "--all"], "name the faults to remove, or give --all"),
        (["fail", "remove", "7"], "there is no fault 7"),
        (["evict"], "name the pool to evict, or give --all"),
        (["evict", "nothing"], "nothing in the sandbox's cloud has the id or name 'nothing'"),
        (["evict", "h100a"], "'h100a' is no Spot pool: Azure evicts only those"),
        (["outage", "add", "eastsu"], "'eastsu' is no Azure region; did you mean 'eastus'"),
        (["outage", "remove", "eastus"], "eastus is not down"),
        (["edit", "nothing", "a=b"], "nothing in the sandbox's cloud has the id or name 'nothing'"),
        (["edit", "h100a", "count"], "'count' is no change: write PATH=VALUE"),
        (["edit", "h100a", "a[=1"], "'a[' is no property path"),
        (["edit", "h100a", "count={"], "the value of 'count' is neither YAML nor JSON"),
    ],
)
def test_mistakes(cli: Cli, store: Store, capsys: Captured, arguments: list[str], text: str) -> None:
    pools(store)
    assert cli(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert text in captured.err
    assert "Traceback" not in captured.err


def test_faults_are_removed(cli: Cli, store: Store, capsys: Captured) -> None:
    for _ in range(3):
        faults.add(store, faults.make(code="Conflict"))
    assert cli("fail", "remove", "2") == 0
    assert [fault.id for fault in faults.listed(store)] == ["1", "3"]
    assert cli("fail", "remove", "--all") == 0
    assert faults.listed(store) == []
    assert capsys.readouterr().err == "1 fault removed\n2 faults removed\n"
    for told in ("0 faults wait\n", "1 fault waits\n", "2 faults wait\n"):
        assert cli("fail", "list") == 0
        assert capsys.readouterr().err == told
        faults.add(store, faults.make(code="Conflict"))


def test_the_known_codes(cli: Cli, capsys: Captured) -> None:
    assert cli("fail", "codes", "--format", "json") == 0
    codes = {item["code"]: item for item in json.loads(capsys.readouterr().out)["codes"]}
    assert set(codes) == set(faults.known())
    assert codes["TooManyRequests"]["retriedByTheProvider"] is True
    assert codes["ConnectionReset"]["status"] is None
    assert cli("fail", "codes") == 0
    assert "QuotaExceeded" in capsys.readouterr().out


def test_evictions(cli: Cli, store: Store, capsys: Captured, tmp_path: Path) -> None:
    pools(store)
    assert cli("evict", "spot", "--output", str(tmp_path / "evicted")) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "1 pool evicted\n")
    assert (tmp_path / "evicted").read_text() == f"{POOLS}/spot: 4 nodes evicted (Delete), count 1\n"
    assert cli("evict", "--all", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["evictions"] == [
        {"id": f"{POOLS}/spot", "nodes": 1, "left": 1, "policy": "Delete"}
    ]


def test_outages(cli: Cli, home: Path, capsys: Captured) -> None:
    assert cli("outage", "add", "East US") == 0
    assert cli("outage", "list", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["regions"] == ["eastus"]
    store = Store(home / "cloud")
    assert outages.listed(store) == ["eastus"]
    assert cli("outage", "remove", "eastus") == 0
    assert outages.listed(store) == []
    store.close()


def test_edits(cli: Cli, store: Store, capsys: Captured) -> None:
    put(store, GROUP, "resources:ResourceGroup", location="eastus", name="rg-a", tags={"a": "b"})
    assert cli("edit", "rg-a", "tags.owner=me", "tags.number='7'") == 0
    assert capsys.readouterr().err == f"{GROUP} changed behind the tool's back\n"
    record = store.get(GROUP)
    assert record is not None
    assert record["outputs"]["tags"] == {"owner": "me", "number": "7"}
    assert cli("edit", "rg-a", "location=westus") == 2
    assert "already exists in location 'eastus'" in capsys.readouterr().err
    assert cli("edit", "rg-a", "location=westus", "--force") == 0
    record = store.get(GROUP)
    assert record is not None
    assert record["outputs"]["location"] == "westus"
