"""Quantities (``500m``, ``1.5Gi``, ``2e3``): k8s.io/apimachinery pkg/api/resource, quantity.go."""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException

from sandbox.values import Value

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?")
_BINARY = {prefix + "i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", 1)}
_DECIMAL = {
    prefix: Decimal(10) ** power for prefix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
}
SYNTAX = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def parse(value: Value) -> Decimal | None:
    """The quantity's value, or None when it is no quantity."""
    if isinstance(value, bool):
        return None
    found = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if found is None:
        return None
    number, binary, decimal, exponent = found.groups()
    try:
        factor = _BINARY.get(binary) or _DECIMAL.get(decimal) or Decimal(10) ** int(exponent or 0)
        return Decimal(number) * factor
    except (DecimalException, ValueError):
        return None
