from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gpufleet.cli.app import main
from sandbox.store import Store

Cli = Callable[..., int]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path))

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["gpufleet", "sandbox", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_settings_are_set_listed_and_forgotten(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("set", "quota", "eastus/StandardNDSH100v5FAMILY", "960") == 0
    assert cli("set", "capacity", "eastus/Standard_ND96isr_H100_v5", "12") == 0
    assert cli("set", "quota", "eastus/standardNDSH100v5Family", "480") == 0
    capsys.readouterr()
    assert cli("settings", "--format", "json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["kind"] == "sandboxSettings"
    assert listed["settings"] == [
        {"kind": "quota", "key": "eastus/standardNDSH100v5Family", "value": 480},
        {"kind": "capacity", "key": "eastus/Standard_ND96isr_H100_v5", "value": 12},
    ]
    assert cli("settings") == 0
    assert "quota     eastus/standardNDSH100v5Family   480" in capsys.readouterr().out
    assert cli("unset", "quota", "eastus/standardndsh100v5family") == 0
    assert [key for key, _ in Store(tmp_path / "cloud").items("setting/")] == [
        "setting/capacity/eastus/standard_nd96isr_h100_v5"
    ]


def test_nothing_is_set_before_the_first_run(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("settings", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["settings"] == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("set", "quotas", "eastus/cores", "1"), "there is no setting 'quotas'; there are: quota, capacity, feature"),
        (("set", "quota", "eastus", "1"), "the key of a quota setting is REGION/QUOTA"),
        (("set", "quota", "eastuss/cores", "1"), "there is no region 'eastuss'; did you mean 'eastus'?"),
        (("set", "quota", "eastus/ndFamily", "1"), "there is no quota 'ndFamily'; there are: cores, lowPriorityCores"),
        (("set", "quota", "eastus/cores", "many"), "is a whole number of at least 0, not 'many'"),
        (("set", "quota", "eastus/cores", "--", "-1"), "is a whole number of at least 0, not '-1'"),
        (("set", "capacity", "eastus/ND96", "1"), "there is no VM size 'ND96' in the catalogue"),
        (("set", "feature", "Infiniband", "Registered"), "the key of a feature setting is NAMESPACE/FEATURE"),
        (("set", "feature", "Microsoft.X/Y", "on"), "a feature is Registered or NotRegistered or"),
        (("set", "principal", "me", "User"), "the key of a principal setting is the object id (a GUID)"),
        (("set", "principal", "5a4db0c5-0000-4000-8000-0000000000e1", "Robot"), "a principal is a ServicePrincipal or"),
        (("set", "duration", "Microsoft.ContainerService/cluster", "1"), "did you mean 'Microsoft.ContainerService/"),
        (("set", "duration", "*", "1"), "there is no type '*' in sandbox/data/durations.csv"),
        (("set", "duration", "helm.sh/Release", "4m"), "is a whole number of at least 0, not '4m'"),
        (("unset", "quota", "eastus/cores"), "quota 'eastus/cores' is not set"),
    ],
)
def test_a_wrong_setting_is_refused_in_plain_words(
    cli: Cli, arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(*arguments) == 2
    assert text in " ".join(capsys.readouterr().err.split())
