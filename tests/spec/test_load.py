from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from gpufleet.errors import ExitCode
from gpufleet.spec import Loaded, SpecError, StackFile, load, load_environment, parse, parse_environment
from gpufleet.spec.base import Path
from gpufleet.spec.load import MOST_PROBLEMS
from tests.spec.environments import NETWORK, POOL, SERVE, changed, environment

TEN_MISTAKES = """\
config:
  gpufleet:environment:
    class: prodction
    owner: ml-platform
    costCenter: cc-4711
    allowedRegions: [eastus, eastus]
    budget:
      monthlyUsd: "1000000"
      start: 2026-12-02
      contacts: [ml-finops.example.com]
    training:
      - name: Lab
        region: eastus
        pools:
          - name: h100
            sku: Standard_ND96isr_H100_v5
            nodes: {min: 0, max: 640}
            zone: ["1"]
          - {name: h100, sku: Standard_D32_v5, nodes: two}
        storage:
          lustre: {sku: AMLFS-Durable-Premium-250, capacityTiB: 9}
"""


def test_ten_mistakes_in_one_go(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(TEN_MISTAKES)
    with pytest.raises(SpecError) as caught:
        load(StackFile.read(file, name="stacks/Pulumi.dev.yaml"))
    assert caught.value.exit_code == ExitCode.CONFIGURATION
    assert str(caught.value) == (
        "stacks/Pulumi.dev.yaml:3:12: error: class: must be one of ephemeral, standard, production, not the text "
        '"prodction". Did you mean production?\n'
        "stacks/Pulumi.dev.yaml:6:30: error: allowedRegions[1]: is the same as allowedRegions[0]. Keep one.\n"
        'stacks/Pulumi.dev.yaml:8:19: error: budget.monthlyUsd: must be a number, not the text "1000000". '
        "Leave the quotes "
        "out.\n"
        "stacks/Pulumi.dev.yaml:9:14: error: budget.start: 2026-12-02 is not the first of a month. Write 2026-12-01. "
        "[Microsoft.Consumption/budgets 2024-08-01]\n"
        'stacks/Pulumi.dev.yaml:10:18: error: budget.contacts[0]: the text "ml-finops.example.com" is not a '
        "mail address.\n"
        'stacks/Pulumi.dev.yaml:12:15: error: training[0].name: the text "Lab" is not a name of 1 to 15 '
        "lower-case letters "
        "and digits that starts with a letter.\n"
        "stacks/Pulumi.dev.yaml:17:34: error: training[0].pools[0].nodes.max: 640 nodes of "
        "Standard_ND96isr_H100_v5 exceed "
        "one InfiniBand domain of 100. Make several pools, or state a plain number of nodes, which is split "
        "into domains; "
        "where Azure support raised a domain (to at most 300), declare it under `infiniband`. [azure-compute-docs "
        "setup-infiniband and virtual-machine-scale-sets-placement-groups]\n"
        "stacks/Pulumi.dev.yaml:18:13: error: training[0].pools[0].zone: is not a known key. Did you mean `zones`?\n"
        "stacks/Pulumi.dev.yaml:19:20: error: training[0].pools[1].name: is the same as the name of "
        "training[0].pools[0]. "
        "Give it another name.\n"
        "stacks/Pulumi.dev.yaml:19:31: error: training[0].pools[1].sku: Standard_D32_v5 is not a VM size of "
        "the catalogue. "
        "Did you mean Standard_D32s_v5?\n"
        "stacks/Pulumi.dev.yaml:19:55: error: training[0].pools[1].nodes: must be a number of nodes or a "
        "range, not the "
        'text "two". Write `nodes: 4`, or `nodes: {min: 0, max: 4}`.\n'
        "stacks/Pulumi.dev.yaml:21:65: error: training[0].storage.lustre.capacityTiB: "
        "AMLFS-Durable-Premium-250 comes in "
        "steps of 8 TiB from 8 TiB, not 9. The next is 16. [azure-managed-lustre create-file-system-portal]\n"
        "12 errors"
    )


def test_a_valid_file() -> None:
    loaded = load(_file(environment()))
    assert isinstance(loaded, Loaded)
    assert loaded.warnings == ()
    assert loaded.environment.training[0].pools[1].name == "data"
    assert load_environment(_file(environment())) == loaded.environment


_WARNED: dict[Path, object] = {(*SERVE, "sku"): "Standard_ND96isr_H100_v5", (*SERVE, "priority"): "spot"}


def test_a_warning_is_no_error() -> None:
    loaded = load(_file(changed(_WARNED)))
    assert [(problem.severity.value, problem.key, problem.line) for problem in loaded.warnings] == [
        ("warning", "inference.regions[0].pools[0].priority", 1)
    ]


def test_errors_and_warnings_are_counted_apart() -> None:
    value = changed({**_WARNED, ("owner",): 3})
    with pytest.raises(SpecError, match=r"1 error, 1 warning$"):
        load(_file(value))


class TestInTheProgram:
    """What Pulumi hands the program, and the file it came from."""

    def test_positions_come_from_the_file_that_says_the_same(self) -> None:
        value = changed({(*POOL, "nodes", "max"): 101})
        file = _file(value)
        # What the engine makes of it: dates as Go prints them, whole floats as integers.
        value["budget"]["start"] = "2026-12-01 00:00:00 +0000 UTC"
        value["budget"]["monthlyUsd"] = 1000000.0
        with pytest.raises(SpecError) as caught:
            parse(value, source=file)
        [problem] = caught.value.problems
        assert (problem.file, problem.line) == ("stacks/Pulumi.test.yaml", 1)

    def test_a_file_that_says_something_else_gives_no_positions(self) -> None:
        with pytest.raises(SpecError) as caught:
            parse(changed({(*POOL, "nodes", "max"): 101}), source=_file(environment()))
        assert str(caught.value).startswith(
            "configuration gpufleet:environment: error: training[0].pools[0].nodes.max: 101 nodes of"
        )

    def test_without_a_file(self) -> None:
        value = changed({("budget", "start"): "2026-12-01 00:00:00 +0000 UTC"})
        assert parse_environment(value) == parse_environment(environment())

    @pytest.mark.parametrize("value", [None, 3, "x", [], {}])
    def test_what_is_no_environment(self, value: object) -> None:
        with pytest.raises(SpecError):
            parse(value)

    def test_nothing_is_shown_of_a_file_with_mistakes_of_its_own(self) -> None:
        # A key given twice: the engine reads the file otherwise, or not at all.
        text = "config:\n  gpufleet:environment:\n    owner: a\n    owner: b\n"
        with pytest.raises(SpecError, match=r"s.yaml:4:5: error: owner: stands twice; the first is on line 3"):
            load(StackFile.from_text(text, name="s.yaml"))


def test_beyond_a_hundred_problems_the_text_stops() -> None:
    value = changed({("allowedRegions",): ["eastus", "swedencentral", *["nowhere"] * 150]})
    with pytest.raises(SpecError) as caught:
        parse(value)
    assert len(caught.value.problems) == MOST_PROBLEMS + 1
    assert caught.value.problems[-1].message == "199 more problems are not shown"


class TestOneMistakeHidesNoOther:
    """Two mistakes each, of which the first used to be able to hide the second."""

    @pytest.mark.parametrize(
        "first",
        [
            {("class",): "x"},
            {("budget",): "x"},
            {("budget", "start"): "2026-13-01"},
            {("allowedRegions",): 3},
            {("training", 0, "name"): "X"},
            {("training", 0, "region"): 7},
            {(*POOL, "name"): "TOOLONGNAME"},
            {(*POOL, "labels"): {"x": 1}},
            {(*POOL, "nodes", "min"): "x"},
            {(*POOL, "nodes", "average"): 3},
            {("training", 0, "storage"): "x"},
            {("training", 0, "workload", "parametersB"): 0},
            {("inference",): 3},
            {("inference", "regions", 0, "pools"): []},
            {NETWORK: {"natPublicIps": 17}},
        ],
    )
    def test_the_infiniband_domain_is_judged(self, first: dict[Any, object]) -> None:
        with pytest.raises(SpecError) as caught:
            parse(changed({**first, (*POOL, "nodes", "max"): 640}))
        keys = [problem.key for problem in caught.value.problems]
        assert "training[0].pools[0].nodes.max" in keys
        assert len(keys) == 2


class TestNoFollowUps:
    """One mistake each, and one message: what rests on the mistake is not judged."""

    @pytest.mark.parametrize(
        ("change", "key"),
        [
            ({(*POOL, "infinband"): {"maxNodes": 200}, (*POOL, "nodes", "max"): 150}, "training[0].pools[0].infinband"),
            (
                {(*POOL, "infiniband"): {"maxNodes": 200, "supportRequest": 7}, (*POOL, "nodes", "max"): 150},
                "training[0].pools[0].infiniband.supportRequest",
            ),
            ({(*SERVE, "sku"): 3}, "inference.regions[0].pools[0].sku"),
            ({(*SERVE, "nodes"): {"min": 5, "max": "6"}}, "inference.regions[0].pools[0].nodes.max"),
            ({("allowedRegions",): ["eastus", 3]}, "allowedRegions[1]"),
            ({("allowedRegion",): ["swedencentral"], ("allowedRegions",): ["eastus"]}, "allowedRegion"),
            ({("training",): {}, ("inference",): None}, "training"),
            ({("training", 0): 3, ("inference", "regions", 0, "network"): {"vnetCidr": "10.0.0.0/16"}}, "training[0]"),
            ({("budget", "contact"): ["a@b.example"], ("budget", "contacts"): []}, "budget.contacts"),
            ({(*SERVE, "spotMaxPrice"): 1.5, (*SERVE, "priority"): "sport"}, "inference.regions[0].pools[0].priority"),
        ],
    )
    def test_one_message(self, change: dict[Any, object], key: str) -> None:
        with pytest.raises(SpecError) as caught:
            parse(changed(change))
        assert key in [problem.key for problem in caught.value.problems]
        assert len(caught.value.problems) <= 1 + ("contact" in str(change))


def _file(value: dict[str, Any]) -> StackFile:
    # JSON is YAML: everything stands on one line.
    text = json.dumps({"config": {"gpufleet:environment": value}})
    return StackFile.from_text(text, name="stacks/Pulumi.test.yaml")
