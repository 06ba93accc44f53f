"""Waivers: findings that a team lets pass for a while, in `stacks/waivers.yaml`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One finding that may pass.

    Attributes:
        rule: id.
        environment: its name.
        resource: the subject's label, such as `training/lab/pools/h100`, or its URN.
        bound: what the rule's measure may come to; None for a rule without one. More is not waived.
        expires: the last day, in UTC, on which it holds.
        line: where it stands in the file, from 1.
    """

    rule: str
    environment: str
    resource: str
    reason: str
    owner: str
    ticket: str
    approved_by: str
    expires: dt.date
    bound: Decimal | None = None
    line: int | None = None
