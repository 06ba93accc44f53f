"""SARIF against the published schema, and what code scanning makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gpufleet.check import Finding, Level, Place, Report
from gpufleet.report.places import ROOT
from gpufleet.report.sarif import sarif
from tests.report.samples import NASTY, WAIVER, finding, passing, pull_request, report

SCHEMA: Any = json.loads((Path(__file__).parent / "schemas/sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))


def log(*reports: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sarif(reports))
    jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER).validate(found)
    return found


def results(*reports: Report) -> list[Any]:
    return [result for run in log(*reports)["runs"] for result in run["results"]]


def test_each_environment_is_a_run_of_its_own_category() -> None:
    runs = log(pull_request(), passing("frontier"))["runs"]
    assert [run["automationDetails"]["id"] for run in runs] == ["gpufleet/prod/", "gpufleet/frontier/"]
    assert [run["invocations"][0]["exitCode"] for run in runs] == [5, 0]
    assert runs[1]["results"] == []


def test_levels_baseline_and_suppressions() -> None:
    found = results(pull_request())
    assert [(one["ruleId"], one["level"], one["baselineState"]) for one in found] == [
        ("SCALE002", "error", "updated"),
        ("SCALE002", "warning", "new"),
        ("SCALE012", "error", "new"),
        ("SCALE002", "error", "unchanged"),
        ("SCALE002", "error", "unchanged"),
        ("SCALE002", "error", "absent"),
    ]
    assert [len(one["suppressions"]) for one in found] == [0, 0, 0, 0, 1, 0]
    (suppression,) = found[4]["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"].startswith("Waived up to 128 until 2026-12-24: support raised the limit, ")
    assert suppression["location"]["physicalLocation"]["artifactLocation"]["uri"] == "stacks/waivers.yaml"
    assert suppression["location"]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 3}
    assert "baselineState" not in results(report(finding()))[0]


def test_a_result_points_into_the_stack_file() -> None:
    (result,) = results(report(finding(4)))
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "stacks/Pulumi.prod.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 5, "startColumn": 3},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "prod/training/frontier/pools/p4"}]
    assert result["message"]["text"] == (
        "training[0].pools[4].nodes.max: h100 may grow to 132 nodes, and an InfiniBand domain has at most 100."
        " Give the fabric more pools."
    )


@pytest.mark.parametrize(
    ("file", "artifact"),
    [
        (str(ROOT / "stacks/a b.yaml"), {"uri": "stacks/a%20b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("/elsewhere/x y.yaml", {"uri": "file:///elsewhere/x%20y.yaml"}),
        ("../x.yaml", {"uri": "../x.yaml"}),
    ],
)
def test_files_are_named_from_the_root_of_the_checkout(file: str, artifact: dict[str, str]) -> None:
    (result,) = results(report(finding(place=Place(file=file))))
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": artifact}


def test_a_finding_without_a_place_is_about_its_stack_file() -> None:
    (result,) = results(report(finding(place=None)))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "stacks/Pulumi.prod.yaml"


def prints(*findings: Finding, environment: str = "prod") -> list[str]:
    return [
        one["partialFingerprints"]["primaryLocationLineHash"]
        for one in results(report(*findings, environment=environment))
    ]


def test_the_fingerprint_stays_when_lines_numbers_and_levels_change() -> None:
    plain = finding(1)
    moved = replace(plain, place=Place(file="other.yaml", line=99), message="another", level=Level.NOTE, waiver=WAIVER)
    assert prints(plain) == prints(moved) == ["6a43c212a6537ac6baf26e9a9c455194"]
    others = [replace(plain, rule="SCALE003"), replace(plain, label="x"), replace(plain, key="y")]
    assert len({*prints(plain, *others), *prints(plain, environment="dev")}) == 5
    assert len(set(prints(plain, plain))) == 2


def test_rules_explain_themselves() -> None:
    (run,) = log(pull_request())["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    scale = rules["SCALE002"]
    assert scale["shortDescription"]["text"] == (
        "A pool with InfiniBand has at most 100 nodes, or what a support request has raised that to."
    )
    assert "**Fix.** Give the fabric more pools" in scale["help"]["markdown"]
    assert "**Source.** azure-compute-docs setup-infiniband" in scale["help"]["markdown"]
    assert scale["properties"] == {"problem.severity": "error", "severity": "high", "tags": ["scaling"]}
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules.values())
    assert [list(rules)[one["ruleIndex"]] for one in run["results"]] == [one["ruleId"] for one in run["results"]]


def test_any_text_may_stand_in_it() -> None:
    nasty = finding(key=NASTY, message=NASTY, fix=NASTY, label=NASTY, rule="spec")
    (result,) = results(report(nasty, environment=NASTY))
    assert NASTY in result["message"]["text"]
