"""`gpufleet explain` of rules: the same text that docs/rules.md is made from."""

from __future__ import annotations

import json

import pytest

from policies.catalogue import rules
from tests.cli.command_line import Gpufleet
from tests.cli.conftest import SOURCE
from tests.cli.test_size import validate


@pytest.mark.parametrize("topic", ["COST002", "cost002", "Cost002"])
def test_a_rule_is_explained_whatever_its_case(gpufleet: Gpufleet, topic: str) -> None:
    done = gpufleet("explain", topic)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "COST002: What the environment may cost in the longest month is within its budget."
    assert "Pack        cost, severity critical, mandatory unless configured otherwise" in lines
    assert "Waivable    yes, with a bound in overBudgetUsd" in lines
    assert "  fail            one cent more than the budget" in lines
    assert "                  budget.monthlyUsd: 1175912.22" in lines
    assert max(map(len, lines)) <= 100


def test_the_longest_verdict_does_not_touch_its_example(gpufleet: Gpufleet) -> None:
    lines = gpufleet("explain", "COST006").out.splitlines()
    (line,) = [line for line in lines if line.startswith("  not-applicable")]
    assert line == "  not-applicable  no spot pool"


def test_all_rules_are_one_line_each(gpufleet: Gpufleet) -> None:
    lines = gpufleet("explain", "rules").out.splitlines()
    assert lines[0].split() == ["RULE", "PACK", "SEVERITY", "ENFORCEMENT", "WHAT", "MUST", "HOLD"]
    assert [line.split()[0] for line in lines[1:]] == [rule.id for rule in rules()]


def test_every_rule_can_be_explained(gpufleet: Gpufleet) -> None:
    document = gpufleet("explain", "rules", "--format", "json").document
    validate(document, "explain")
    assert (document["topic"], document["environment"]) == ("rules", None)
    assert [one["id"] for one in document["rules"]] == [rule.id for rule in rules()]


def test_an_environment_shows_what_is_configured_there(gpufleet: Gpufleet) -> None:
    gpufleet.stack("frontier", (SOURCE / "stacks" / "Pulumi.frontier.yaml").read_text(encoding="utf-8"))
    document = gpufleet("explain", "COST011", "frontier", "--format", "json").document
    validate(document, "explain")
    (one,) = document["rules"]
    assert (document["topic"], document["environment"], one["measure"]) == ("COST011", "frontier", "idleUsdPerHour")
    (setting,) = one["settings"]
    assert (setting["name"], setting["value"], setting["default"]) == ("maxUsdPerHour", 1300000, 2000)
    text = gpufleet("explain", "COST011", "frontier").out
    assert "  maxUsdPerHour = 1300000 (default 2000)\n" in text
    assert "mandatory in frontier" in text


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["COST02"], 2, "error: nothing to explain is called COST02\nDid you mean COST002?\n"),
        (["cots003"], 2, "error: nothing to explain is called cots003\nDid you mean COST003?\n"),
        (["rulse"], 2, "error: nothing to explain is called rulse\nDid you mean rules?\n"),
        (["zzz"], 2, "error: nothing to explain is called zzz\n`gpufleet explain rules` lists all rules; or sizing.\n"),
        (["COST002", "prdo"], 6, "error: no environment prdo: there is no stacks/Pulumi.prdo.yaml. "),
    ],
)
def test_what_there_is_not(gpufleet: Gpufleet, arguments: list[str], code: int, error: str) -> None:
    done = gpufleet("explain", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(error)


def test_completion_knows_every_rule_without_importing_one() -> None:
    from gpufleet.cli.explain import _complete_topic

    assert _complete_topic("") == ["sizing", "rules", *(rule.id for rule in rules())]
    assert _complete_topic("cost00") == [f"COST{number:03}" for number in range(1, 10)]
    assert _complete_topic("s")[0] == "sizing"


def test_examples_in_json_are_those_of_the_file(gpufleet: Gpufleet) -> None:
    document = json.loads(gpufleet("explain", "SCALE002", "--format", "json").out)
    failing = [case for case in document["rules"][0]["examples"] if case["verdict"] == "fail"]
    assert failing[0]["change"]["resource"]["set"] == {"maxCount": 101}
