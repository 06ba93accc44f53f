"""kill -9 at 100 moments of up, destroy and refresh: the next run finishes, and nothing is lost or made twice.

A moment that fails is run again alone by its seed: GPUFLEET_SOAK_SEEDS=17,42 make soak.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.soak.kills import Moment, Reference, check, kill

MOMENTS = 100
SEEDS = [int(seed) for seed in os.environ.get("GPUFLEET_SOAK_SEEDS", "").split(",") if seed] or range(MOMENTS)

# On a machine with much else to do one moment may take minutes.
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost(seed: int, reference: Reference, tmp_path: Path):
    moment = Moment.of(seed)
    start = reference.fresh if moment.command == "up" else reference.up
    home = start.copy(tmp_path / "home")
    kill(home, moment, reference.made)
    check(home, moment, reference.up, reference.empty)
