"""Published training runs beside what gpufleet says of them: `python -m tests.runs.compare` writes the guide's table.

The stack files state what was known before a run (model, tokens, measured rate, size of a checkpoint); failures are the
catalogue's default, unless a row of `published.csv` has the run's own rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gpufleet.catalog import prices, sizes
from gpufleet.catalog.table import read
from gpufleet.sizing.training_advice import advise
from gpufleet.spec import Environment, load_environment
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.training import TrainingFabric

FOLDER = Path(__file__).parent
GUIDE = FOLDER.parents[1] / "docs" / "guides" / "training.md"
RUNS = ("opt-175b", "bloom-176b", "llama-3-405b")
_BLOCK = re.compile(r"(<!-- table: public runs -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One published figure of a run, and ours.

    Attributes:
        error: ours over the published one, less one.
    """

    run: str
    figure: str
    published: float
    ours: float
    unit: str
    source: str

    @property
    def error(self) -> float:
        return self.ours / self.published - 1


def environment_of(run: str) -> Environment:
    """The stack file of a run."""
    return load_environment(FOLDER / f"Pulumi.{run}.yaml")


def rows() -> Iterator[Row]:
    """Every row of `published.csv` with our figure."""
    columns = ("run", "figure", "value", "unit", "own_rate", "source")
    for row in read(FOLDER / "published.csv", columns):
        (fabric,) = environment_of(row.text("run")).training
        yield Row(
            run=row.text("run"),
            figure=row.text("figure"),
            published=row.number("value"),
            ours=figures(fabric, row.number("own_rate") if row.cells["own_rate"] else None)[row.text("figure")],
            unit=row.cells["unit"],
            source=row.text("source"),
        )


def figures(fabric: TrainingFabric, own_rate: float | None = None) -> dict[str, float]:
    """What the sizing says of a run, by the figures' names in `published.csv`.

    Args:
        fabric: of the run.
        own_rate: failures per 1,000 node-days; the catalogue's default unless given.
    """
    assert fabric.workload is not None
    if own_rate is not None:
        workload = fabric.workload.model_copy(update={"failures_per_thousand_node_days": own_rate})
        fabric = fabric.model_copy(update={"workload": workload})
    advice = advise(fabric, ("training", 0))

    def figure(name: str) -> float:
        return float(advice.figure(name).value)

    days, useful = figure("length of the run"), figure("useful share of time")
    return {
        "days": days,
        "days without a failure": days * useful / 100,
        "GPU-hours": days * 24 * gpus(fabric),
        "failures a day": 24 / figure("MTBF of the job"),
        "useful share": useful,
        "useful share at its own failure rate": useful,
        "checkpoint": figure("checkpoint size"),
        "checkpoint interval": figure("checkpoint interval"),
    }


def gpus(fabric: TrainingFabric) -> int:
    """GPUs of a fabric at its most."""
    return sum(plan.max_nodes * sizes.get(pool.sku).gpus for pool in fabric.pools for plan in agent_pools(pool))


def usd_per_gpu_hour(fabric: TrainingFabric) -> float:
    """List price of one of the fabric's GPUs in its region."""
    (pool,) = [pool for pool in fabric.pools if sizes.get(pool.sku).is_gpu]
    price = prices.regular(pool.sku, fabric.region)
    assert isinstance(price, prices.Priced)
    return float(price.usd_per_hour) / sizes.get(pool.sku).gpus


def filled(text: str) -> str:
    """The guide's text with the table as the code has it now."""
    return _BLOCK.sub(lambda match: f"{match[1]}{table()}{match[2]}", text)


def table() -> str:
    """The table in markdown."""
    lines = ["| run | figure | published | gpufleet | error | source |", "|---|---|---:|---:|---:|---|"]
    published = set()
    for row in rows():
        published.add((row.run, row.figure))
        lines.append(
            f"| {row.run} | {row.figure} | {shown(row.published)} {row.unit} | {shown(row.ours)} {row.unit} "
            f"| {row.error:+.0%} | {row.source} |".replace("  |", " |")
        )
    for run in RUNS:
        (fabric,) = environment_of(run).training
        ours = figures(fabric)
        price = usd_per_gpu_hour(fabric)
        lines += [
            f"| {run} | {figure} | none | {value} | | {how} |"
            for figure, value, how in (
                ("useful share", f"{shown(ours['useful share'])} %", "by the catalogue's failure rate"),
                ("checkpoint interval", f"{shown(ours['checkpoint interval'])} min", "for the most useful time"),
                (
                    "GPU nodes",
                    f"{ours['GPU-hours'] * price / 1e6:,.1f} million USD",
                    f"{ours['GPU-hours']:,.0f} GPU-hours at {price:.4f} USD, the list price in {fabric.region}",
                ),
            )
            if (run, figure) not in published
        ]
    return "\n".join(lines) + "\n"


def shown(value: float) -> str:
    """Three significant digits, whole from a hundred on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    GUIDE.write_text(filled(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
