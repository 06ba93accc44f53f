"""Each rule says its own and nothing else, at the key that decides it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gpufleet.check import Level, Verdict
from gpufleet.errors import ExitCode
from policies.catalogue import rules
from tests.check.stacks import Changes, Stacks
from tests.spec.environments import GONE, POOL

WORKLOAD = ("training", 0, "workload")
LUSTRE = ("training", 0, "storage", "lustre")
MODEL = ("inference", "models", 0)

_FAIL, _OPEN = Verdict.FAIL, Verdict.UNDECIDED


def test_what_is_valid_and_large_enough_passes_every_rule(stacks: Stacks) -> None:
    report = stacks.check()
    assert (report.findings, report.verdict, report.exit_code) == ((), Verdict.PASS, ExitCode.OK)
    assert {*report.passed, *report.not_applicable} == {"spec", "plan", *(rule.id for rule in rules())}
    asked = {"COST002", "COST003", "COST010", *(f"SCALE{number:03}" for number in (*range(1, 8), *range(13, 22)))}
    assert asked - {*report.passed} == set()


@pytest.mark.parametrize(
    ("changes", "objecting", "verdict", "key", "message"),
    [
        pytest.param(
            {(*WORKLOAD, "checkpoint"): {"maxLossPercent": 0.01}},
            "SCALE015",
            _FAIL,
            "training[0].workload.checkpoint.maxLossPercent",
            "failures and checkpoints cost 0.784 % of the time, 0.01 % are allowed",
            id="checkpoint loss",
        ),
        pytest.param(
            {(*LUSTRE, "capacityTiB"): 8, (*WORKLOAD, "readMbytesPerSecondPerGpu"): 100},
            "SCALE013",
            _FAIL,
            "training[0].storage.lustre.capacityTiB",
            # 8 TiB at 250 MB/s each; 64 GPUs at 100 MB/s
            "gives 2 GB/s and the GPUs read 6.4 GB/s, so they wait",
            id="starved",
        ),
        pytest.param(
            {
                (*LUSTRE, "capacityTiB"): 8,
                (*WORKLOAD, "readMbytesPerSecondPerGpu"): 31.25,
                (*WORKLOAD, "checkpoint"): {"stallSeconds": 1, "maxLossPercent": 0.2},
            },
            "SCALE013",
            _FAIL,
            "training[0].storage.lustre.capacityTiB",
            # 64 GPUs at 31.25 MB/s are 2 GB/s already
            "gives 2 GB/s, and reads with checkpoints beside them take 2.0",
            id="reads and checkpoints at once",
        ),
        pytest.param(
            {(*LUSTRE, "capacityTiB"): 8, (*WORKLOAD, "datasetTiB"): 7.9},
            "SCALE018",
            _FAIL,
            "training[0].storage.lustre.capacityTiB",
            # 7.9 + 2 · 7e9 · 14 bytes
            "8 TiB can't hold the dataset and 2 checkpoints, 8.078 TiB",
            id="stated capacity below the derived one",
        ),
        pytest.param(
            {(*WORKLOAD, "parametersB"): 2000},
            "SCALE019",
            _FAIL,
            "training[0].workload.parametersB",
            # 18 bytes a parameter; 8 nodes · 8 GPUs · 80 GB
            "weights, gradients and optimiser take 36,000 GB and all GPUs have 5,120 GB",
            id="model state",
        ),
        pytest.param(
            {(*MODEL, "parametersB"): 5000},
            "SCALE016 SCALE017",
            _FAIL,
            "inference.models[0].name",
            "chat is served by no pool: chat takes 5,000.0 GB of weights",
            id="model does not fit",
        ),
        pytest.param(
            {(*MODEL, "demandTokensPerSecond"): 20_000},
            "SCALE017",
            _FAIL,
            "inference.regions",
            "all pools at their most, spot included, give ",
            id="demand",
        ),
        pytest.param(
            {(*POOL, "sku"): "Standard_NC24ads_A100_v4"},
            "SCALE019 SCALE013",
            _OPEN,
            "training[0].workload.tflopsPerGpu",
            "nobody has published a training rate on NVIDIA A100 PCIe 80GB",
            id="training rate",
        ),
    ],
)
def test_one_rule_objects(
    stacks: Stacks, *, changes: Changes, objecting: str, verdict: Verdict, key: str, message: str
) -> None:
    report = stacks.check(changes)
    rule, *others = objecting.split()
    assert {finding.rule for finding in report.findings} == {rule, *others}
    (found,) = [finding for finding in report.findings if finding.rule == rule]
    assert (found.rule, found.level, found.verdict, found.key) == (rule, Level.ERROR, verdict, key)
    assert message in found.message
    assert found.fix
    assert found.place is not None
    assert (found.place.file, found.place.line is not None) == ("Pulumi.x.yaml", True)
    assert rule not in report.passed


def test_an_open_question_is_undecided_when_strict_alone(stacks: Stacks) -> None:
    changes: Changes = {(*POOL, "sku"): "Standard_NC24ads_A100_v4"}
    strict, lenient = stacks.check(changes), stacks.check(changes, strict=False)
    assert (strict.exit_code, strict.verdict) == (ExitCode.UNDECIDED, Verdict.UNDECIDED)
    assert (lenient.exit_code, lenient.verdict) == (ExitCode.OK, Verdict.PASS)


def test_no_workload_is_no_open_question(stacks: Stacks) -> None:
    report = stacks.check({WORKLOAD: GONE, (*LUSTRE, "capacityTiB"): 8})
    assert (report.findings, report.exit_code) == ((), ExitCode.OK)
    assert {"SCALE013", "SCALE015", "SCALE018", "SCALE019"} <= {*report.not_applicable}


def test_the_loss_of_a_region_matters_in_production_alone(stacks: Stacks) -> None:
    second = {"name": "eastus", "pools": [{"name": "nc", "sku": "Standard_NC40ads_H100_v5", "nodes": 1}]}
    changes = {("inference", "regions", 1): second, (*MODEL, "demandTokensPerSecond"): 2_000}
    assert "SCALE012" in stacks.check({**changes, ("class",): "standard"}).not_applicable
    found = stacks.finding({**changes, ("class",): "production"}, "SCALE012")
    assert (found.level, found.key, found.amount) == (Level.ERROR, "inference.regions", Decimal("39.4"))
    # One of three nodes is left: 1,212 tokens a second.
    assert found.message == (
        "with swedencentral lost the regular nodes of the other regions give 60 % of the declared demand at their most"
    )


def test_all_mistakes_of_a_file_are_findings_with_their_places(stacks: Stacks) -> None:
    report = stacks.check({(*POOL, "sku"): "Standard_ND96isr_H100_v6", ("allowedRegions", 1): "swedencentrl"})
    assert {finding.rule for finding in report.findings} == {"spec"}
    first = report.findings[0]
    assert (first.key, str(first.place), first.fix) == (
        "allowedRegions[1]",
        "Pulumi.x.yaml:8:7",
        "Did you mean swedencentral?",
    )
    assert "Did you mean Standard_ND96isr_H100_v5?" in [finding.fix for finding in report.findings]
    assert (report.exit_code, report.estimate, report.advice, report.passed) == (ExitCode.CONFIGURATION, None, None, ())
