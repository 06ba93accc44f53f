from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import pytest

from gpufleet.engine.backend import BackendStack, backend_stacks
from gpufleet.engine.errors import EngineError, StackMissingError
from gpufleet.engine.install import ensure_engine
from gpufleet.engine.sandbox_home import (
    PASSPHRASE,
    SALT,
    Environment,
    carries_sandbox_salt,
    config_file_for,
    prepare_home,
    prepare_stacks,
    sandbox_environment,
    tool_environment,
)


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_home_holds_our_providers_under_the_versions_of_the_installed_sdks(root: Path):
    home = prepare_home(root)
    assert home == root / ".sandbox"
    azure = f"resource-azure-native-v{metadata.version('pulumi-azure-native')}"
    kubernetes = f"resource-kubernetes-v{metadata.version('pulumi-kubernetes')}"
    plugins = home / "pulumi-home" / "plugins"
    assert sorted(path.name for path in plugins.iterdir()) == [azure, kubernetes]
    wrapper = plugins / azure / "pulumi-resource-azure-native"
    assert wrapper.read_text().endswith('-P -u -m sandbox.providers.azure_native "$@"\n')
    assert stat.S_IMODE(wrapper.stat().st_mode) == 0o755
    assert (home / "passphrase").read_text() == PASSPHRASE
    assert stat.S_IMODE((home / "passphrase").stat().st_mode) == 0o600


def test_a_second_time_changes_nothing_and_two_at_once_are_safe(root: Path):
    with ThreadPoolExecutor(max_workers=4) as pool:
        homes = set(pool.map(lambda _: prepare_home(root), range(8)))
    (home,) = homes
    before = snapshot(home)
    prepare_home(root)
    assert snapshot(home) == before


def test_wrappers_follow_the_environment_and_older_sdk_versions_stay_usable(root: Path):
    older = root / ".sandbox" / "pulumi-home" / "plugins" / "resource-kubernetes-v4.30.0" / "pulumi-resource-kubernetes"
    older.parent.mkdir(parents=True)
    older.write_text("#!/bin/sh\nexec /gone/python\n")
    home = prepare_home(root)
    current = f"resource-kubernetes-v{metadata.version('pulumi-kubernetes')}"
    newer = home / "pulumi-home" / "plugins" / current / "pulumi-resource-kubernetes"
    assert older.read_text() == newer.read_text()


def test_a_home_that_cannot_be_made_says_what_to_set(root: Path, monkeypatch: pytest.MonkeyPatch):
    (root / "file").touch()
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(root / "file"))
    with pytest.raises(EngineError) as caught:
        prepare_home(root)
    assert caught.value.hint == "Set GPUFLEET_SANDBOX_HOME to a folder that can be written."


@pytest.mark.engine
def test_stacks_are_made_once_and_stack_files_stay_untouched(root: Path):
    engine = ensure_engine()
    prepare_home(root)
    before = snapshot(root / "stacks")
    prepare_stacks(root, ("dev", "other"), engine)
    state = snapshot(root / ".sandbox" / "state")
    prepare_stacks(root, ("dev", "other"), engine)
    assert snapshot(root / ".sandbox" / "state") == state
    assert snapshot(root / "stacks") == before
    # Attribute files are written in place: an engine killed in between would leave the stack unreadable.
    assert [name for name in state if name.endswith(".attrs")] == []
    assert backend_stacks(root, engine, sandbox=True) == {
        name: BackendStack(name=name, resources=0, last_update="") for name in ("dev", "other")
    }


def test_the_environment_leads_to_the_home_and_away_from_the_persons_accounts(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PULUMI_PARALLEL", raising=False)
    monkeypatch.setenv("ARM_CLIENT_SECRET", "real")
    monkeypatch.setenv("AZURE_CONFIG_DIR", "/real")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "real")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "real")
    home = root / ".sandbox"
    changes = sandbox_environment(root, ensure_engine(), "dev")
    assert {name: value for name, value in changes.variables.items() if name not in {"PATH", "VIRTUAL_ENV"}} == {
        "PULUMI_HOME": str(home / "pulumi-home"),
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "GPUFLEET_SANDBOX_CLOUD": str(home / "cloud"),
        "PULUMI_STACK": "dev",
        "PULUMI_PARALLEL": "200",
    }
    assert {"ARM_CLIENT_SECRET", "AZURE_CONFIG_DIR", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"} <= set(
        changes.unset
    )
    applied = changes.applied()
    assert "real" not in applied.values()


def test_the_persons_own_number_of_operations_at_once_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PULUMI_PARALLEL", "3")
    assert tool_environment(ensure_engine()).variables["PULUMI_PARALLEL"] == "3"


def test_applied_takes_away_before_it_sets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GPUFLEET_TEST_A", "old")
    monkeypatch.setenv("GPUFLEET_TEST_B", "old")
    changes = Environment(variables={"GPUFLEET_TEST_A": "new"}, unset=("GPUFLEET_TEST_A", "GPUFLEET_TEST_B"))
    applied = changes.applied()
    assert applied["GPUFLEET_TEST_A"] == "new"
    assert "GPUFLEET_TEST_B" not in applied


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (f"encryptionsalt: {SALT}\nconfig: {{}}\n", True),
        (f'encryptionsalt: "{SALT}" # quoted\n', True),
        ("config: {}\n", False),
        ("encryptionsalt: v1:other\n", False),
        (f"secretsprovider: azurekeyvault://x\nencryptionsalt: {SALT}\n", False),
        (f"# encryptionsalt: {SALT}\n", False),
        (f"config:\n  encryptionsalt: {SALT}\n", False),
    ],
)
def test_whose_salt_a_stack_file_carries(text: str, ours: bool):
    assert carries_sandbox_salt(text) is ours


def test_a_stack_file_with_a_real_secrets_provider_runs_from_a_copy(root: Path):
    original = root / "stacks" / "Pulumi.dev.yaml"
    assert config_file_for(root, "dev", sandbox=True) == original
    real = "secretsprovider: azurekeyvault://vault/keys/k\nencryptedkey: abc\nconfig:\n  gpufleet:environment: {}\n"
    original.write_text(real)
    assert config_file_for(root, "dev", sandbox=False) == original
    copy = config_file_for(root, "dev", sandbox=True)
    assert copy == root / ".sandbox" / "stacks" / "Pulumi.dev.yaml"
    assert original.read_text() == real
    assert copy.read_text() == (
        f"# not in the sandbox\n# not in the sandbox\nconfig:\n  gpufleet:environment: {{}}\nencryptionsalt: {SALT}\n"
    )
    assert carries_sandbox_salt(copy.read_text())


def test_an_environment_that_is_not_there_names_the_nearest(root: Path):
    with pytest.raises(StackMissingError) as caught:
        config_file_for(root, "oter", sandbox=True)
    assert str(caught.value) == (
        "no environment oter: there is no stacks/Pulumi.oter.yaml. Did you mean other?\nEnvironments: dev, other."
    )
