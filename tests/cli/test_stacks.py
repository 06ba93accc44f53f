from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpufleet.cli.stacks import Row, _row, _table
from gpufleet.engine.backend import BackendStack

GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")


def test_the_table_says_what_is_there_and_what_is_wrong():
    backend = BackendStack(name="dev", resources=101, last_update="2026-11-21T09:40:31.123Z")
    rows = [
        Row(name="dev", environment_class="ephemeral", regions=("eastus", "westus3"), mistakes=0, backend=backend),
        Row(name="prod", environment_class="", regions=(), mistakes=1, backend=None),
    ]
    assert _table(rows).splitlines() == [
        "ENVIRONMENT  CLASS      RESOURCES  LAST UPDATE          REGIONS",
        "dev          ephemeral  101        2026-11-21T09:40:31  eastus, westus3",
        "prod         ?          -          never                1 mistake in the stack file",
    ]


def test_a_stack_file_with_mistakes_is_listed_with_their_number(tmp_path: Path):
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text("config:\n  gpufleet:environment: {class: nope}\n")
    row = _row("x", path, {})
    assert (row.environment_class, row.regions, row.backend) == ("", (), None)
    assert row.mistakes > 1


@pytest.mark.engine
def test_the_sandboxs_stacks(tmp_path: Path):
    environment = {**os.environ, "GPUFLEET_SANDBOX_HOME": str(tmp_path / "home")}
    command = [GPUFLEET, "stacks", "--sandbox", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    document = json.loads(done.stdout)
    assert (document["schemaVersion"], document["kind"], document["sandbox"]) == (1, "stacks", True)
    assert [stack["name"] for stack in document["stacks"]] == ["dev", "frontier", "prod", "staging"]
    assert all(stack["resources"] is None for stack in document["stacks"])
    assert document["stacks"][0]["class"] == "ephemeral"


@pytest.mark.engine
def test_without_a_login_the_checkout_is_shown_all_the_same(tmp_path: Path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    environment = {**kept, "PULUMI_HOME": str(tmp_path)}
    done = subprocess.run([GPUFLEET, "stacks"], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[1].split() == ["dev", "ephemeral", "-", "never", "eastus"]
    assert "note: the state backend cannot be listed: " in done.stderr
