"""Whether a run on Azure could work at all, found out before the engine starts: credentials and a state backend.

Only what is cheap and certain is looked at: that there are credentials, not that Azure accepts them.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from gpufleet.errors import AuthenticationError

_WAYS_ON = """Two ways on:
  on Azure     az login, or a service principal: ARM_TENANT_ID, ARM_SUBSCRIPTION_ID, ARM_CLIENT_ID and one of
               ARM_CLIENT_SECRET, ARM_CLIENT_CERTIFICATE_PATH, ARM_USE_OIDC=true; or ARM_USE_MSI=true on a machine with
               a managed identity
  without it   {command} --sandbox: the real engine against the embedded sandbox; no account, no cost"""

# Names as pulumi-azure-native reads them (its documentation, "Installation & configuration").
_PRINCIPAL = ("ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID")
_PROOFS = ("ARM_CLIENT_SECRET", "ARM_CLIENT_CERTIFICATE_PATH")
_CONFIGURED = re.compile(r"^\s*azure-native:(?:clientId|useMsi|useOidc)\s*:", re.MULTILINE)
_TRUE = frozenset({"1", "true", "yes"})


def require_azure(environ: Mapping[str, str], *, home: Path, stack_file: Path, command: str) -> None:
    """Make sure that there are Azure credentials to try.

    Args:
        environ: the process's environment.
        home: the person's home folder.
        stack_file: may name credentials in azure-native's configuration.
        command: what the person typed, for the message.

    Raises:
        AuthenticationError: there are none, or half of them.
    """
    hint = _WAYS_ON.format(command=command)
    if _is_true(environ, "ARM_USE_MSI") or _CONFIGURED.search(stack_file.read_text(encoding="utf-8")):
        return
    if environ.get("ARM_CLIENT_ID"):
        missing = [name for name in _PRINCIPAL if not environ.get(name)]
        if not any(environ.get(name) for name in _PROOFS) and not _is_true(environ, "ARM_USE_OIDC"):
            missing.append("one of ARM_CLIENT_SECRET, ARM_CLIENT_CERTIFICATE_PATH and ARM_USE_OIDC=true")
        if missing:
            raise AuthenticationError(f"ARM_CLIENT_ID is set, but not {', '.join(missing)}", hint=hint)
        return
    if not _cli_subscriptions(environ, home):
        raise AuthenticationError("no Azure credentials found", hint=hint)
    if shutil.which("az", path=environ.get("PATH")) is None:
        raise AuthenticationError(
            "the Azure CLI is signed in, but `az` is not on PATH: the provider calls it", hint=hint
        )


def require_backend(environ: Mapping[str, str], *, home: Path, project_file: Path) -> None:
    """Make sure that Pulumi knows where to keep the state.

    Raises:
        AuthenticationError: nobody has logged in to a state backend.
    """
    if environ.get("PULUMI_ACCESS_TOKEN") or environ.get("PULUMI_BACKEND_URL"):
        return
    if re.search(r"^backend\s*:", project_file.read_text(encoding="utf-8"), re.MULTILINE):
        return
    pulumi_home = Path(environ["PULUMI_HOME"]) if environ.get("PULUMI_HOME") else home / ".pulumi"
    if _read_object(pulumi_home / "credentials.json").get("current"):
        return
    raise AuthenticationError(
        "Pulumi does not know where to keep the state: nobody has logged in to a backend",
        hint="For example: pulumi login azblob://CONTAINER?storage_account=ACCOUNT, or set PULUMI_BACKEND_URL.",
    )


def _cli_subscriptions(environ: Mapping[str, str], home: Path) -> list[object]:
    folder = Path(environ["AZURE_CONFIG_DIR"]) if environ.get("AZURE_CONFIG_DIR") else home / ".azure"
    found = _read_object(folder / "azureProfile.json").get("subscriptions")
    return found if isinstance(found, list) else []


def _read_object(path: Path) -> dict[str, object]:
    try:
        # The Azure CLI writes a byte order mark.
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_true(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() in _TRUE
