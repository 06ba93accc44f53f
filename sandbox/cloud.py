"""Where the sandbox's cloud is kept."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.store import Store

CLOUD_VARIABLE = "GPUFLEET_SANDBOX_CLOUD"


def cloud_directory() -> Path:
    """The directory named by ``GPUFLEET_SANDBOX_CLOUD``.

    Raises:
        SandboxError: the variable is not set or not absolute.
    """
    value = os.environ.get(CLOUD_VARIABLE, "")
    if not Path(value).is_absolute():
        raise SandboxError(f"{CLOUD_VARIABLE} must be the absolute path of the sandbox's cloud, but is '{value}'")
    return Path(value)


def open_store() -> Store:
    """The store in that directory.

    Raises:
        SandboxError: there is no such directory, or it cannot be used.
    """
    return Store(cloud_directory())
