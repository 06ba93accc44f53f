from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from gpufleet.catalog import prices, snapshots
from gpufleet.cli.app import app
from gpufleet.cli.table import aligned

GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "offers.v1.json").read_text())


@pytest.fixture(autouse=True)
def _a_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(snapshots, "today", lambda: date(2026, 7, 18))
    yield
    monkeypatch.undo()
    prices.forget()


def offers(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["offers", *arguments])


def document(*arguments: str) -> dict[str, Any]:
    done = offers(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    return found


def test_the_table() -> None:
    done = offers("--gpu", "H100 NVL", "--region", "eastus2", "--max-usd", "7")
    assert done.exit_code == 0
    assert [re.sub(" {2,}", "|", line) for line in done.stdout.splitlines()] == [
        "SIZE|REGION|GPUS|GPU|$/H|SPOT $/H|$/GPU-H|AGE|INFINIBAND|ZONES|DEPLOYED|QUOTA FAMILY",
        "Standard_NC40ads_H100_v5|eastus2|1|NVIDIA H100 NVL 94GB|6.98|-|6.98|30 d|no|yes|no|StandardNCadsH100v5Family",
        (
            "Standard_NCC40ads_H100_v5|eastus2|1|NVIDIA H100 NVL 94GB|6.98|1.74|6.98|30 d|no|yes|no|"
            "StandardNCCads2023Family"
        ),
    ]
    assert done.stderr == (
        "2 offers in 1 region; price list of 2026-06-18, 30 days old. A listed price is not capacity.\n"
    )


def test_json_is_what_its_schema_says() -> None:
    found = document("--gpu", "H100", "--infiniband", "--region", "eastus")
    assert (found["schemaVersion"], found["kind"], found["priceDate"]) == (1, "offers", "2026-06-18")
    first = found["offers"][0]
    assert (first["size"], first["gpus"], first["infiniband"], first["zones"]) == (
        "Standard_ND96isr_H100_v5",
        8,
        True,
        True,
    )
    assert (first["deployed"], first["evidence"]) == (True, "run")
    assert first["regular"] == {
        "usdPerHour": 98.32,
        "usdPerGpuHour": 12.29,
        "kind": "list",
        "listUsdPerHour": None,
        "reason": None,
        "asOf": "2026-06-18",
        "ageDays": 30,
        "source": "KARP",
        "confidence": "high",
        "note": None,
    }
    assert first["spot"] == {
        "usdPerHour": None,
        "unpriced": "no source gives a spot price for Standard_ND96isr_H100_v5 in eastus",
    }
    assert len(document()["offers"]) == 663


def test_csv_has_a_row_an_offer() -> None:
    rows = list(csv.DictReader(io.StringIO(offers("--gpu", "A10", "--region", "eastus", "--format", "csv").stdout)))
    assert len(rows) == 6
    first = rows[0]
    assert (first["size"], first["gpus"], first["zones"], first["deployed"]) == (
        "Standard_NV12ads_A10_v5",
        "1/3",
        "yes",
        "no",
    )
    assert (first["regular_usd_per_hour"], first["regular_usd_per_gpu_hour"]) == ("0.908", "2.724")
    assert (first["spot_usd_per_hour"], first["spot_as_of"]) == ("", "")
    assert (rows[1]["spot_usd_per_hour"], rows[1]["spot_as_of"], rows[1]["spot_confidence"]) == (
        *("0.1135", "2024 to 2025", "low"),
    )


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("gpu-price", ("Standard_NC4as_T4_v3", "eastus")),
        ("price", ("Standard_NC4as_T4_v3", "eastus")),
        ("size", ("Standard_NC16as_T4_v3", "australiacentral")),
        ("region", ("Standard_NC16as_T4_v3", "australiacentral")),
    ],
)
def test_what_comes_first(sort: str, first: tuple[str, str]) -> None:
    found = document("--gpu", "T4", "--sort", sort)["offers"]
    assert (found[0]["size"], found[0]["region"]) == first


def test_by_region_sizes_alternate_and_by_size_regions_do() -> None:
    by_region = [(one["region"], one["size"]) for one in document("--gpu", "T4", "--sort", "region")["offers"]]
    by_size = [(one["size"], one["region"]) for one in document("--gpu", "T4", "--sort", "size")["offers"]]
    assert by_region == sorted(by_region)
    assert by_size == sorted(by_size)
    assert len(by_size) == 116


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_nothing_fits(form: str) -> None:
    done = offers("--gpu", "H200", "--spot", "--format", form)
    assert done.exit_code == 0
    assert done.stderr == "No offer fits, for no source has a spot price of most sizes. Prices of 2026-06-18.\n"
    if form == "table":
        assert done.stdout == ""
    if form == "json":
        assert json.loads(done.stdout)["offers"] == []
    if form == "csv":
        assert len(done.stdout.splitlines()) == 1


def test_a_size_that_is_left_out_is_said() -> None:
    done = offers("--gpu", "GB300")
    assert done.stderr.splitlines() == [
        "No offer fits. Prices of 2026-06-18.",
        "note: Standard_ND128isr_GB300_v6 is left out: the price list of 2026-06-18 has it in no region",
    ]


def test_a_negotiated_price_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "negotiated.yaml").write_text(
        "prices:\n  - {size: Standard_ND96isr_H100_v5, regions: [eastus], usd: 78.5, reason: EA 4711,"
        " validFrom: 2026-01-01, validUntil: 2026-12-31}\n"
    )
    monkeypatch.setenv("GPUFLEET_PRICES", str(tmp_path))
    prices.forget()
    done = offers("--gpu", "ND96isr_H100", "--region", "eastus")
    assert "78.50 (negotiated, list 98.32)" in done.stdout
    price = document("--gpu", "ND96isr_H100", "--region", "eastus")["offers"][0]["regular"]
    assert (price["kind"], price["usdPerHour"], price["listUsdPerHour"], price["reason"]) == (
        *("negotiated", 78.5, 98.32, "EA 4711"),
    )


def test_it_writes_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "offers.csv"
    done = offers("--gpu", "GB200", "--format", "csv", "--output", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    assert len(file.read_text().splitlines()) == 21


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gpu", "H10O"], "error: no size of the catalogue has a GPU 'H10O'; the nearest is H100\nThere are H100, "),
        (["--region", "eastsu"], "error: no Azure region 'eastsu' in the catalogue; the nearest is eastus\n"),
        (["--max-usd", "nan"], "error: --max-usd is nan, not an amount above 0\n"),
        (["--max-usd", "0"], "error: --max-usd is 0.0, not an amount above 0\n"),
        (["--max-usd", "-1"], "error: --max-usd is -1.0, not an amount above 0\n"),
    ],
)
def test_a_mistake_ends_with_2(arguments: list[str], message: str) -> None:
    done = subprocess.run([GPUFLEET, "offers", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


def test_no_colour_anywhere() -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "NO_COLOR": "1"}
    command = [GPUFLEET, "offers", "--gpu", "GB200"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "\x1b" not in done.stdout + done.stderr


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert (
        aligned([("A", "B", "C"), ("long", "1", ""), ("x", "22", "end")], right=(1,))
        == "A      B  C\nlong   1\nx     22  end"
    )
