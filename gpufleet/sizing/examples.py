"""Worked examples with published numbers: the guide shows them, tests compare the guide with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gpufleet.catalog import failures as published
from gpufleet.catalog import lustre, sizes
from gpufleet.sizing import calibration, checkpoint, failures, roofline, training
from gpufleet.sizing.advice import Advice
from gpufleet.sizing.defaults import default
from gpufleet.sizing.explanation import Figure, Input
from gpufleet.sizing.serving import Serving, serve, serving_figures
from gpufleet.spec.model import Model

PREDICTED: Final = "predicted against measured rates"
_TIB = 2**40
_YOUNG = "Young 1974, CACM 17(9)"


def examples() -> tuple[Advice, ...]:
    """Llama 3's interruptions, Young's intervals, a 70B model on NC H100, predicted rates, 2.3 TiB on Lustre SKUs."""
    return (
        Advice(title="Llama 3: 16,384 H100s for 54 days", figures=tuple(_llama3())),
        Advice(title="Young's interval at the failure rate of Llama 3", figures=tuple(_young())),
        Advice(title="70B in fp8 on NC H100", figures=tuple(_serving())),
        Advice(title=PREDICTED, figures=tuple(_predicted())),
        Advice(title="a checkpoint of 2.3 TiB on each Lustre SKU", figures=tuple(_lustre())),
    )


def _llama3() -> Iterator[Figure]:
    run = published.get("llama3")
    nodes, days = 16_384 // 8, run.days or 0.0
    band = published.band()
    yield Figure(
        name="interruptions that happened",
        value=run.failures or 0,
        unit="interruptions",
        formula="counted",
        source="arXiv 2407.21783, section 3.3.4",
    )
    for end in (band.low, band.default, band.high):
        yield Figure(
            name=f"interruptions at {end.per_1000_node_days:g} per 1,000 node-days",
            value=failures.expected_failures(nodes, end.per_node_day, days),
            unit="interruptions",
            formula="nodes · r · days",
            source=end.source,
            inputs=(
                Input(name="nodes", value=nodes, unit="nodes", source="16,384 GPUs, 8 a node"),
                Input(name="r", value=end.per_node_day, unit="per node-day", source=end.source),
                Input(name="days", value=days, unit="days", source=run.source),
            ),
        )
    yield Figure(
        name="MTBF of the job",
        value=failures.mtbf_hours(nodes, (run.failures or 0) / days / nodes),
        unit="h",
        formula="days · 24 / interruptions",
        source="arXiv 2407.21783",
    )
    yield Figure(
        name="405B parameters on 15,600B tokens at 400 TFLOP/s",
        value=training.days(405, 15_600, nodes=nodes, gpus_per_node=8, tflops_per_gpu=400),
        unit="days of undisturbed computing",
        formula="6 · N · D / (GPUs · rate)",
        source="arXiv 2407.21783, table 4",
    )


def _young() -> Iterator[Figure]:
    run = published.get("llama3")
    rate = (run.failures or 0) / (run.days or 1) / (16_384 / 8)
    for nodes in (16, 32, 64, 100, 256, 2048):
        mtbf = failures.mtbf_hours(nodes, rate)
        for write in (60, 300):
            yield Figure(
                name=f"{nodes:,} nodes, checkpoints of {write} s",
                value=checkpoint.young_seconds(write, mtbf * 3600) / 60,
                unit="min",
                formula="√(2·C·M)",
                source=_YOUNG,
                inputs=(
                    Input(name="C", value=write, unit="s", source="chosen"),
                    Input(name="M", value=mtbf, unit="h", source="MTBF of the job"),
                    Input(
                        name="waste", value=100 * checkpoint.young_waste(write, mtbf * 3600), unit="%", source="√(2C/M)"
                    ),
                    Input(
                        name="exact optimum",
                        value=checkpoint.availability_optimal_seconds(write, mtbf * 3600) / 60,
                        unit="min",
                        source="M·(1 + W₀(−e^(−1−C/M)))",
                    ),
                    Input(
                        name="exact loss",
                        value=100 * checkpoint.least_loss(write, mtbf * 3600),
                        unit="%",
                        source="1 − useful share, without restarts",
                    ),
                ),
            )


def _serving() -> Iterator[Figure]:
    model = Model.model_validate(
        {
            "name": "chat-70b",
            "parametersB": 70,
            "precision": "fp8",
            "contextTokens": 8192,
            "demandTokensPerSecond": 60_000,
        }
    )
    for name in ("Standard_NC40ads_H100_v5", "Standard_NC80adis_H100_v5"):
        found = serve(model, sizes.get(name))
        if isinstance(found, Serving):
            yield from serving_figures(found, model.name)
        else:
            yield Figure(
                name=f"chat-70b on {name}", value="does not fit", unit="", formula=found.reason, source="above"
            )


def _predicted() -> Iterator[Figure]:
    reached = roofline.efficiency()
    for one in calibration.compared():
        run = one.run
        yield Figure(
            name=f"{run.model} {run.precision} on {run.gpus} {run.gpu_model}, {run.scenario}",
            value=one.predicted,
            unit="tokens/s",
            formula="replicas · sequences / (max(bytes / (b · B), 2 · N · tokens / (c · F)) + attention "
            "+ 2 · layers · all-reduce + layers · o)",
            source="roofline model, Williams 2009, CACM 52(4)",
            inputs=(
                Input(name="sequences", value=one.sequences, unit="at once in a replica", source=run.load_source),
                Input(name="measured", value=run.tokens_per_s, unit="tokens/s", source=f"{run.source} {run.as_of}"),
                Input(name="error", value=100 * one.error, unit="%", source="predicted / measured − 1"),
                Input(name="b", value=reached.memory, source=default("roofline.memory").source),
                Input(
                    name="c",
                    value=reached.compute if run.active_parameters_b == run.parameters_b else reached.expert_compute,
                    source=default("roofline.compute").source,
                ),
            ),
            note="the constant for several nodes is that of the other such run" if one.left_out else "",
        )


def _lustre() -> Iterator[Figure]:
    size = 2.3 * _TIB
    for name in lustre.names():
        sku = lustre.get(name)
        for tib in (sku.min_tib, sku.max_tib_default):
            rate = tib * sku.mbytes_per_s_per_tib * 1e6
            yield Figure(
                name=f"{tib} TiB of {name}",
                value=size / rate,
                unit="s",
                formula="size / (capacity · MB/s per TiB)",
                source="azure-managed-lustre create-file-system-portal",
                inputs=(
                    Input(name="size", value=2.3, unit="TiB", source="GPT-3 175B, Azure/ai-infrastructure-on-azure"),
                    Input(name="throughput", value=rate / 1e9, unit="GB/s", source="capacity · rate of the SKU"),
                ),
            )
