"""`gpufleet waivers`, and what waivers do to `gpufleet check`; the day is 2026-11-21."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gpufleet.catalog import snapshots
from policies import configuration
from tests.cli.command_line import Gpufleet
from tests.cli.test_check import write

_ROOT = Path(__file__).parents[2]
_OVER = {"rule": "COST002", "environment": "lab", "resource": "environment", "bound": 1_000_000}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "today", lambda: dt.date(2026, 11, 21))


def _waive(gpufleet: Gpufleet, *entries: dict[str, Any]) -> Path:
    path = gpufleet.folder / "stacks" / "waivers.yaml"
    common = {"reason": "r", "owner": "ml", "ticket": "ML-1", "approvedBy": "jane", "expires": "2026-12-31"}
    path.write_text(json.dumps([{**common, **entry} for entry in entries], indent=2))
    return path


def test_a_waived_finding_passes_and_is_shown(gpufleet: Gpufleet) -> None:
    write(gpufleet, budget=1000)
    assert gpufleet("check", "lab").code == 5
    _waive(gpufleet, _OVER)
    done = gpufleet("check", "lab", "--format", "json")
    (found,) = [one for one in done.document["findings"] if one["rule"] == "COST002"]
    assert (done.code, found["fails"], found["waiver"]["owner"]) == (0, False, "ml")
    _waive(gpufleet, {**_OVER, "bound": 10})
    assert gpufleet("check", "lab").code == 5


def test_an_expired_one_is_exit_code_12(gpufleet: Gpufleet) -> None:
    write(gpufleet, budget=1000)
    _waive(gpufleet, _OVER)
    assert gpufleet("check", "lab", "--today", "2026-12-31").code == 0
    done = gpufleet("check", "lab", "--today", "2027-01-01")
    assert done.code == 12
    assert "the waiver of COST002 for environment in lab expired on 2026-12-31" in " ".join(done.out.split())


def test_no_earlier_day_brings_one_back(gpufleet: Gpufleet) -> None:
    for command in (["check", "dev"], ["waivers"], ["waivers", "export", "dev"]):
        done = gpufleet(*command, "--today", "2026-11-20")
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error: --today 2026-11-20: that day is over, and today is 2026-11-21 in UTC\n")


def test_a_malformed_file_stops_every_check_before_it_starts(gpufleet: Gpufleet) -> None:
    _waive(gpufleet, {"rule": "COST002", "environment": "prdo", "resource": "environment", "bound": 1})
    for command in (["check", "dev"], ["check", "--all", "--base", "nope"], ["waivers"], ["waivers", "export", "dev"]):
        done = gpufleet(*command)
        assert (done.code, done.out) == (12, "")
        assert done.err == (
            'stacks/waivers.yaml:9:20: error: [0].environment: there is no environment "prdo". Did you mean prod?\n'
            "1 error\n"
        )


def test_the_list(gpufleet: Gpufleet) -> None:
    write(gpufleet, budget=1000)
    _waive(
        gpufleet,
        _OVER,
        {**_OVER, "environment": "prod", "expires": "2026-11-20"},
        {**_OVER, "environment": "dev", "expires": "2026-12-01"},
    )
    done = gpufleet("waivers")
    assert done.code == 0
    assert [line.split()[:6] for line in done.out.splitlines()] == [
        ["ENVIRONMENT", "RULE", "RESOURCE", "STATUS", "EXPIRES", "DAYS"],
        ["lab", "COST002", "environment", "in-force", "2026-12-31", "40"],
        ["prod", "COST002", "environment", "expired", "2026-11-20", "-1"],
        ["dev", "COST002", "environment", "unused", "2026-12-01", "10"],
    ]
    assert len(gpufleet("waivers", "lab").out.splitlines()) == 2
    assert gpufleet("waivers", "list", "lab").out == gpufleet("waivers", "lab").out


@pytest.mark.parametrize(
    ("options", "environments"),
    [
        (["--expired"], ["prod"]),
        (["--expiring-in", "30"], ["dev"]),
        (["--expiring-in", "40"], ["lab", "dev"]),
        (["--unused"], ["prod", "dev"]),
        (["--expired", "--expiring-in", "10"], ["prod", "dev"]),
        (["--today", "2027-01-01", "--expired"], ["lab", "prod", "dev"]),
    ],
)
def test_the_list_in_parts_and_for_programs(gpufleet: Gpufleet, options: list[str], environments: list[str]) -> None:
    write(gpufleet, budget=1000)
    _waive(
        gpufleet,
        _OVER,
        {**_OVER, "environment": "prod", "expires": "2026-11-20"},
        {**_OVER, "environment": "dev", "expires": "2026-12-01"},
    )
    document = gpufleet("waivers", *options, "--format", "json").document
    schema = json.loads((_ROOT / "docs/schemas/waivers.v1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert [one["environment"] for one in document["waivers"]] == environments
    rows = list(csv.DictReader(io.StringIO(gpufleet("waivers", *options, "--format", "csv").out)))
    assert [(row["environment"], row["bound"], row["line"]) for row in rows] == [
        (one["environment"], "1000000", str(one["location"]["line"])) for one in document["waivers"]
    ]


def test_what_turns_a_terminal_s_text_around_is_taken_out(gpufleet: Gpufleet) -> None:
    write(gpufleet, budget=1000)
    _waive(gpufleet, {**_OVER, "owner": "a\u202eb", "ticket": "c\u2066d"})
    (_, line) = gpufleet("waivers").out.splitlines()
    assert line.endswith("  a b    c d")


def test_what_a_waiver_does_is_not_known_of_a_broken_stack(gpufleet: Gpufleet) -> None:
    write(gpufleet, region="estus")
    _waive(gpufleet, _OVER)
    (found,) = gpufleet("waivers", "--format", "json").document["waivers"]
    assert (found["status"], found["findings"]) == ("unknown", None)
    assert gpufleet("waivers", "--unused").out == "no waivers\n"
    done = gpufleet("waivers", "export", "lab")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: lab can't be judged, so nobody can say what its waivers cover\n")


def test_nothing_is_exported_where_the_rules_could_not_be_asked(
    gpufleet: Gpufleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev.json").write_text('{"COST02": "advisory"}')
    monkeypatch.setattr(configuration, "FOLDER", tmp_path)
    done = gpufleet("waivers", "export", "dev")
    assert (done.code, done.out) == (2, "")


def test_without_a_file_there_are_none(gpufleet: Gpufleet) -> None:
    assert (gpufleet("waivers").out, gpufleet("waivers").code) == ("no waivers\n", 0)
    done = gpufleet("waivers", "prdo")
    assert (done.code, done.out) == (6, "")
    assert done.err.startswith("error: no environment prdo: ")


def test_the_export_has_what_is_covered_now(gpufleet: Gpufleet) -> None:
    write(gpufleet, budget=1000)
    _waive(gpufleet, _OVER)
    done = gpufleet("waivers", "export", "lab")
    ((_, exception),) = done.document["exceptions"].items()
    assert exception["match"] == [
        {
            "policies": ["COST002"],
            "targets": ["urn:pulumi:lab::gpufleet::gpufleet:environment:Environment::lab"],
        }
    ]
    assert exception["reason"] == "ML-1, until 2026-12-31, up to 1,000,000; owner ml, approved by jane: r"
    _waive(gpufleet, {**_OVER, "bound": 10})
    assert gpufleet("waivers", "export", "lab").document == {}
