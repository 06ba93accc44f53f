"""More than 500 broken stack files through the command line: each is refused with its place and cause."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import typer
import yaml

from gpufleet.cli import app
from gpufleet.engine import project
from tests.spec.broken_files import ROOT, SCHEMA, SECRET, STACKS, Broken, all_broken

_LINE = re.compile(
    r"stacks/Pulumi\.broken\.yaml:(?P<line>\d+):(?P<column>\d+): (?P<severity>error|warning): (?P<text>\S.*[.?\]])"
)
_LAST = re.compile(r"\d+ errors?(, \d+ warnings?)?")
_REST = re.compile(r"stacks/Pulumi\.broken\.yaml: warning: \d+ more problems are not shown\.")
_MOST_OUTPUT = 100_000


class _AcceptedError(Exception):
    """The file was found good, so the engine would be next."""


def _engine(*_: object, **__: object) -> None:
    raise _AcceptedError


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stacks").mkdir()
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setattr("gpufleet.engine.stack.EnvironmentStack", _engine)
    # Typer builds the whole command line anew for every call, which takes longer than to refuse a file.
    monkeypatch.setattr(app, "app", typer.main.get_command(app.app))
    monkeypatch.setattr(sys, "argv", ["gpufleet", "preview", "broken", "--sandbox"])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path / "stacks"


def test_there_are_500() -> None:
    assert sum(broken.harmless is not True for stack in STACKS for broken in all_broken(stack)) >= 500


@pytest.mark.parametrize(
    "stack", [pytest.param(stack, marks=() if stack == "prod" else pytest.mark.soak) for stack in STACKS]
)
def test_broken_files(stack: str, stacks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults: list[str] = []
    refused = 0
    for broken in all_broken(stack):
        (stacks / "Pulumi.broken.yaml").write_bytes(broken.content)
        with pytest.raises(SystemExit) as leaving:
            app.main()
        out, err = capsys.readouterr()
        if leaving.value.code == 2:
            refused += 1
            faults += [f"{broken.name}: {fault}" for fault in _faults_of_refusal(broken, out, err)]
        elif leaving.value.code != 1 or "_AcceptedError" not in err:
            faults.append(f"{broken.name}: exit {leaving.value.code}: {err[:300]}")
        elif (fault := _fault_of_acceptance(broken, stack)) is not None:
            faults.append(f"{broken.name}: accepted: {fault}")
    assert not faults, "\n".join(faults)
    assert refused >= 125


def _faults_of_refusal(broken: Broken, out: str, err: str) -> list[str]:
    faults = []
    if broken.harmless:
        faults.append(f"refused, but it says the same: {err[:300]}")
    if out or SECRET in err or "Traceback" in err or len(err) > _MOST_OUTPUT:
        faults.append(f"out={out[:50]!r}, {len(err)} characters: {err[:300]!r}")
    *lines, last = err.splitlines()
    end = (
        len(re.split(rb"\r\n|\r|\n", broken.content))
        if not broken.content.startswith((b"\xff\xfe", b"\xfe\xff"))
        else 1
    )
    if not lines or not _LAST.fullmatch(last):
        faults.append(f"no summary: {err[-300:]!r}")
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None and not _REST.fullmatch(line):
            faults.append(f"not of the form: {line[:300]!r}")
        elif match is not None and not 1 <= int(match["line"]) <= end:
            faults.append(f"line {match['line']} of {end}: {line[:300]!r}")
        if not line.isprintable():
            faults.append(f"control characters: {line[:300]!r}")
    return faults


def _fault_of_acceptance(broken: Broken, stack: str) -> str | None:
    """Why a file that was accepted should not have been: PyYAML and the JSON Schema judge, not our own reader."""
    if broken.harmless is False:
        return "it can't be valid"
    before = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    text = broken.content.decode("utf-8-sig")
    try:
        after = yaml.safe_load(text)
    except yaml.YAMLError:
        after = yaml.safe_load(text.replace("\t", " "))  # PyYAML takes no tab for a space, YAML 1.2 and yaml.v3 do
    if after["config"]["gpufleet:environment"] == before["config"]["gpufleet:environment"]:
        return None
    if broken.harmless:
        return "another environment than before"
    try:
        jsonschema.validate(json.loads(json.dumps(after, default=str)), SCHEMA)
    except jsonschema.ValidationError as error:
        return f"JSON Schema: {error.message[:200]}"
    return None


_PROCESSES = (
    "10 MB of comment",
    "a billion laughs",
    "10,000 brackets",
    "10,000 dashes",
    "UTF-16",
    "NULs",
    "a line of 200,000",
    "two documents",
    "500 unknown keys",
    "a secret as wrong type",
    "empty",
    "tabs for indentation",
)


@pytest.mark.parametrize("name", _PROCESSES)
def test_broken_files_in_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    broken = next(each for each in all_broken("dev") if each.name == f"dev: {name}")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.broken.yaml").write_bytes(broken.content)
    (tmp_path / "Pulumi.yaml").write_text("name: gpufleet\nruntime: python\nstackConfigDir: stacks\n")
    start = (
        "import pathlib, sys\n"
        "from gpufleet.engine import project\n"
        "project.ROOT = pathlib.Path(sys.argv.pop())\n"
        "from gpufleet.cli.app import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", start, "preview", "broken", "--sandbox", str(tmp_path)]
    environment = {
        **os.environ,
        "GPUFLEET_SANDBOX_HOME": str(tmp_path / "home"),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=_limits,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 2, done.stderr[-500:]
    assert _faults_of_refusal(broken, done.stdout, done.stderr) == []
    assert not (tmp_path / "home").exists()


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
