"""Credentials and backend, told apart cheaply and honestly."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.cli.sign_in import require_azure, require_backend
from gpufleet.errors import AuthenticationError

PRINCIPAL = {"ARM_CLIENT_ID": "c", "ARM_TENANT_ID": "t", "ARM_SUBSCRIPTION_ID": "s"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    az = tmp_path / "bin" / "az"
    az.write_text("#!/bin/sh\n")
    az.chmod(0o755)
    (tmp_path / "stack.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.yaml").write_text("name: gpufleet\n")
    return tmp_path


def azure(home: Path, environ: dict[str, str], stack: str = "stack.yaml") -> None:
    require_azure(environ, home=home, stack_file=home / stack, command="gpufleet up dev")


def sign_in_with_cli(folder: Path, subscriptions: str) -> None:
    folder.mkdir()
    # with the byte order mark that the Azure CLI writes
    (folder / "azureProfile.json").write_text(f'{{"subscriptions": {subscriptions}}}', encoding="utf-8-sig")


@pytest.mark.parametrize(
    "environ",
    [
        {**PRINCIPAL, "ARM_CLIENT_SECRET": "x"},
        {**PRINCIPAL, "ARM_CLIENT_CERTIFICATE_PATH": "x"},
        {**PRINCIPAL, "ARM_USE_OIDC": "true"},
        {"ARM_USE_MSI": "true"},
    ],
)
def test_enough_in_the_environment(home: Path, environ: dict[str, str]) -> None:
    azure(home, environ)


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"ARM_CLIENT_ID": "c", "ARM_CLIENT_SECRET": "x"}, "ARM_TENANT_ID, ARM_SUBSCRIPTION_ID"),
        (PRINCIPAL, "one of ARM_CLIENT_SECRET, ARM_CLIENT_CERTIFICATE_PATH and ARM_USE_OIDC=true"),
    ],
)
def test_half_a_principal_says_what_is_missing(home: Path, environ: dict[str, str], missing: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        azure(home, environ)
    assert caught.value.message == f"ARM_CLIENT_ID is set, but not {missing}"
    assert "x" not in caught.value.message.split()


def test_the_azure_cli_counts_when_it_is_signed_in_and_there(home: Path) -> None:
    sign_in_with_cli(home / ".azure", '[{"id": "1"}]')
    azure(home, {"PATH": str(home / "bin")})
    with pytest.raises(AuthenticationError, match="`az` is not on PATH"):
        azure(home, {"PATH": str(home)})


def test_the_azure_clis_folder_may_be_elsewhere(home: Path) -> None:
    sign_in_with_cli(home / "elsewhere", '[{"id": "1"}]')
    azure(home, {"PATH": str(home / "bin"), "AZURE_CONFIG_DIR": str(home / "elsewhere")})


@pytest.mark.parametrize("subscriptions", ["[]", "7", "not json"])
def test_signed_out_is_not_signed_in(home: Path, subscriptions: str) -> None:
    sign_in_with_cli(home / ".azure", subscriptions)
    with pytest.raises(AuthenticationError, match="no Azure credentials found"):
        azure(home, {"PATH": str(home / "bin")})


def test_the_stack_file_may_name_credentials(home: Path) -> None:
    (home / "msi.yaml").write_text("config:\n  azure-native:useMsi: true\n")
    azure(home, {}, "msi.yaml")


@pytest.mark.parametrize(
    "environ", [{"PULUMI_ACCESS_TOKEN": "x"}, {"PULUMI_BACKEND_URL": "file://x"}, {"PULUMI_HOME": "pulumi"}]
)
def test_a_backend(home: Path, environ: dict[str, str]) -> None:
    (home / "pulumi").mkdir()
    (home / "pulumi" / "credentials.json").write_text('{"current": "azblob://state"}')
    if "PULUMI_HOME" in environ:
        environ = {"PULUMI_HOME": str(home / "pulumi")}
    require_backend(environ, home=home, project_file=home / "Pulumi.yaml")


def test_the_project_may_name_the_backend(home: Path) -> None:
    (home / "Pulumi.yaml").write_text("name: gpufleet\nbackend:\n  url: azblob://state\n")
    require_backend({}, home=home, project_file=home / "Pulumi.yaml")


def test_no_backend(home: Path) -> None:
    with pytest.raises(AuthenticationError, match="nobody has logged in to a backend"):
        require_backend({}, home=home, project_file=home / "Pulumi.yaml")
