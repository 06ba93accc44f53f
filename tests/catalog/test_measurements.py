"""Failures, checkpoints, throughput, eviction and provisioning: the tables against the figures they quote."""

from __future__ import annotations

import pytest

from gpufleet.catalog import checkpoints, eviction, evidence, failures, provisioning, sizes, throughput
from gpufleet.catalog.evidence import EvidenceKind


def test_the_band_to_plan_with() -> None:
    band = failures.band()
    assert [rate.per_1000_node_days for rate in (band.low, band.default, band.high)] == [3.0, 6.5, 15.6]
    assert band.default.per_node_day == 0.0065


def test_llama_3_from_its_own_numbers() -> None:
    run = failures.get("llama3")
    assert (run.gpus, run.days, run.failures) == (16384, 54, 419)
    assert run.gpus
    assert run.days
    assert run.failures
    assert round(1000 * run.failures / (run.gpus / 8 * run.days), 2) == run.per_1000_node_days
    assert sum(cause.count for cause in failures.causes("llama3")) == run.failures
    counts = [cause.count for cause in failures.causes("llama3")]
    assert counts == sorted(counts, reverse=True)
    assert failures.causes("bloom") == ()


def test_unknown_keys() -> None:
    with pytest.raises(KeyError):
        failures.get("gpt5")
    with pytest.raises(KeyError):
        checkpoints.get("gpt5")


def test_a_checkpoint_of_175_billion_parameters() -> None:
    size = checkpoints.get("gpt3").bytes_per_parameter * 175e9
    assert round(size / 2**40, 1) == 2.3
    assert checkpoints.get("training_state").bytes_per_parameter == 2 + 4 + 4 + 4


def test_training_rates_are_shares_of_a_peak() -> None:
    rates = {rate.key: rate for rate in throughput.training_rates()}
    assert rates["llama31_8b_h100"].model_tflops_per_gpu == 541.8
    assert rates["llama31_8b_h100"].size == "Standard_ND96isr_H100_v5"
    shares = {key: round(rate.utilization or 0, 2) for key, rate in rates.items()}
    # The Llama 3 paper's own shares are 43, 41 and 38 %, of a peak of 989 and rounded rates.
    assert shares == {
        "llama31_8b_h100": 0.55,
        "llama31_8b_h200_aks": 0.51,
        "llama31_8b_h200_slurm": 0.52,
        "llama3_405b_8k": 0.43,
        "llama3_405b_16k": 0.40,
        "llama3_405b_16k_long": 0.38,
    }


def test_inference_rates_per_gpu() -> None:
    offline = {
        (rate.gpu_model, rate.gpus): round(rate.tokens_per_s_per_gpu)
        for rate in throughput.inference_rates()
        if rate.model == "Llama 2 70B" and rate.scenario == "offline"
    }
    assert offline == {
        ("NVIDIA H100 SXM5 80GB", 8): 3066,
        ("NVIDIA H200 SXM5 141GB", 8): 3913,
        ("NVIDIA H100 NVL 94GB", 4): 2215,
        ("NVIDIA H100 NVL 94GB", 8): 1984,
        ("AMD MI300X 192GB", 8): 2939,
    }


def test_every_gpu_of_the_catalogue_has_a_peak_and_every_rate_a_gpu_and_size_of_it() -> None:
    models = {size.gpu_model for size in map(sizes.get, sizes.names()) if size.gpu_model}
    assert {model for model in models if throughput.peak(model) is None} == set()
    assert {rate.gpu_model for rate in throughput.training_rates()} <= models
    assert {rate.gpu_model for rate in throughput.inference_rates()} <= models
    named = [rate.size for rate in throughput.training_rates()]
    named += [rate.size for rate in throughput.inference_rates()]
    named += [band.size for band in throughput.nccl_bandwidths()]
    named += [benchmark.size for benchmark in throughput.training_benchmarks()]
    assert [name for name in named if name and sizes.find(name) is None] == []
    assert throughput.peak("NVIDIA V100") is None


def test_when_a_node_is_handed_back() -> None:
    h100 = {
        band.kind: band.gbytes_per_s
        for band in throughput.nccl_bandwidths()
        if band.size == "Standard_ND96isr_H100_v5" and band.nodes is None
    }
    assert h100 == {"baseline": (450, 450), "warn_below": (400, 400), "return_below": (300, 300)}


def test_mlperf_training_on_azure() -> None:
    gpt3 = throughput.training_benchmarks()[0]
    assert (gpt3.model, gpt3.gpus, gpt3.minutes) == ("GPT-3 175B", 10752, (4.008, 4.024))


def test_mean_time_to_eviction() -> None:
    assert [round(band.mean_hours_to_eviction, 1) for band in eviction.bands()] == [19.5, 9.5, 6.2, 4.5, 4.5]


def test_who_deployed_what() -> None:
    traces = evidence.of("Standard_ND96isr_H100_v5", "eastus")
    assert [trace.kind for trace in traces] == [EvidenceKind.RUN, EvidenceKind.LISTING]
    assert evidence.of("Standard_ND96isr_H100_v5", "uksouth") == ()
    assert all(sizes.find(trace.size) for trace in evidence.everything())


def test_provisioning() -> None:
    assert provisioning.times()[0].seconds == (1120, 1120)
    assert all(low <= high for low, high in (time.seconds for time in provisioning.times()))
