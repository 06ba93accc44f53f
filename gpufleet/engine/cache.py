"""The folder where engines that gpufleet installed, and plans that it made, are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

from gpufleet.engine.errors import EngineUnavailableError


def cache_root() -> Path:
    """${GPUFLEET_CACHE}, else gpufleet's folder under the XDG cache (freedesktop.org Base Directory Specification).

    Raises:
        EngineUnavailableError: there is no home folder to put it in.
    """
    if named := os.environ.get("GPUFLEET_CACHE"):
        return Path(named).absolute()
    if (xdg := os.environ.get("XDG_CACHE_HOME")) and Path(xdg).is_absolute():
        return Path(xdg) / "gpufleet"
    try:
        return Path.home() / ".cache" / "gpufleet"
    except RuntimeError as error:
        raise EngineUnavailableError(
            "no home folder to keep the engine in", hint="Set GPUFLEET_CACHE to a folder that can be written."
        ) from error


def plans_folder() -> Path | None:
    """Where plans are kept (`gpufleet.graph.cached`); None without a home folder, and each plan is made anew."""
    try:
        return cache_root() / "plans"
    except EngineUnavailableError:
        return None
