"""What Azure's error codes mean to the person who gets one: what to do, and whether trying again helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from gpufleet.catalog import table

_COLUMNS = ("code", "retry", "hint", "source")


class Retry(StrEnum):
    """Whether the same request may succeed when it is sent again."""

    YES = "yes"
    """Soon: Azure's contract says so (a conflict with another operation, throttling, an error of its own)."""
    LATER = "later"
    """Perhaps, but nobody knows when (capacity)."""
    NO = "no"
    """Not without a change."""


@dataclass(frozen=True, kw_only=True)
class KnownError:
    """One of Azure's error codes.

    Attributes:
        hint: what to do.
        source: where code and cause are described.
    """

    code: str
    retry: Retry
    hint: str
    source: str


@cache
def known_errors() -> Mapping[str, KnownError]:
    """Every code that we know, by code.

    Raises:
        CatalogError: the table is damaged.
    """
    return {
        row.text("code"): KnownError(
            code=row.text("code"),
            retry=Retry(row.choice("retry", *Retry)),
            hint=row.text("hint"),
            source=row.text("source"),
        )
        for row in table.read("azure_errors.csv", _COLUMNS)
    }
