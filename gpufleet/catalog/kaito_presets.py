"""Models that KAITO serves by name, with the weights that its release pins (data/kaito_presets.csv)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gpufleet.catalog.table import read

_COLUMNS = ("preset", "model", "commit", "needs_token", "as_of", "confidence", "source")


@dataclass(frozen=True, kw_only=True)
class KaitoPreset:
    """One preset of the release of KAITO that is installed."""

    name: str
    model: str
    """Repository on Hugging Face."""
    commit: str
    """Revision of it that the release serves."""
    needs_token: bool
    """Whether Hugging Face gives it out only to accounts that have agreed to a licence."""


@lru_cache(maxsize=1)
def presets() -> Mapping[str, KaitoPreset]:
    """All of them by name.

    Raises:
        CatalogError: the table is damaged.
    """
    return {
        row.text("preset"): KaitoPreset(
            name=row.text("preset"),
            model=row.text("model"),
            commit=row.text("commit"),
            needs_token=row.choice("needs_token", "yes", "no") == "yes",
        )
        for row in read("kaito_presets.csv", _COLUMNS)
    }
