from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.cli.command_line import Gpufleet

ROOT = Path(__file__).parents[2]
GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")

_STACK = """\
config:
  gpufleet:environment:
    class: ephemeral
    owner: ml-platform
    costCenter: cc-1
    allowedRegions: [eastus, uksouth]
    budget: {{ monthlyUsd: {budget}, start: 2026-12-01, contacts: [a@example.com] }}
    training:
      - name: lab
        region: {region}
        pools:
          - {{ name: h100, sku: Standard_ND96isr_H100_v5, nodes: {nodes} }}
"""


def write(
    gpufleet: Gpufleet, name: str = "lab", *, nodes: str = "4", budget: float = 1000000, region: str = "eastus"
) -> Path:
    return gpufleet.stack(name, _STACK.format(nodes=nodes, budget=budget, region=region))


@pytest.mark.parametrize(("region", "monthly"), [("eastus", "287094.40"), ("uksouth", "358868.00")])
def test_four_h100_nodes(gpufleet: Gpufleet, region: str, monthly: str) -> None:
    write(gpufleet, region=region)
    done = gpufleet("cost", "lab", "--format", "json")
    (line,) = [one for one in done.document["lines"] if one["meter"] == "Standard_ND96isr_H100_v5 regular"]
    assert (done.code, line["ceiling"]["monthly"], line["quantity"]["ceiling"]) == (0, monthly, "4")
    assert (line["price"]["kind"], line["price"]["asOf"]) == ("list", "2026-06-18")


def test_the_document_fits_its_schema(gpufleet: Gpufleet) -> None:
    schema = json.loads((ROOT / "docs" / "schemas" / "cost.v1.json").read_text())
    document = gpufleet("cost", "dev", "--format", "json").document
    jsonschema.validate(document, schema)
    assert (document["schemaVersion"], document["kind"], document["environment"]) == (1, "cost", "dev")


def test_the_table_is_for_people(gpufleet: Gpufleet) -> None:
    done = gpufleet("cost", "dev", "--strict")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("dev  WITHIN BUDGET: the ceiling costs $")
    assert "\x1b[" not in done.out


def test_over_the_budget_is_a_policy_violation_and_the_report_is_there(gpufleet: Gpufleet) -> None:
    write(gpufleet, budget=290000)
    done = gpufleet("cost", "lab", "--format", "json")
    assert (done.code, done.document["verdict"]) == (5, "over")
    assert done.err.startswith("error: lab is over its budget: the ceiling costs $")


def test_what_lacks_a_price_fails_under_strict_alone(gpufleet: Gpufleet) -> None:
    write(gpufleet)
    assert gpufleet("cost", "lab", "--format", "json").code == 0
    done = gpufleet("cost", "lab", "--format", "json", "--strict")
    assert (done.code, len(done.document["unpriced"])) == (5, 5)
    assert done.err.startswith("error: 5 charges of lab have no price\n")


def test_spot_h100_without_a_price(gpufleet: Gpufleet) -> None:
    path = write(gpufleet)
    spot = (
        "          - { name: spot, sku: Standard_ND96is_noIB_H100_v5, nodes: { min: 0, max: 8 }, priority: spot }\n"
        "        workload:\n"
        "          { parametersB: 1, tokensB: 1, datasetTiB: 1, checkpoint: { maxLossPercent: 5, resume: true } }\n"
    )
    path.write_text(path.read_text() + spot)
    done = gpufleet("cost", "lab", "--strict", "--format", "csv")
    (row,) = [
        one for one in csv.DictReader(io.StringIO(done.out)) if one["meter"] == "Standard_ND96is_noIB_H100_v5 spot"
    ]
    assert done.code == 5
    assert (row["price_usd"], row["price_kind"], row["monthly_usd_ceiling"]) == ("", "none", "")


def test_any_file(gpufleet: Gpufleet) -> None:
    path = write(gpufleet)
    other = path.rename(gpufleet.folder / "Pulumi.try.yaml")
    assert gpufleet("cost", "--stack-file", other, "--format", "json").document["environment"] == "try"
    assert gpufleet("cost", "lab", "--stack-file", other, "--format", "json").document["environment"] == "lab"


@pytest.mark.parametrize("form", ["table", "json", "markdown", "html", "csv"])
def test_a_report_goes_to_a_file_whole(gpufleet: Gpufleet, form: str) -> None:
    write(gpufleet)
    target = gpufleet.folder / "report"
    done = gpufleet("cost", "lab", "--format", form, "--output", target)
    assert (done.code, done.out) == (0, "")
    assert target.read_text() == gpufleet("cost", "lab", "--format", form).out
    assert "287094.4" in target.read_text().replace(",", "")


def test_a_change_against_a_file(gpufleet: Gpufleet) -> None:
    before = write(gpufleet, "old", nodes="{ min: 0, max: 4 }")
    write(gpufleet, "new", nodes="{ min: 0, max: 8 }")
    done = gpufleet("cost", "new", "--against", before, "--format", "json")
    difference = done.document["difference"]
    assert (difference["base"], difference["ceiling"]["monthly"]) == (str(before), "287094.40")
    assert [(one["component"], one["reasons"]) for one in difference["changes"]] == [
        ("training lab", ["pool h100: max 4 → 8"])
    ]


def test_a_change_against_git(gpufleet: Gpufleet) -> None:
    write(gpufleet, nodes="{ min: 0, max: 4 }")
    gpufleet.git("init", "-q", "-b", "main")
    gpufleet.git("add", "stacks")
    gpufleet.git("commit", "-q", "-m", "four")
    write(gpufleet, nodes="{ min: 1, max: 4 }")
    done = gpufleet("cost", "lab", "--against", "main", "--format", "json")
    difference = done.document["difference"]
    assert (difference["floor"]["monthly"], difference["ceiling"]["monthly"]) == ("71773.60", "0.00")
    assert difference["base"].startswith("main (")
    assert difference["changes"][0]["reasons"] == ["pool h100: min 0 → 1"]
    assert "Against main (" in gpufleet("cost", "lab", "--against", "main").out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "error: no environment is named\n"),
        (["lba"], 6, "error: no environment lba: there is no stacks/Pulumi.lba.yaml. Did you mean lab?\n"),
        (["--stack-file", "nowhere.yaml"], 2, "nowhere.yaml: error: there is no such file."),
        (["lab", "--against", "nowhere.yaml"], 2, "error: --against nowhere.yaml: there is no such file\n"),
        (["lab", "--against", "nope"], 2, "error: --against nope: neither a file nor a version that git knows in "),
        (["lab", "--against=--output=x"], 2, "error: --against --output=x: neither a file nor a version that git "),
        (["lab", "--against", "n" * 5000], 2, f"error: --against {'n' * 5000}: neither a file nor a version that git "),
        (["lab", "--against", ""], 2, "error: --against : neither a file nor a version that git knows in "),
        (["lab", "--output", "no/such/folder/x"], 2, "error: cannot write no/such/folder/x: "),
    ],
)
def test_bad_input(gpufleet: Gpufleet, arguments: list[str], code: int, message: str) -> None:
    write(gpufleet)
    done = gpufleet("cost", *arguments)
    assert done.code == code
    assert done.err.startswith(message)
    assert "Traceback" not in done.err


def test_a_version_without_the_file(gpufleet: Gpufleet) -> None:
    gpufleet.git("init", "-q", "-b", "main")
    gpufleet.git("commit", "-q", "--allow-empty", "-m", "nothing")
    write(gpufleet)
    done = gpufleet("cost", "lab", "--against", "main")
    assert done.code == 2
    assert done.err.startswith("error: --against main: Pulumi.lab.yaml is not in commit ")


def test_mistakes_in_the_other_version_name_it(gpufleet: Gpufleet) -> None:
    path = write(gpufleet)
    path.write_text(path.read_text().replace("sku:", "skuu:"))
    gpufleet.git("init", "-q", "-b", "main")
    gpufleet.git("add", "stacks")
    gpufleet.git("commit", "-q", "-m", "broken")
    write(gpufleet)
    done = gpufleet("cost", "lab", "--against", "main")
    assert done.code == 2
    assert ":Pulumi.lab.yaml:12:" in done.err.splitlines()[0]


def test_mistakes_in_the_stack_file(gpufleet: Gpufleet) -> None:
    write(gpufleet, region="estus")
    done = gpufleet("cost", "lab")
    assert done.code == 2
    assert done.err.startswith("stacks/Pulumi.lab.yaml:10:")


def test_as_a_process() -> None:
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run([GPUFLEET, "cost", "frontier"], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout.splitlines()[0].split(":")[0]) == (0, "frontier  WITHIN BUDGET")
    assert "12,500" not in done.stdout
    assert "4,200 × ND96isr_H100_v5, $98.32/h" in done.stdout
