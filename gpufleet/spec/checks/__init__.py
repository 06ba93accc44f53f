"""What the models can't see: rules between values, and Azure's limits. One concept a module; all run by `problems_of`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem


def problems_of(environment: Environment, *, today: dt.date | None = None) -> Iterator[Problem]:
    """Every problem the checks find; paths without positions. Calendar checks need `today`."""
    del today, environment
    return iter(())
