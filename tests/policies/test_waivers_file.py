"""The file of waivers is read whole, or every mistake in it is named with its place and nothing of it holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.errors import ExitCode
from gpufleet.spec import Problem
from policies import catalogue
from policies.waivers import Waivers
from policies.waivers_file import WaiversError, load, parse
from tests.policies.waivers import LABEL, RULES, TODAY, URN, waiver

_ROOT = Path(__file__).parents[2]
_ENTRY: dict[str, Any] = {
    "rule": "SCALE901",
    "environment": "prod",
    "resource": LABEL,
    "reason": "the support ticket is open",
    "owner": "ml-platform",
    "ticket": "ML-1",
    "approvedBy": "jane",
    "expires": dt.date(2026, 12, 31),
    "bound": 6,
}


def _read(text: str) -> Waivers:
    return parse(text, today=TODAY, rules=RULES, environments=["dev", "prod"])


def _with(**changes: object) -> str:
    entry = {key: value for key, value in {**_ENTRY, **changes}.items() if value is not ...}
    return yaml.safe_dump([entry], sort_keys=False)


def _problems(text: str) -> list[str]:
    with pytest.raises(WaiversError) as refused:
        _read(text)
    assert refused.value.exit_code is ExitCode.WAIVER
    return str(refused.value).splitlines()[:-1]


def test_a_waiver_as_it_stands() -> None:
    assert _read("# why\n\n" + _with()).entries == (waiver(),)


@pytest.mark.parametrize(
    ("written", "bound"), [(6, Decimal(6)), (6.0, Decimal(6)), (0.1, Decimal("0.1")), (0, Decimal(0))]
)
def test_a_bound_is_what_was_written(written: float, bound: Decimal) -> None:
    (found,) = _read(_with(bound=written)).entries
    assert (found.bound, str(found.bound)) == (bound, str(bound))


def test_reasons_may_take_several_lines() -> None:
    (found,) = _read(_with(reason="one\ntwo\n")).entries
    assert found.reason == "one two"


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "---\n", "~"])
def test_no_waivers(text: str) -> None:
    assert _read(text).entries == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            _with(rule="SCALE91"), '1:9: error: [0].rule: there is no rule "SCALE91". Did you mean SCALE901?', id="rule"
        ),
        pytest.param(
            _with(rule="scale901"),
            '1:9: error: [0].rule: there is no rule "scale901". Did you mean SCALE901?',
            id="case of a rule",
        ),
        pytest.param(
            _with(rule="SCALE903", bound=...),
            "1:9: error: [0].rule: SCALE903 can't be waived: A pool is no hazard. Mend it.",
            id="unwaivable",
        ),
        pytest.param(
            _with(environment="prd"),
            '2:16: error: [0].environment: there is no environment "prd". Did you mean prod?',
            id="environment",
        ),
        pytest.param(
            _with(resource="training/lab/pools/*"),
            '3:13: error: [0].resource: "training/lab/pools/*" is a pattern, which no waiver takes. Name one thing; '
            "every other needs a waiver of its own.",
            id="pattern",
        ),
        pytest.param(
            _with(resource=""), '3:13: error: [0].resource: "" is no label. Write it as a report gives it.', id="empty"
        ),
        pytest.param(
            _with(resource=" a"),
            '3:13: error: [0].resource: " a" is no label. Write it as a report gives it.',
            id="blank",
        ),
        pytest.param(
            _with(resource=URN.replace(":prod:", ":dev:")),
            '3:13: error: [0].resource: is a URN of stack "dev", and the waiver is for "prod". Make the two agree.',
            id="URN of another stack",
        ),
        pytest.param(
            _with(expires=TODAY + dt.timedelta(days=91)),
            "8:12: error: [0].expires: 2027-02-20 is 91 days from today, 2026-11-21 in UTC; a waiver ends within 90. "
            "Write 2027-02-19 or an earlier day, and have it approved anew then.",
            id="too long",
        ),
        pytest.param(
            _with(bound=...),
            "1:3: error: [0].bound: is missing: SCALE901 has a measure, maxNodes, and a waiver covers up to a bound in "
            "it. Add `bound:` with the maxNodes that may pass.",
            id="no bound",
        ),
        pytest.param(
            _with(rule="SCALE902"),
            "9:10: error: [0].bound: is of no use: SCALE902 has no measure. Leave it out.",
            id="a bound without a measure",
        ),
        pytest.param(
            _with(bound="6"),
            '9:10: error: [0].bound: must be a number, not the text "6". Leave the quotes out.',
            id="text",
        ),
        pytest.param(_with(bound=True), "9:10: error: [0].bound: must be a number, not true.", id="true"),
        pytest.param(_with(bound=float("nan")), "9:10: error: [0].bound: must be a finite number, not nan.", id="nan"),
        pytest.param(
            _with(bound=float("inf")), "9:10: error: [0].bound: must be a finite number, not inf.", id="infinite"
        ),
        pytest.param(
            _with(expires="soon"),
            '8:12: error: [0].expires: must be a date such as 2026-12-01, not the text "soon".',
            id="no date",
        ),
        pytest.param(
            _with(expires="2026-02-30"),
            '8:12: error: [0].expires: the text "2026-02-30" is not a date that exists: day is out of range for month.',
            id="no day",
        ),
        pytest.param(
            _with(ticket=17), "6:11: error: [0].ticket: must be text, not 17. Put it in quotes.", id="a number for text"
        ),
        pytest.param(
            _with(owner="  "),
            '5:10: error: [0].owner: the text "" is not text on one line without control characters.',
            id="no owner",
        ),
        pytest.param(
            _with(approvedBy=None),
            "7:15: error: [0].approvedBy: is empty. Give it a value, or leave the key out if it has a default.",
            id="nobody",
        ),
        pytest.param(
            _with(approved_by="jane", approvedBy=...),
            "9:3: error: [0].approved_by: is not a known key. Did you mean `approvedBy`?",
            id="key of another case",
        ),
        pytest.param(
            _with() + _with(),
            "10:3: error: [1]: waives the same as waiver 1 of the file. Keep one of them.",
            id="twice",
        ),
        pytest.param(
            "- 5",
            "1:3: error: [0]: must be a block of keys, not 5. Known here: rule, environment, resource, reason, owner, "
            "ticket, approvedBy, expires, bound.",
            id="no block",
        ),
        pytest.param(
            "waivers: []", "1:1: error: must be a list of waivers. Start each with `- rule: …`.", id="no list"
        ),
        pytest.param(
            "a\n---\nb",
            "2:1: error: several YAML documents in one file. Keep one: remove the `---` between them.",
            id="two documents",
        ),
        pytest.param(
            _with() + "  bound: 900\n",
            "10:3: error: [0].bound: stands twice; the first is on line 9. Keep one.",
            id="key twice",
        ),
        pytest.param(
            "&a [*a]", "1:1: error: [0]: is an alias that contains itself. Write the value out.", id="endless"
        ),
    ],
)
def test_one_mistake(text: str, problem: str) -> None:
    assert _problems(text) == [f"stacks/waivers.yaml:{problem}"]


def test_all_mistakes_at_once_and_the_good_ones_do_not_hold() -> None:
    text = _with() + _with(resource="b", ownr="x", owner=...) + _with(resource="c", rule="SCALE91")
    assert [problem.split(": ")[0] for problem in _problems(text)] == [
        "stacks/waivers.yaml:18:3",
        "stacks/waivers.yaml:19:9",
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*_ENTRY, "extra"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.lists(st.integers(), max_size=2),
        max_size=4,
    ),
    st.sampled_from(["list", "mapping", "nested"]),
)
def test_whatever_stands_there_is_a_waiver_or_a_mistake_with_a_line(changes: dict[str, object], shape: str) -> None:
    entry = {**_ENTRY, **changes}
    text = yaml.safe_dump({"list": [entry], "mapping": entry, "nested": [[entry]]}[shape])
    problems: tuple[Problem, ...] = ()
    try:
        waived = len(_read(text).entries)
    except WaiversError as error:
        waived, problems = 0, error.problems
    assert waived + bool(problems) == 1
    assert all(problem.line is not None and problem.message for problem in problems)


def test_the_environments_beside_the_file_are_known(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    assert load(path, today=TODAY, rules=RULES) == Waivers(today=TODAY)
    path.write_text(_with())
    with pytest.raises(WaiversError, match="there is no environment"):
        load(path, today=TODAY, rules=RULES)
    (tmp_path / "Pulumi.prod.yaml").touch()
    assert len(load(path, today=TODAY, rules=RULES).entries) == 1
    assert len(load(path, today=TODAY, rules=RULES, environments=["other"]).digest) == 64


def test_what_is_no_file_of_text(tmp_path: Path) -> None:
    with pytest.raises(WaiversError, match="is a directory, not a file of waivers"):
        load(tmp_path, today=TODAY, rules=RULES)
    path = tmp_path / "waivers.yaml"
    path.write_bytes(b"- rule: \xff")
    with pytest.raises(WaiversError, match="1:9: error: is not UTF-8 text"):
        load(path, today=TODAY, rules=RULES)
    path.write_bytes(b"#" * 300_000)
    with pytest.raises(WaiversError, match="is 300,000 bytes large"):
        load(path, today=TODAY, rules=RULES)


def test_the_committed_file_is_well_formed() -> None:
    load(_ROOT / "stacks" / "waivers.yaml", today=dt.datetime.now(dt.UTC).date(), rules=catalogue.rules())
