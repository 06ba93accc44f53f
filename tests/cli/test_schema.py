from __future__ import annotations

import json
import pathlib

from typer.testing import CliRunner

from gpufleet.cli.app import app
from gpufleet.spec.json_schema import stack_file_schema


def test_it_prints_the_schema() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(stack_file_schema()))
    assert result.stderr == ""


def test_it_writes_the_schema_to_a_file(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "schema.json"
    result = CliRunner().invoke(app, ["schema", "--output", str(file)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(file.read_text())["$id"] == "urn:gpufleet:stack-file"
