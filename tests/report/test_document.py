"""The JSON document against its schema, and that it says all there is."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from gpufleet.check import Level, Report
from gpufleet.check.rule_findings import WaiverUse
from gpufleet.report.document import document, json_text
from policies.waivers import Kind
from tests.report.samples import NASTY, ROOT, WAIVER, finding, passing, pull_request, report

SCHEMA: Any = json.loads((ROOT / "docs/schemas/check.v1.json").read_text(encoding="utf-8"))
PULL_REQUEST: Any = document(pull_request())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert "http" not in json.dumps(SCHEMA["$defs"])


@pytest.mark.parametrize(
    "made", [pull_request(), passing("prod"), passing("frontier"), report(), report(finding(key=NASTY, message=NASTY))]
)
def test_every_report_keeps_to_it(made: Report) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json_text([made], several=False)))
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json_text([made, made], several=True)))


def test_a_list_is_for_whoever_asked_for_several() -> None:
    assert isinstance(json.loads(json_text([report()], several=True)), list)
    assert isinstance(json.loads(json_text([report()], several=False)), dict)


def test_every_rule_has_its_verdict() -> None:
    assert {one["id"]: one["verdict"] for one in PULL_REQUEST["rules"]} == {
        "COST005": "disabled",
        "PLAT001": "pass",
        "SCALE002": "fail",
        "SCALE009": "not-applicable",
        "SCALE012": "fail",
        "plan": "pass",
        "spec": "pass",
    }


def test_a_note_breaks_no_step() -> None:
    noted: Any = document(report(finding(level=Level.NOTE, rule="spec", severity=None), passed=("plan", "spec")))
    assert {one["id"]: one["verdict"] for one in noted["rules"]} == {"plan": "pass", "spec": "pass"}
    expiring: Any = document(report(finding(level=Level.NOTE, rule="waivers", severity=None)))
    assert {one["id"]: one["verdict"] for one in expiring["rules"]} == {"waivers": "pass"}


def test_a_finding_says_what_it_is_and_what_became_of_it() -> None:
    waived = PULL_REQUEST["findings"][4]
    assert (waived["rule"], waived["severity"], waived["rule_severity"]) == ("SCALE002", "error", "high")
    assert (waived["label"], waived["measure"], waived["amount"]) == ("training/frontier/pools/p23", "maxNodes", "151")
    assert (waived["since"], waived["fails"], waived["expired"]) == ("existing", False, False)
    assert waived["waiver"] == {
        "resource": "training/frontier/pools/h100",
        "reason": "support raised the limit, until the ticket is closed",
        "owner": "ml-platform",
        "ticket": "INC-42",
        "approved_by": "sre-lead",
        "expires": "2026-12-24",
        "bound": "128",
        "location": {"file": "stacks/waivers.yaml", "line": 3, "column": 3},
    }


def test_what_every_waiver_does_is_there() -> None:
    use = WaiverUse(
        waiver=WAIVER, findings=2, covered=1, amount=Decimal(151), resources=("urn:x",), remark=Kind.EXPIRING
    )
    made: Any = document(report(waivers=(use,)))
    jsonschema.Draft202012Validator(SCHEMA).validate(made)
    (found,) = made["waivers"]
    assert (found["rule"], found["resource"], found["bound"]) == ("SCALE002", "training/frontier/pools/h100", "128")
    assert (found["findings"], found["covered"], found["amount"]) == (2, 1, "151")
    assert (found["resources"], found["remark"]) == (["urn:x"], "expiring")
    unused: Any = document(report(waivers=(replace(use, findings=0, amount=None, remark=None),)))
    jsonschema.Draft202012Validator(SCHEMA).validate(unused)
    assert (unused["waivers"][0]["amount"], unused["waivers"][0]["remark"]) == (None, None)


def test_the_base_is_beside_it() -> None:
    compared = PULL_REQUEST["comparison"]
    cost = compared["cost"]
    assert [one["label"] for one in compared["fixed"]] == ["training/frontier/pools/p24"]
    assert (compared["base"], cost["ceiling"]["monthly"]) == ("main (1a2b3c4)", "282659.77")
    assert (cost["before"]["ceiling"]["monthly"], cost["after"]["ceiling"]["monthly"]) == ("5410375.42", "5693035.19")


def test_inputs_prices_and_tools_are_named() -> None:
    assert PULL_REQUEST["inputs"] == [
        {"file": "stacks/Pulumi.prod.yaml", "sha256": "a" * 64},
        {"file": "stacks/waivers.yaml", "sha256": None},
    ]
    assert PULL_REQUEST["cost"]["price_date"]["newest"] == "2026-06-18"
    assert {one["name"] for one in PULL_REQUEST["tool_versions"]} >= {"gpufleet", "python", "pulumi-azure-native"}
