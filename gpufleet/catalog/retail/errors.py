"""What goes wrong with the Retail Prices API."""

from __future__ import annotations

from gpufleet.errors import GpufleetError


class RefreshError(GpufleetError):
    """The API can't be reached, or what it answers can't be believed. The price list in use stays as it is."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or "The price list in use stays as it is.")
