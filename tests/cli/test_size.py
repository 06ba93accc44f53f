from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gpufleet.cli import app
from gpufleet.engine import project
from gpufleet.sizing.advice import SERVING_RULES, TRAINING_RULES

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]


def schema(kind: str) -> Any:  # noqa: ANN401 - whatever the schema says
    return json.loads((ROOT / "docs" / "schemas" / f"{kind}.v1.json").read_text())


def validate(document: object, kind: str) -> None:
    """Against the published schema, with no field that it doesn't name."""
    strict = json.loads(json.dumps(schema(kind)), object_hook=_closed)
    jsonschema.Draft202012Validator.check_schema(strict)
    jsonschema.Draft202012Validator(strict).validate(document)


def _closed(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "additionalProperties": False} if isinstance(part.get("properties"), dict) else part


@pytest.fixture
def gpufleet(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process; (exit code, stdout, stderr), as file descriptors saw them."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gpufleet", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def sized() -> str:
    """prod with the nodes that `size` proposes, by region; the committed one holds some more."""
    text = (ROOT / "stacks" / "Pulumi.prod.yaml").read_text()
    for pool, most in (("nc", (11, 11, 11)), ("code", (2, 2, 1))):
        head, *regions = re.split(rf"(?<=name: {pool}, )", text)
        assert len(regions) == len(most)
        text = head + "".join(
            re.sub(r" max: \d+", f" max: {nodes}", one, count=1) for nodes, one in zip(most, regions, strict=True)
        )
    return text


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """prod as it is sized, but with a node too few in the first two regions, in a checkout of its own."""
    (tmp_path / "stacks").mkdir()
    stack = tmp_path / "stacks" / "Pulumi.prod.yaml"
    stack.write_text(sized().replace("min: 2, max: 11", "min: 2, max: 10", 2))
    monkeypatch.setattr(project, "ROOT", tmp_path)
    return stack


@pytest.mark.usefixtures("short")
def test_the_proposal_for_people(gpufleet: Run) -> None:
    code, out, err = gpufleet("size", "prod")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "prod: 0 objections, 2 changes proposed."
    assert lines[1] == "  > inference.regions[0].pools[0].nodes.max: 11: serves chat-70b at 26,673 tokens/s."
    assert "--- a/stacks/Pulumi.prod.yaml" in lines
    assert lines[-1] == "Formulas, inputs and sources: gpufleet explain sizing prod"


def test_the_patch_goes_through_git_and_is_stable(gpufleet: Run, short: Path) -> None:
    code, out, err = gpufleet("size", "prod", "--format", "patch")
    assert (code, err) == (0, "")
    folder = short.parents[1]
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "apply"], cwd=folder, input=out.encode(), check=True)
    assert short.read_text() == sized()
    assert gpufleet("size", "prod", "--format", "patch") == (0, "", "")
    assert gpufleet("size", "prod")[1].startswith("prod: what is declared carries what is asked; nothing to change.")


@pytest.mark.usefixtures("short")
def test_the_proposal_for_programs(gpufleet: Run, tmp_path: Path) -> None:
    file = tmp_path / "size.json"
    code, out, err = gpufleet("size", "prod", "--format", "json", "--output", str(file))
    assert (code, out, err) == (0, "", "")
    document = json.loads(file.read_text())
    validate(document, "size")
    assert (document["schemaVersion"], document["kind"], document["environment"]) == (1, "size", "prod")
    assert [one["title"] for one in document["advice"]] == ["training fabric frontier", "inference"]
    assert document["advice"][1]["changes"][0] == {
        "key": "inference.regions[0].pools[0].nodes.max",
        "value": 11,
        "why": "serves chat-70b at 26,673 tokens/s",
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--days", "nan"), "--days is nan: it must be above 0"),
        (("--days", "-1"), "--days is -1"),
        (("--days", "0.001"), "training fabric frontier: "),
        (("--seconds", "0"), "--seconds is 0"),
        (("--spot-share", "101"), "--spot-share is 101: it must be from 0 to 100"),
        (("--spot-share", "nan"), "--spot-share is nan"),
        (("--quota", "eastus"), "--quota eastus: not in the form REGION:FAMILY=VCPUS"),
        (("--quota", "estus:total=1"), "--quota estus:total=1: no Azure region estus"),
        (("--quota", "EastUS:total=1"), "Did you mean eastus?"),
        (("--seconds", "1e-9"), "Allow more time, or give fewer regions or sizes."),
        (("--quota", "eastus:H100=1"), "--quota eastus:H100=1: no quota family H100"),
        (("--max-regions", "1"), "1 more than the 1 regions allowed"),
        (("--quota", "eastus:total=0", "--quota", "japaneast:total=0"), "vCPUs more quota of total in"),
    ],
)
def test_what_can_not_be_sized_is_exit_code_2(gpufleet: Run, options: tuple[str, ...], told: str) -> None:
    code, out, err = gpufleet("size", "prod", *options)
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


def test_an_unknown_environment(gpufleet: Run) -> None:
    code, _, err = gpufleet("size", "prd")
    assert code == 6
    assert "Did you mean prod?" in err
    code, _, err = gpufleet("size", "")
    assert (code, err.splitlines()[0]) == (2, "error: no environment is named")


def test_a_file_with_mistakes(gpufleet: Run, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text("config:\n  gpufleet:environment: {class: nope}\n")
    code, _, err = gpufleet("size", "--stack-file", str(file))
    assert code == 2
    assert f"{file}:2:" in err


def test_explain_says_where_figures_come_from(gpufleet: Run) -> None:
    code, out, _ = gpufleet("explain", "sizing", "prod")
    assert code == 0
    assert "  = 24 / (nodes · r)  [arXiv 2410.21680]" in out.splitlines()
    assert "    R = 300 s  [assumed: default training.restart_seconds: " in out


def test_explain_without_an_environment_shows_published_numbers(gpufleet: Run) -> None:
    code, out, _ = gpufleet("explain", "sizing", "--format", "json")
    assert code == 0
    document = json.loads(out)
    validate(document, "explain")
    assert (document["kind"], document["topic"], document["environment"]) == ("explain", "sizing", None)
    assert document["parts"][0]["figures"][0]["value"] == 419


@pytest.mark.parametrize("environment", ["dev", "staging", "prod", "frontier"])
def test_documents_of_the_committed_stacks_fit_their_schemas(gpufleet: Run, environment: str) -> None:
    code, out, _ = gpufleet("size", environment, "--any-size", "--spot-share", "20", "--format", "json")
    assert code == 0
    validate(json.loads(out), "size")
    code, out, _ = gpufleet("explain", "sizing", environment, "--format", "json")
    assert code == 0
    document = json.loads(out)
    validate(document, "explain")
    assert document["environment"] == environment
    assert [change for part in document["parts"] for change in part["changes"]] == []


def test_objections_fit_the_schemas(gpufleet: Run, short: Path) -> None:
    short.write_text(short.read_text().replace("demandTokensPerSecond: 60000", "demandTokensPerSecond: 600000"))
    code, out, _ = gpufleet("explain", "sizing", "--stack-file", str(short), "--format", "json")
    assert code == 0
    document = json.loads(out)
    validate(document, "explain")
    assert document["environment"] == "prod"
    assert [one["rule"] for one in document["parts"][1]["objections"]] == ["demand"]


def test_the_schemas_stand_alone_and_say_the_same() -> None:
    size, explain = schema("size"), schema("explain")
    assert size["$defs"].items() <= explain["$defs"].items()
    assert size["$defs"]["objection"]["properties"]["rule"]["enum"] == [*TRAINING_RULES, *SERVING_RULES]


def test_explain_knows_its_topics(gpufleet: Run) -> None:
    code, _, err = gpufleet("explain", "sizin")
    assert (code, err.splitlines()) == (2, ["error: nothing to explain is called sizin", "Did you mean sizing?"])
