"""Where a finding is, as other tools name files: relative to the checkout, with slashes."""

from __future__ import annotations

import pathlib
from typing import Final

from gpufleet.check.finding import Finding, Place
from gpufleet.check.report import Report

ROOT: Final = pathlib.Path(__file__).parents[2]


def place_of(finding: Finding, report: Report) -> Place:
    """The finding's place, or the stack file as a whole."""
    return finding.place or Place(file=report.file)


def in_checkout(file: str) -> str | None:
    """The path from the root of the checkout, with slashes; None for a file outside of it.

    Names without a root are taken as starting there: that is how reports name the files of a checkout.
    """
    path = pathlib.PurePath(file)
    if path.is_absolute():
        return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else None
    return None if ".." in path.parts else path.as_posix()
