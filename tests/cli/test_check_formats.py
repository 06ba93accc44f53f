"""`gpufleet check --format`: every form from the command line, of one environment and of several."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gpufleet.report.form import ReportFormat
from tests.cli.command_line import Gpufleet

_BEGINS = {
    ReportFormat.TEXT: "dev  PASS: ",
    ReportFormat.MARKDOWN: "<!-- gpufleet:check:dev -->\n## ✅ dev: PASS",
    ReportFormat.JSON: '{\n  "schema_version": 1,\n  "kind": "check",\n  "environment": "dev",',
    ReportFormat.SARIF: '{\n  "$schema": "https://docs.oasis-open.org/sarif/',
    ReportFormat.JUNIT: '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="gpufleet check"',
    ReportFormat.HTML: '<!doctype html>\n<html lang="en">',
}


def test_each_begins_as_its_readers_expect_and_people_get_the_verdict(gpufleet: Gpufleet) -> None:
    for form, begin in _BEGINS.items():
        done = gpufleet("check", "dev", "--format", form.value)
        assert done.out.startswith(begin), form
        assert done.code == 0
        assert ("dev  PASS" in done.err) == (form is not ReportFormat.TEXT)


def test_annotations_name_the_line(gpufleet: Gpufleet) -> None:
    path = gpufleet.folder / "stacks" / "Pulumi.dev.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    (number,) = [number for number, line in enumerate(lines, start=1) if line.strip().startswith("class:")]
    path.write_text(path.read_text(encoding="utf-8").replace("class: ", "class: no-such-"), encoding="utf-8")
    hub = gpufleet("check", "dev", "--format", "github")
    assert hub.out.startswith(f"::error file=stacks/Pulumi.dev.yaml,line={number},col=12,title=spec in dev::class: ")
    pipeline = gpufleet("check", "dev", "--format", "azure-devops")
    assert pipeline.out.startswith(
        f"##vso[task.logissue type=error;sourcepath=stacks/Pulumi.dev.yaml;linenumber={number};"
    )
    assert (hub.code, pipeline.code) == (2, 2)


def test_several_environments_are_one_document(gpufleet: Gpufleet, tmp_path: Path) -> None:
    def document(form: str) -> str:
        output = tmp_path / form
        assert gpufleet("check", "dev", "prod", "--format", form, "--output", output).code == 0
        return output.read_text(encoding="utf-8")

    assert [run["automationDetails"]["id"] for run in json.loads(document("sarif"))["runs"]] == [
        "gpufleet/dev/",
        "gpufleet/prod/",
    ]
    assert [suite.attrib["name"] for suite in ET.fromstring(document("junit").partition("\n")[2])] == [
        "gpufleet check dev",
        "gpufleet check prod",
    ]
    assert document("markdown").startswith(
        "<!-- gpufleet:check:several -->\n## ✅ gpufleet check: all 2 environments pass"
    )
    assert document("html").count("<section ") == 2


def test_the_size_of_markdown(gpufleet: Gpufleet) -> None:
    done = gpufleet("check", "dev", "--format", "markdown", "--max-bytes", "2000")
    assert len(done.out.encode()) <= 2000
    assert "Cut to size" in done.out


@pytest.mark.parametrize("size", ["1999", "0", "-1", "many"])
def test_a_size_that_no_summary_fits_is_a_mistake(gpufleet: Gpufleet, size: str) -> None:
    done = gpufleet("check", "dev", "--format", "markdown", "--max-bytes", size)
    assert done.code == 2
    assert "--max-bytes" in done.err
