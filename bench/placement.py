"""A placement as large as Azure, with quotas, latency ceilings and any region lost.

`python -m bench.placement [SEED]…` solves and times some. `make bench` runs one as a whole process, the start of
Python and the import of scipy included, and solves it once more inside its own.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from gpufleet.engine.project import ROOT
from gpufleet.sizing.demand import Demand, Offer, Plan, Problem
from gpufleet.sizing.placement import place

REGIONS, SIZES, MODELS, ORIGINS = 60, 20, 10, 8
NAME = f"placement of {MODELS} models on {SIZES} sizes in {REGIONS} regions"
SIZE = "gpufleet size prod"


def problem(seed: int) -> Problem:
    """A random problem that has a solution: 7 of 10 sizes in a region, prices within half, quotas that bind."""
    chance = random.Random(seed)  # noqa: S311 the same figures every time, not a secret
    sizes = [(f"size{index}", chance.choice((1, 2, 4, 8)), f"family{index // 3}") for index in range(SIZES)]
    prices = [chance.uniform(1, 12) for _ in range(SIZES)]
    offers = []
    for region in range(REGIONS):
        premium = chance.uniform(0.9, 1.5)
        for (size, gpus, family), price in zip(sizes, prices, strict=True):
            if chance.random() < 0.3:
                continue
            offers += [
                Offer(
                    region=f"region{region}",
                    size=size,
                    model=f"model{model}",
                    spot=False,
                    nodes=1,
                    usd_per_hour=price * gpus * premium,
                    tokens_per_second=gpus * price**0.9 * 200 / (model + 1) * chance.uniform(0.8, 1.2),
                    family=family,
                    vcpus=gpus * 12,
                )
                for model in range(MODELS)
            ]
    places = [(f"origin{origin}", f"region{region}") for origin in range(ORIGINS) for region in range(REGIONS)]
    return Problem(
        demand=[
            Demand(origin=f"origin{origin}", model=f"model{model}", tokens_per_second=chance.uniform(1e3, 2e4))
            for origin in range(ORIGINS)
            for model in range(MODELS)
        ],
        offers=offers,
        rtt_ms={place_: chance.uniform(1, 250) for place_ in places},
        max_rtt_ms={f"origin{origin}": 120 for origin in range(ORIGINS)},
        quotas={
            (f"region{region}", f"family{family}"): chance.choice((100, 500, 2000))
            for region in range(REGIONS)
            for family in range(SIZES // 3 + 1)
        },
    )


def timed(seed: int) -> tuple[float, Plan]:
    """Seconds to build and solve, without the import of scipy, and the plan."""
    import scipy.optimize  # noqa: F401, PLC0415

    asked = problem(seed)
    begun = time.perf_counter()
    plan = place(asked, gap=0.03, seconds=1.0)
    return time.perf_counter() - begun, plan


def commands() -> Iterator[tuple[str, list[str], Path]]:
    """Name, command and working folder of each, in the order to run them."""
    yield NAME, [sys.executable, "-m", "bench.placement", "1"], ROOT
    yield SIZE, [str(Path(sys.prefix) / "bin" / "gpufleet"), "size", "prod"], ROOT


def solved_milliseconds() -> dict[str, float]:
    """The same problem without start and imports."""
    return {f"{NAME}, solved": timed(1)[0] * 1000}


def pairs(bare: str) -> tuple[tuple[str, str], ...]:
    """Which figures to divide: slow by fast."""
    return (NAME, bare), (SIZE, bare)


if __name__ == "__main__":
    for number in [int(argument) for argument in sys.argv[1:]] or range(1, 6):
        taken, found = timed(number)
        sys.stdout.write(f"{taken:6.2f} s  within {found.gap:.1%} of the optimum  {NAME}, problem {number}\n")
