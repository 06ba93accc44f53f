"""Public training runs as stack files: they pass the check, and sizing comes near what was published."""

from __future__ import annotations

import datetime as dt

import pytest

from gpufleet.check import check
from gpufleet.errors import ExitCode
from tests.runs.compare import FOLDER, GUIDE, RUNS, environment_of, figures, filled, gpus, rows, usd_per_gpu_hour

TODAY = dt.date(2026, 11, 21)
ERRORS = {
    # What a run's physics decides: rate, tokens, size of a checkpoint.
    ("opt-175b", "days without a failure"): -0.02,
    ("opt-175b", "checkpoint"): 0.0,
    ("bloom-176b", "days"): -0.06,
    ("bloom-176b", "GPU-hours"): -0.06,
    ("bloom-176b", "checkpoint"): 0.0,
    ("llama-3-405b", "days"): 0.04,
    ("llama-3-405b", "GPU-hours"): 0.04,
    ("llama-3-405b", "useful share at its own failure rate"): 0.0,
    # What people and luck decide. OPT's days are mostly diagnosis by hand; one default rate stands for three fleets.
    ("opt-175b", "days"): -0.37,
    ("opt-175b", "failures a day"): -0.56,
    ("bloom-176b", "failures a day"): 1.18,
    ("bloom-176b", "checkpoint interval"): 0.62,
    ("llama-3-405b", "failures a day"): 0.72,
}


@pytest.mark.parametrize("run", RUNS)
def test_a_public_run_passes_the_check_with_every_price(run: str) -> None:
    report = check(
        FOLDER / f"Pulumi.{run}.yaml", environment=run, label=run, strict=True, today=TODAY, configuration=FOLDER
    )
    assert [finding.message for finding in report.findings if report.fails(finding)] == []
    assert report.exit_code is ExitCode.OK
    assert report.estimate is not None
    assert report.estimate.unpriced == ()


@pytest.mark.parametrize(("run", "expected"), [("opt-175b", 1024), ("bloom-176b", 384), ("llama-3-405b", 16384)])
def test_a_public_run_has_its_gpus(run: str, expected: int) -> None:
    (fabric,) = environment_of(run).training
    assert gpus(fabric) == expected


@pytest.mark.parametrize(("run", "expected"), [("opt-175b", 4.09625), ("bloom-176b", 4.09625), ("llama-3-405b", 12.29)])
def test_a_gpu_costs_its_eighth_of_the_node(run: str, expected: float) -> None:
    (fabric,) = environment_of(run).training
    assert usd_per_gpu_hour(fabric) == expected


def test_every_figure_is_as_near_as_the_guide_says() -> None:
    assert {(row.run, row.figure): round(row.error, 2) for row in rows()} == ERRORS


def test_days_come_from_flops_rate_and_useful_share() -> None:
    (fabric,) = environment_of("bloom-176b").training
    found = figures(fabric)
    compute = 6 * 176e9 * 366e9 / (384 * 112.5e12) / 86_400
    assert found["days without a failure"] == pytest.approx(compute)
    assert found["days"] == pytest.approx(compute / found["useful share"] * 100)
    assert found["GPU-hours"] == pytest.approx(found["days"] * 24 * 384)


def test_the_guide_has_the_table() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert text.count("<!-- table: public runs -->") == 1
    assert text == filled(text), "run: python -m tests.runs.compare"
