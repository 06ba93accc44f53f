"""Numbers in messages, as every report writes them."""

from __future__ import annotations

from decimal import Decimal


def usd(amount: Decimal) -> str:
    """`$1,234.56`."""
    from gpufleet.cost.render import words  # noqa: PLC0415 a pack's start need not wait for it

    return words.usd(amount)
