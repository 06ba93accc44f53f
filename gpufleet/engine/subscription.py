"""The Azure subscription that a run acts on, where it is known before anything exists."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

_CONFIGURED = re.compile(r"^\s*azure-native:subscriptionId\s*:\s*[\"']?([0-9a-fA-F-]{36})", re.MULTILINE)


def subscription_id(stack_file: Path, *, sandbox: bool) -> str:
    """As pulumi-azure-native finds it: configuration, `ARM_SUBSCRIPTION_ID`, the Azure CLI's default.

    Returns:
        the GUID, "" when none of them says.
    """
    configured = _CONFIGURED.search(stack_file.read_text(encoding="utf-8"))
    if configured:
        return configured[1]
    if sandbox:
        from sandbox.azure.model import SANDBOX_SUBSCRIPTION  # noqa: PLC0415 only a repair needs it

        return SANDBOX_SUBSCRIPTION
    return os.environ.get("ARM_SUBSCRIPTION_ID") or _of_the_azure_cli()


def _of_the_azure_cli() -> str:
    folder = Path(os.environ.get("AZURE_CONFIG_DIR") or Path.home() / ".azure")
    try:
        # The Azure CLI writes a byte order mark.
        profile = json.loads((folder / "azureProfile.json").read_text(encoding="utf-8-sig"))
        return next((str(entry["id"]) for entry in profile["subscriptions"] if entry.get("isDefault")), "")
    except (OSError, ValueError, KeyError, TypeError):
        return ""
