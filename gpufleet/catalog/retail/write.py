"""Put a new price list in its place: whole, or not at all."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from gpufleet.catalog import prices, snapshots
from gpufleet.catalog.retail.errors import RefreshError
from gpufleet.catalog.retail.plan import Cells
from gpufleet.catalog.table import label


def write(rows: Sequence[Cells], day: date) -> Path:
    """Write `prices-<day>.csv` into the team's folder of price lists.

    It is written under another name, flushed to the disk, read back in full, and renamed: whoever looks a price up
    meanwhile, and whatever breaks off, finds the old list or the new one.

    Args:
        rows: lines in the columns of a price list.
        day: its day.

    Returns:
        The file.

    Raises:
        RefreshError: it can't be written.
        CatalogError: what was written can't be read back, so it was not put in place.
    """
    folder = snapshots.folder()
    final = folder / f"prices-{day}.csv"
    staging: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".prices-", suffix=".part")
        staging = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, prices.COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            file.flush()
            os.fsync(file.fileno())
        prices.verify(staging, day)
        # mkstemp makes files that only the owner reads; a price list is for whoever the person's umask allows.
        umask = os.umask(0)
        os.umask(umask)
        staging.chmod(0o666 & ~umask)
        staging.replace(final)
    except OSError as error:
        raise RefreshError(f"cannot write {label(final)}: {error.strerror or error}") from error
    finally:
        if staging is not None:
            staging.unlink(missing_ok=True)
    prices.forget()
    return final
