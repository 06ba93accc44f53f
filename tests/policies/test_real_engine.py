"""Four ways to ask say the same of every rule: offline, the packs in a preview and an `up`, and an exported state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpufleet.engine.project import ROOT
from gpufleet.engine.sandbox_home import HOME_VARIABLE
from policies.catalogue import rules
from policies.configuration import LEVEL
from tests.policies.real_engine import Answer, Engine, committed, offline_answer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

BROKEN = Path(__file__).with_name("broken.yaml")
"""A stack that the sandbox makes, and that breaks many rules."""


def _asked(stack: str, file: Path, configured: dict[str, object], folder: Path) -> dict[str, Answer]:
    engine = Engine(stack, file, configured, folder)
    return {
        "offline": offline_answer(stack, file, configured),
        "preview": engine.preview(),
        "up": engine.up(),
        "analyze": engine.analyze(),
    }


def _all_agree(answers: dict[str, Answer]) -> None:
    expected = answers.pop("offline")
    for way, answer in answers.items():
        assert answer.findings == expected.findings, way
        assert answer.passed in (None, expected.passed), way
        assert not [one for one in answer.own if one.level == "mandatory"], (way, answer.own)


@pytest.mark.soak
@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "frontier"])
def test_a_committed_stack_passes_and_every_way_to_ask_agrees(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    file, configured = committed(stack)
    answers = _asked(stack, file, dict(configured), tmp_path)
    assert {way: answer.code for way, answer in answers.items()} == dict.fromkeys(answers, 0), answers
    assert answers["preview"].passed
    assert answers["up"].passed
    _all_agree(answers)


@pytest.mark.soak
def test_of_a_stack_that_breaks_many_rules_every_way_to_ask_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rules advise here: a mandatory one would end the `up` before there is a state to analyze."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    narrow = {"SCALE002": {"maxNodes": 2}, "SCALE006": {"maxGpus": 8}, "COST011": {"maxUsdPerHour": 1}}
    advisory = {rule.id: {LEVEL: "advisory", **narrow.get(rule.id, {})} for rule in rules()}
    answers = _asked("broken", BROKEN, dict(advisory), tmp_path)
    failed = {rule for rule, verdict, _, _ in answers["offline"].findings if verdict == "fail"}
    assert len(failed) >= 8, sorted(failed)
    assert answers["analyze"].code == 0, answers["analyze"].output
    _all_agree(answers)


def test_a_mandatory_rule_stops_the_preview_and_the_up_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    file, _ = committed("dev")
    engine = Engine("dev", file, {"SCALE002": {LEVEL: "mandatory", "maxNodes": 1}}, tmp_path)
    preview = engine.preview()
    assert preview.code != 0
    stopped = engine.up()
    assert stopped.code != 0
    for answer in (preview, stopped):
        ((rule, verdict, _, text),) = [one for one in answer.findings if one[0] == "SCALE002"]
        assert (rule, verdict) == ("SCALE002", "fail")
        assert "an InfiniBand domain has at most 1" in text
        assert "Decided at stacks/Pulumi.dev.yaml:" in answer.output
        assert "Traceback" not in answer.output
    assert "containerservice:AgentPool::lab-h100" not in engine.state()


_UNTAGGED = """
import sys
sys.path.insert(0, {root!r})
import pulumi
from components import program

def untag(args):
    if args.type_ == "azure-native:resources:ResourceGroup":
        args.props.pop("tags", None)
    return pulumi.ResourceTransformationResult(args.props, args.opts)

pulumi.runtime.register_stack_transformation(untag)
program.main()
"""


@pytest.mark.soak
def test_tags_that_a_program_forgets_are_added_where_the_configuration_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    project = tmp_path / "project"
    project.mkdir()
    settings = (ROOT / "Pulumi.yaml").read_text(encoding="utf-8")
    assert "virtualenv: .venv" in settings
    (project / "Pulumi.yaml").write_text(settings.replace("virtualenv: .venv", f"virtualenv: {ROOT / '.venv'}"))
    (project / "__main__.py").write_text(_UNTAGGED.format(root=str(ROOT)))
    (project / "stacks").mkdir()
    file, configured = committed("dev")

    refused = Engine("dev", file, configured, tmp_path, project=project).preview()
    assert refused.code != 0
    assert {urn.split("::")[2].split("$")[-1] for rule, _, urn, _ in refused.findings if rule == "COST008"} == {
        "azure-native:resources:ResourceGroup"
    }

    engine = Engine("dev", file, {**configured, "COST008": "remediate"}, tmp_path, project=project)
    done = engine.up()
    assert done.code == 0, done.output
    state = json.loads(engine.state())
    tags = [
        one["inputs"]["tags"]
        for one in state["deployment"]["resources"]
        if one["type"] == "azure-native:resources:ResourceGroup"
    ]
    assert len(tags) > 1
    assert all(one["environment"] == "dev" and one["managed-by"] == "gpufleet" for one in tags)
