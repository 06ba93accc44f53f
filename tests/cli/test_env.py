from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpufleet.cli.env import ShellFormat, render
from gpufleet.engine.sandbox_home import Environment

GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")
NASTY = 'it\'s $HOME `x` "y" \\ a b'
CHANGES = Environment(variables={"PATH": "/a b:/c", "V": NASTY}, unset=("ARM_CLIENT_ID",))


def test_sh_lines_survive_every_character():
    lines = render(CHANGES, ShellFormat.SH)
    assert lines.splitlines()[0] == "unset ARM_CLIENT_ID"
    script = f"ARM_CLIENT_ID=x; export ARM_CLIENT_ID\n{lines}\n/usr/bin/env -0"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={})
    after = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
    assert (after["V"], after["PATH"]) == (NASTY, "/a b:/c")
    assert "ARM_CLIENT_ID" not in after


def test_fish_powershell_and_json():
    assert render(CHANGES, ShellFormat.FISH).splitlines() == [
        "set --erase ARM_CLIENT_ID;",
        "set --export --global PATH '/a b' '/c';",
        "set --export --global V 'it\\'s $HOME `x` \"y\" \\\\ a b';",
    ]
    assert render(CHANGES, ShellFormat.POWERSHELL).splitlines() == [
        "Remove-Item Env:ARM_CLIENT_ID -ErrorAction SilentlyContinue",
        "$Env:PATH = '/a b:/c'",
        "$Env:V = 'it''s $HOME `x` \"y\" \\ a b'",
    ]
    assert json.loads(render(CHANGES, ShellFormat.JSON)) == {
        "set": {"PATH": "/a b:/c", "V": NASTY},
        "unset": ["ARM_CLIENT_ID"],
    }


def gpufleet(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GPUFLEET, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.mark.engine
def test_after_eval_plain_pulumi_sees_the_stacks_of_all_environments(tmp_path: Path):
    home = {"GPUFLEET_SANDBOX_HOME": str(tmp_path / "sand box"), "ARM_CLIENT_ID": "real"}
    done = gpufleet("env", "dev", "--sandbox", **home)
    assert (done.returncode, done.stderr) == (0, "")
    script = f'{done.stdout}\necho "$ARM_CLIENT_ID"; pulumi stack ls --json; pulumi stack output --json'
    shell = subprocess.run(
        ["/bin/sh", "-ec", script], capture_output=True, text=True, check=True, env={**os.environ, **home}
    )
    first, rest = shell.stdout.split("\n", 1)
    assert first == ""
    listed, end = json.JSONDecoder().raw_decode(rest)
    assert {stack["name"] for stack in listed} == {"dev", "staging", "prod", "frontier"}
    assert json.loads(rest[end:]) == {}
    assert shell.stderr == ""


@pytest.mark.engine
def test_without_sandbox_the_lines_lead_back_out(tmp_path: Path):
    inside = {
        "GPUFLEET_SANDBOX_CLOUD": str(tmp_path),
        "PULUMI_HOME": "x",
        "PULUMI_BACKEND_URL": "x",
        "PULUMI_CONFIG_PASSPHRASE_FILE": "x",
    }
    done = gpufleet("env", "prod", "--format", "json", **inside)
    changes = json.loads(done.stdout)
    assert sorted(changes["unset"]) == sorted(inside)
    assert sorted(changes["set"]) == ["PATH", "PULUMI_PARALLEL", "PULUMI_STACK", "VIRTUAL_ENV"]
    assert changes["set"]["PULUMI_STACK"] == "prod"


def test_no_such_environment_names_the_nearest_and_prints_no_lines():
    done = gpufleet("env", "prd", "--sandbox")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("error: no environment prd: there is no stacks/Pulumi.prd.yaml. Did you mean prod?\n")


def test_path_puts_the_engine_and_gpufleet_first():
    done = gpufleet("env", "dev", "--format", "json")
    folders = json.loads(done.stdout)["set"]["PATH"].split(":")
    assert folders[1] == str(Path(sys.prefix) / "bin")
    assert shutil.which("pulumi", path=folders[0]) is not None
    assert len(shlex.split(done.stderr)) == 0
