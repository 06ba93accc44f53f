from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gpufleet.catalog import prices, snapshots
from tests.cli.command_line import Gpufleet

ROOT = Path(__file__).parents[2]
GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")

_STACK = """\
config:
  gpufleet:environment:
    class: ephemeral
    owner: ml-platform
    costCenter: cc-1
    allowedRegions: [eastus]
    budget: {{ monthlyUsd: {budget}, start: 2026-12-01, contacts: [a@example.com] }}
    usage: {{ logsGbPerDay: 1, natGbPerMonth: 1, privateEndpointGbPerMonth: 1, registryGb: 1, blobTiB: 1 }}
    training:
      - name: lab
        region: {region}
        pools:
          - {{ name: h100, sku: {sku}, priority: {priority}, nodes: {{ min: 0, max: 8 }} }}
"""
_RESUMING = """\
        workload: { parametersB: 1, tokensB: 1, datasetTiB: 1, checkpoint: { maxLossPercent: 50, resume: true } }
"""


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "today", lambda: dt.date(2026, 11, 21))


def write(
    gpufleet: Gpufleet,
    name: str = "lab",
    *,
    budget: int = 1000000,
    region: str = "eastus",
    sku: str = "Standard_ND96isr_H100_v5",
    priority: str = "regular",
) -> Path:
    text = _STACK.format(budget=budget, region=region, sku=sku, priority=priority)
    return gpufleet.stack(name, text + (_RESUMING if priority == "spot" else ""))


def validate(document: object) -> None:
    schema = json.loads((ROOT / "docs/schemas/check.v1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_committed_stacks_pass_even_when_strict(gpufleet: Gpufleet, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (ROOT / "stacks").glob("Pulumi.*.yaml"):
        shutil.copy(path, gpufleet.folder / "stacks")
    done = gpufleet("check", "--all", "--strict")
    heads = [line for line in done.out.splitlines() if re.match(r"\w+  [A-Z]+: ", line)]
    assert [head.split(":")[0] for head in heads] == ["dev  PASS", "frontier  PASS", "prod  PASS", "staging  PASS"]
    assert (done.code, done.err) == (0, "")


def test_one_environment_is_one_document(gpufleet: Gpufleet) -> None:
    done = gpufleet("check", "prod", "--format", "json")
    document = done.document
    validate(document)
    assert (document["schema_version"], document["kind"], document["environment"]) == (1, "check", "prod")
    assert (document["verdict"], document["exit_code"]) == ("pass", 0)
    assert {one["severity"] for one in document["findings"]} <= {"warning", "note"}
    assert (document["cost"]["currency"], document["cost"]["unpriced"]) == ("USD", [])
    assert set(document["cost"]["ceiling"]) == {"hourly", "monthly", "period"}
    assert [one["title"] for one in document["sizing"]] == ["training fabric frontier", "inference"]
    assert (done.code, done.err) == (0, f"{_passed('prod', document)}\n")


def _passed(environment: str, document: dict[str, Any]) -> str:
    """The headline of a check without errors."""
    warnings = sum(one["severity"] == "warning" for one in document["findings"])
    said = [f"{len(document['passed'])} rules passed", *([f"{warnings} warnings"] if warnings else [])]
    return f"{environment}  PASS: {', '.join(said)}"


def test_no_price_for_spot_h100_is_never_nothing(gpufleet: Gpufleet) -> None:
    write(gpufleet, priority="spot", sku="Standard_ND96is_noIB_H100_v5")
    done = gpufleet("check", "lab", "--strict", "--format", "json")
    validate(done.document)
    (finding,) = [one for one in done.document["findings"] if one["rule"] == "COST003"]
    assert "Standard_ND96is_noIB_H100_v5 spot" in finding["message"]
    assert (finding["rule"], finding["severity"], finding["verdict"]) == ("COST003", "error", "undecided")
    assert finding["location"] == {"file": "stacks/Pulumi.lab.yaml", "line": 13, "column": 13}
    assert done.code == 5
    # Network, control plane and the system pool: far from the 98.32 that one regular node costs an hour.
    assert float(done.document["cost"]["ceiling"]["hourly"]) < 2
    found = gpufleet("check", "lab", "--format", "json").document["findings"]
    assert [one["severity"] for one in found if one["rule"] == "COST003"] == ["warning"]


def test_a_pool_from_none_to_eight(gpufleet: Gpufleet) -> None:
    bounds = []
    for most in (4, 8):
        path = write(gpufleet)
        path.write_text(path.read_text().replace("max: 8", f"max: {most}"))
        cost = gpufleet("check", "lab", "--format", "json").document["cost"]
        bounds.append([Decimal(cost[bound]["monthly"]) for bound in ("floor", "ceiling")])
    (floor, ceiling), (same, more) = bounds
    # 4 nodes more at 98.32 USD and 730 h, and at the floor none of either.
    assert (floor, ceiling + Decimal("287094.40")) == (same, more)
    assert floor < 1000


def test_a_broken_gate_is_a_policy_violation(gpufleet: Gpufleet) -> None:
    write(gpufleet, budget=1000)
    done = gpufleet("check", "lab")
    assert done.code == 5
    assert done.out.startswith("lab  FAIL: 1 error, ")
    assert "1. budget.monthlyUsd: Lower a pool's maximum" in done.out
    assert "(stacks/Pulumi.lab.yaml:7:27)" in done.out


def test_one_broken_stack_hides_no_other(gpufleet: Gpufleet) -> None:
    write(gpufleet, "bad", region="estus")
    write(gpufleet, "over", budget=1000)
    done = gpufleet("check", "--all", "--format", "json")
    validate(done.document)
    assert [(one["environment"], one["exit_code"]) for one in done.document] == [
        ("bad", 2),
        ("dev", 0),
        ("over", 5),
        ("prod", 0),
    ]
    assert (done.document[0]["cost"], done.document[0]["sizing"]) == (None, None)
    assert done.code == 2


def test_several_names_are_a_list_without_repeats(gpufleet: Gpufleet) -> None:
    done = gpufleet("check", "prod", "dev", "prod", "--format", "json")
    assert [one["environment"] for one in done.document] == ["prod", "dev"]


def test_strict_is_the_default_in_ci(gpufleet: Gpufleet, monkeypatch: pytest.MonkeyPatch) -> None:
    write(gpufleet, priority="spot", sku="Standard_NC40ads_H100_v5")
    assert gpufleet("check", "lab").code == 0
    for name in ("CI", "TF_BUILD"):
        monkeypatch.setenv(name, "True")
        assert gpufleet("check", "lab").code == 5
        assert gpufleet("check", "lab", "--no-strict").code == 0
        monkeypatch.setenv(name, "false")
        assert gpufleet("check", "lab").code == 0


def test_the_report_goes_to_a_file(gpufleet: Gpufleet, tmp_path: Path) -> None:
    done = gpufleet("check", "dev", "--output", tmp_path / "report.txt")
    head = _passed("dev", gpufleet("check", "dev", "--format", "json").document)
    assert (done.code, done.out, done.err) == (0, "", f"{head}\n")
    assert (tmp_path / "report.txt").read_text().startswith(f"{head}\n\nCost, USD")


@pytest.mark.parametrize(
    ("values", "place", "message", "fix"),
    [
        ({"region": "estus"}, "11:17", "estus is not an Azure region", "Did you mean eastus?"),
        (
            {"sku": "Standard_ND96isr_H100_v4"},
            "13:32",
            "Standard_ND96isr_H100_v4 is not a VM size of the catalogue",
            "Did you mean Standard_ND96isr_H100_v5?",
        ),
    ],
)
def test_unknown_names_get_the_nearest(
    gpufleet: Gpufleet, *, values: dict[str, Any], place: str, message: str, fix: str
) -> None:
    write(gpufleet, **values)
    done = gpufleet("check", "lab", "--format", "json")
    found = {f"{one['location']['line']}:{one['location']['column']}": one for one in done.document["findings"]}
    assert done.code == 2
    assert place in found, found
    assert message in found[place]["message"]
    assert found[place]["fix"] == fix


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "error: no environment is named\n"),
        (["prdo"], 6, "error: no environment prdo: there is no stacks/Pulumi.prdo.yaml. Did you mean prod?\n"),
        (["dev", "prdo"], 6, "error: no environment prdo: "),
        (["dev", "--all"], 2, "error: --all means every environment\n"),
        (["--all", "--stack-file", "x.yaml"], 2, "error: --all means every environment\n"),
        (["dev", "prod", "--stack-file", "x.yaml"], 2, "error: --stack-file is one environment's\n"),
        (["dev", "--output", "no/such/folder/x"], 2, "error: cannot write no/such/folder/x: "),
    ],
)
def test_bad_input(gpufleet: Gpufleet, arguments: list[str], code: int, message: str) -> None:
    done = gpufleet("check", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(message)


def test_no_environment_at_all(gpufleet: Gpufleet) -> None:
    for path in (gpufleet.folder / "stacks").iterdir():
        path.unlink()
    done = gpufleet("check", "--all")
    assert done.code == 2
    assert done.err.startswith("error: there is no stacks/Pulumi.<env>.yaml in ")


def test_a_stack_file_that_is_missing(gpufleet: Gpufleet) -> None:
    done = gpufleet("check", "--stack-file", "nowhere.yaml")
    assert done.code == 2
    assert done.out.startswith("nowhere  FAIL: 1 error\n")
    assert "  - nowhere.yaml  [spec]\n    there is no such file.\n" in done.out


def test_a_directory_is_no_stack_file(gpufleet: Gpufleet, tmp_path: Path) -> None:
    done = gpufleet("check", "--stack-file", tmp_path)
    assert done.code == 2
    assert "directory" in done.out + done.err


def test_any_stack_file(gpufleet: Gpufleet) -> None:
    path = write(gpufleet, "try").rename(gpufleet.folder / "some.yaml")
    done = gpufleet("check", "--stack-file", path, "--format", "json")
    assert (done.code, done.document["environment"], done.document["stack_file"]) == (0, "some", str(path))
    assert gpufleet("check", "named", "--stack-file", path).out.startswith("named  PASS: ")
    done = gpufleet("check", "--stack-file", path)
    assert "\nThe rules have their default limits: there is no policies/config/some.json.\n" in done.out
    done = gpufleet("check", "prod", "--stack-file", path)
    assert done.out.startswith("prod  PASS: ")
    assert "default limits" not in done.out


def test_a_damaged_price_list(gpufleet: Gpufleet, own_prices: Path) -> None:
    good = snapshots.current().path.read_text().splitlines()
    day = snapshots.today().isoformat()
    (own_prices / f"prices-{day}.csv").write_text("\n".join([*good[:1], "Standard_ND96isr_H100_v5,eastus"]) + "\n")
    prices.forget()
    done = gpufleet("check", "prod")
    assert done.code == 2
    assert re.match(rf"error: \S+prices-{day}\.csv:2: 2 cells under \d+ columns\n", done.err), done.err


def test_a_price_list_from_the_future(gpufleet: Gpufleet, own_prices: Path) -> None:
    path = own_prices / "prices-2999-01-01.csv"
    shutil.copy(snapshots.current().path, path)
    prices.forget()
    done = gpufleet("check", "prod")
    assert done.code == 2
    assert done.err.startswith(f"error: {path}: the price list is dated 2999-01-01, and today is ")
    assert "Set this machine's clock" in done.err


def test_without_a_home_folder_nothing_is_kept(gpufleet: Gpufleet, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpufleet.engine import cache
    from gpufleet.engine.errors import EngineUnavailableError

    def no_home() -> Path:
        raise EngineUnavailableError("no home folder to keep the engine in")

    monkeypatch.setattr(cache, "cache_root", no_home)
    assert gpufleet("check", "dev").code == 0


def test_as_a_process_with_and_without_a_kept_plan(tmp_path: Path) -> None:
    environment = {**os.environ, "GPUFLEET_CACHE": str(tmp_path), "NO_COLOR": "1", "CI": "true"}
    command = [GPUFLEET, "check", "frontier"]
    runs = [subprocess.run(command, capture_output=True, text=True, check=False, env=environment) for _ in range(2)]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    assert runs[0].stdout == runs[1].stdout
    assert re.match(r"frontier  PASS: \d+ rules passed, \d+ warnings\n", runs[0].stdout)
    assert len(list((tmp_path / "plans").glob("*.json"))) == 1
