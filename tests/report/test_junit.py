"""JUnit XML against the schema of Jenkins' xUnit plugin."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import xmlschema

from gpufleet.check import Level, Report, Verdict
from gpufleet.check.finding import Since
from gpufleet.errors import ExitCode
from gpufleet.report.junit import junit
from tests.report.samples import NASTY, WAIVER, finding, passing, pull_request, report

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / "junit-10.xsd"))


def suites(*reports: Report) -> list[ET.Element]:
    text = junit(reports)
    SCHEMA.validate(text)
    return list(ET.fromstring(text.partition("\n")[2]))


def case(*reports: Report, rule: str = "SCALE002") -> ET.Element:
    (found,) = [case for suite in suites(*reports) for case in suite if case.attrib["name"].startswith(f"{rule}: ")]
    return found


def test_each_environment_is_a_suite_and_each_rule_a_case() -> None:
    pull, frontier = suites(pull_request(), passing("frontier"))
    assert (pull.attrib["name"], pull.attrib["file"]) == ("gpufleet check prod", "stacks/Pulumi.prod.yaml")
    assert {key: pull.attrib[key] for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "0",
        "skipped": "2",
    }
    assert [one.attrib["name"].partition(":")[0] for one in frontier] == ["SCALE002", "plan", "spec"]
    assert {one.attrib["classname"] for one in frontier} == {"gpufleet.frontier"}
    assert not any(len(one) for one in frontier)


def test_a_failure_has_message_place_and_fix() -> None:
    (failure,) = case(report(finding(4), finding(5, Level.WARNING)))[:1]
    assert (failure.tag, failure.attrib["type"]) == ("failure", "fail")
    assert failure.attrib["message"].endswith("h100 may grow to 132 nodes, and an InfiniBand domain has at most 100")
    lines = (failure.text or "").splitlines()
    assert lines[0].startswith("stacks/Pulumi.prod.yaml:5:3: error: training[0].pools[4].nodes.max: h100 may grow ")
    assert lines[1] == "Fix: Give the fabric more pools."
    output = case(report(finding(4), finding(5, Level.WARNING))).findtext("system-out") or ""
    assert output.startswith("stacks/Pulumi.prod.yaml:6:3: warning: ")


def test_what_nobody_can_tell_and_what_raised_are_errors_where_they_fail() -> None:
    open_ = finding(verdict=Verdict.UNDECIDED, code=ExitCode.UNDECIDED)
    assert [child.tag for child in case(report(open_))] == ["error"]
    raised = finding(code=ExitCode.ERROR, trace="Traceback …")
    (error,) = case(report(finding(1), raised))
    assert error.tag == "error"
    assert "Traceback …" in (error.text or "")
    lenient = finding(level=Level.WARNING, verdict=Verdict.UNDECIDED)
    assert [child.tag for child in case(report(lenient))] == ["system-out"]


def test_what_is_waived_disabled_or_not_applicable_is_skipped_with_the_reason() -> None:
    waived = case(report(finding(waiver=WAIVER)))
    assert [child.tag for child in waived] == ["skipped", "system-out"]
    assert "approved by sre-lead" in (waived.findtext("system-out") or "")
    for rule, reason in (
        ("COST005", "turned off by the environment's configuration of the rules"),
        ("SCALE009", "there is nothing to judge"),
    ):
        (skipped,) = case(pull_request(), rule=rule)
        assert (skipped.tag, skipped.attrib["message"]) == ("skipped", reason)


def test_what_the_base_has_too_passes_and_is_said() -> None:
    (output,) = case(report(finding(since=Since.EXISTING)))
    assert output.tag == "system-out"
    assert "Against the base: existing" in (output.text or "")


def test_any_text_may_stand_in_it() -> None:
    nasty = finding(key=NASTY, message=NASTY, fix=NASTY, rule="spec")
    found = case(report(nasty, environment=NASTY), rule="spec")
    assert "\x07" not in (found.findtext("failure") or "")
    assert "</script>" in found.find("failure").attrib["message"]  # type: ignore[union-attr]
