"""docs/rules.md is what the rules say of themselves."""

from __future__ import annotations

import re

import pytest

from policies import documentation
from policies.catalogue import rule, rules
from policies.documentation import documented, plain
from policies.evaluate import Configured, Verdict
from policies.rule import AnyRule, Enforcement, Scope
from policies.rules.cost011_idle_floor import IdleFloorSettings


def test_the_page_is_up_to_date() -> None:
    written = documentation.PAGE.read_text(encoding="utf-8")
    assert written == documentation.page(rules()), "run `python -m policies.documentation`"


def test_every_rule_has_its_section_and_its_line() -> None:
    text = documentation.PAGE.read_text(encoding="utf-8")
    ids = [rule.id for rule in rules()]
    assert sorted(re.findall(r"^### (\w+)$", text, flags=re.MULTILINE)) == ids
    assert sorted(re.findall(r"^\| \[(\w+)\]\(#\w+\) \|", text, flags=re.MULTILINE)) == ids


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_a_rule_says_all_that_people_need(rule: AnyRule) -> None:
    found = documented(rule)
    assert re.fullmatch(r"[A-Z]+\d{3}", found.id)
    assert not found.title.endswith(".")
    assert len(found.title) > 20
    assert found.why
    assert all(len(paragraph) > 40 for paragraph in found.why)
    assert found.judges
    assert found.fix
    assert not found.fix.endswith(".")
    assert re.fullmatch(r"([a-z]+([A-Z0-9][a-z0-9]*)*)?", found.measure)
    assert all(setting.description.endswith(".") for setting in found.settings), found.settings
    assert all(
        setting.name == setting.name[0].lower() + setting.name[1:] and "_" not in setting.name
        for setting in found.settings
    )
    if rule.scope is Scope.RESOURCE:
        assert found.reads == "one resource at a time, before it is created"
    titles = [case.title for case in found.examples]
    assert len(set(titles)) == len(titles)


def test_a_file_name_is_the_id_and_a_few_words() -> None:
    for one in rules():
        assert re.fullmatch(rf"policies\.rules\.{one.id.casefold()}_[a-z0-9_]+", type(one).__module__)


def test_what_is_configured_stands_beside_the_default() -> None:
    one = rule("cost011")
    assert one is not None
    found = documented(
        one, Configured(settings=IdleFloorSettings(max_usd_per_hour=5), enforcement=Enforcement.ADVISORY)
    )
    assert found.enforcement is Enforcement.ADVISORY
    assert [(setting.name, setting.value, setting.default) for setting in found.settings] == [
        ("maxUsdPerHour", 5, 2000)
    ]


def test_an_example_keeps_its_change() -> None:
    one = rule("COST002")
    assert one is not None
    case = next(case for case in documented(one).examples if case.title == "one cent more than the budget")
    assert (case.base, case.verdict, dict(case.change)) == (
        "training",
        Verdict.FAIL,
        {"stack": {"budget.monthlyUsd": 1175912.22}},
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2000.0, "2000"),
        (0.5, "0.5"),
        (1300000, "1300000"),
        (True, "true"),
        (None, "gone"),
        ({"min": 0, "max": [1, "a"]}, "{min: 0, max: [1, a]}"),
        ([], "[]"),
    ],
)
def test_plain_values(value: object, text: str) -> None:
    assert plain(value) == text
