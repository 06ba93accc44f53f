"""Reference data of Azure: sizes, regions, prices and limits, each with source and date (data/README.md).

Everything is read lazily and once; importing the package reads nothing. A damaged table raises `CatalogError`.
"""

from __future__ import annotations

from gpufleet.catalog.table import CatalogError

__all__ = ["CatalogError"]
