"""Which price list is used: the newest of the one that ships and those that `gpufleet prices refresh` wrote."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from gpufleet.catalog.table import CatalogError, label

SHIPPED = Path(__file__).resolve().parent / "data"
"""The folder of the price list that is part of gpufleet."""

NEGOTIATED = "negotiated.yaml"
"""What the file of negotiated prices is called."""

_NAME = re.compile(r"^prices-(.+)\.csv$")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One dated price list, `prices-<date>.csv`: all sizes and regions, each row with a date and source of its own."""

    path: Path
    day: date
    """When it was made; no row is younger."""

    @property
    def label(self) -> str:
        """What messages call it."""
        return label(self.path)

    @property
    def shipped(self) -> bool:
        """Whether it came with gpufleet."""
        return self.path.parent == SHIPPED


def folder() -> Path:
    """Where a team's own price lists and negotiated prices are: ${GPUFLEET_PRICES}, else `prices/` in the checkout."""
    named = os.environ.get("GPUFLEET_PRICES")
    return Path(named).absolute() if named else Path(__file__).resolve().parents[2] / "prices"


def today() -> date:
    """This day in UTC, in which price lists are dated."""
    return datetime.now(UTC).date()


@lru_cache(maxsize=1)
def current() -> Snapshot:
    """The price list in use: the newest.

    Raises:
        CatalogError: there is none, or one is dated in the future, so that its prices can't be believed.
    """
    found = every()
    if not found:
        raise CatalogError(f"{label(SHIPPED)}: there is no price list prices-<date>.csv")
    newest = found[-1]
    if newest.day > today():
        raise CatalogError(
            f"{newest.label}: the price list is dated {newest.day}, and today is {today()} (UTC)",
            hint="Set this machine's clock, or remove the file and run `gpufleet prices refresh`.",
        )
    return newest


@lru_cache(maxsize=1)
def negotiates() -> bool:
    """Whether there is a file of negotiated prices."""
    return NEGOTIATED in _names(folder())


def every() -> list[Snapshot]:
    """All price lists, the oldest first; of two of one day the team's own comes last.

    Raises:
        CatalogError: a file is called prices-….csv and what follows is no date, or the folder can't be read.
    """
    found = [
        _named(place / name)
        for place in (SHIPPED, folder())
        for name in _names(place)
        if name.startswith("prices-") and name.endswith(".csv")
    ]
    return sorted(found, key=lambda snapshot: (snapshot.day, not snapshot.shipped))


def _names(place: Path) -> list[str]:
    """What is in a folder, sorted; nothing when there is none, for nobody need have prices of their own."""
    try:
        return sorted(path.name for path in place.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CatalogError(
            f"{label(place)}: can't be read for price lists: {error.strerror}",
            hint="It is the folder `prices` of the checkout, unless GPUFLEET_PRICES names another.",
        ) from None


def _named(path: Path) -> Snapshot:
    match = _NAME.match(path.name)
    try:
        day = date.fromisoformat(match[1]) if match else None
    except ValueError:
        day = None
    if day is None or path.name != f"prices-{day}.csv":
        raise CatalogError(
            f"{label(path)}: a price list is called prices-<date>.csv, such as prices-2026-06-18.csv",
            hint="Rename it, or move it out of this folder.",
        )
    return Snapshot(path=path, day=day)
