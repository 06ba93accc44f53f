"""What made a report."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from gpufleet import __version__

_PACKAGES: Final = ("pulumi", "pulumi-azure-native", "pulumi-kubernetes", "pulumi-policy")


@cache
def tool_versions() -> dict[str, str]:
    """The versions of gpufleet, of Python, and of the SDKs that the program is made with, as far as installed."""
    found = {"gpufleet": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
