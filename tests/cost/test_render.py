from __future__ import annotations

import csv
import html.parser
import io
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gpufleet.cost import CostDifference, Estimate, compare, unit_costs
from gpufleet.cost.render import view, words
from gpufleet.cost.render.document import document
from gpufleet.cost.render.markdown import markdown
from gpufleet.cost.render.page import page
from gpufleet.cost.render.sheet import sheet
from gpufleet.cost.render.table import table
from gpufleet.spec import Environment, parse_environment
from tests.cost.samples import (
    H100,
    NC80,
    STACKS,
    fabric,
    plain,
    pool_items,
    priced,
    resource,
    stack_environment,
    stack_estimate,
    with_pools,
)

_SCHEMA: Any = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "cost.v1.json").read_text())
_GOLDEN = Path(__file__).with_name("table.txt")
_REASON = "=SUM(A1) <script>alert('x')</script> | *bold* @team"


def _environment(most: int = 4, **changes: object) -> Environment:
    inference = {
        "regions": [
            {
                "name": "eastus",
                "pools": [
                    {"name": "nc", "sku": NC80, "nodes": 2},
                    {"name": "ncspot", "sku": NC80, "nodes": {"min": 0, "max": 2}, "priority": "spot"},
                    {"name": "h100s", "sku": H100, "nodes": {"min": 0, "max": 1}, "priority": "spot"},
                ],
            }
        ]
    }
    training = [
        {"name": "lab", "region": "eastus", "pools": [{"name": "h100", "sku": H100, "nodes": {"min": 0, "max": most}}]}
    ]
    assumed = [{"sku": NC80, "priority": "spot", "usd": 7, "unit": "hour", "reason": _REASON}]
    return parse_environment(plain(training=training, inference=inference, prices={"assumed": assumed}, **changes))


def _estimate(environment: Environment) -> Estimate:
    return priced(environment, [*pool_items(environment), resource("network:NatGateway", "ng", fabric())])


def _difference() -> CostDifference:
    before, after = _environment(2), _environment(4)
    return compare((before, _estimate(before)), (after, _estimate(after)), base="main (1a2b3c4)")


def test_the_table() -> None:
    text = table(_estimate(_environment()), difference=_difference(), width=110)
    # After a change that is meant: python -m tests.cost.test_render > tests/cost/table.txt
    assert text == _GOLDEN.read_text(encoding="utf-8")


def test_units_of_money() -> None:
    assert words.usd(Decimal("1234567.8")) == "$1,234,567.80"
    assert words.usd(Decimal("-0.1")) == "-$0.10"
    assert words.signed(Decimal(1)) == "+$1.00"
    assert words.signed(Decimal(-1)) == "-$1.00"
    assert words.signed(Decimal(0)) == "$0.00"
    assert [words.exact(Decimal(text)) for text in ("98.32", "0.0208", "35", "0.062699", "1200")] == [
        "$98.32",
        "$0.0208",
        "$35.00",
        "$0.062699",
        "$1,200.00",
    ]
    assert words.percent(Decimal(1), Decimal(3)) == "33.3 %"


def test_nothing_that_lacks_a_price_is_shown_as_a_number() -> None:
    rows = {row.label: row.amount for row in view.rows(_estimate(_environment()))}
    assert rows["pool h100s"] is None
    assert rows["pool ncspot"] is not None
    line = next(text for text in table(_estimate(_environment()), width=140).splitlines() if "pool h100s" in text)
    assert line.split()[-7:] == ["no", "price", "no", "price", "no", "price", "!1"]


def test_markup_and_emoji_codes_of_the_stack_file_are_text() -> None:
    assumed = [{"sku": NC80, "priority": "spot", "usd": 7, "unit": "hour", "reason": "[bold red]x[/] :smile:"}]
    pool = {"name": "s", "sku": NC80, "nodes": 1, "priority": "spot"}
    found = priced(with_pools({"name": "h", "sku": H100, "nodes": 1}, pool, prices={"assumed": assumed}))
    assert "[bold red]x[/] :smile:" in table(found, width=200)


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" not in table(_estimate(_environment()))
    assert "\x1b[1;32m" in table(_estimate(_environment()), colour=True)
    budget = {"monthlyUsd": 1, "start": "2026-12-01", "contacts": ["a@example.com"]}
    assert "\x1b[1;31m" in table(_estimate(_environment(budget=budget)), colour=True)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = table(_estimate(_environment()), difference=_difference(), width=width)
    assert max(map(len, text.splitlines())) <= width


def test_a_difference_stands_above_the_totals() -> None:
    lines = table(_estimate(_environment()), difference=_difference(), width=100).splitlines()
    first = lines.index("Against main (1a2b3c4): +$143,547.20 a month at the ceiling")
    assert lines[first + 2].split() == ["training", "lab", "$0.00", "+$143,547.20", "+$143,547.20"]
    assert lines[first + 3] == "  pool h100: max 2 → 4"
    assert first < next(index for index, line in enumerate(lines) if line.startswith("a month (730 h)"))


def test_the_same_is_said_in_one_line() -> None:
    environment = _environment()
    same = compare((environment, _estimate(environment)), (environment, _estimate(environment)), base="main")
    assert "Against main: the same\n" in table(_estimate(environment), difference=same)
    assert "Against main: the same.\n" in markdown(_estimate(environment), difference=same)


@pytest.mark.parametrize("stack", STACKS)
def test_the_stacks_documents_fit_the_schema(stack: str) -> None:
    found = stack_estimate(stack)
    units = unit_costs(stack_environment(stack), found)
    _validate(document(found, units=units))


def test_a_document_with_gaps_and_a_difference_fits_the_schema() -> None:
    environment = _environment()
    found = _estimate(environment)
    body = document(found, units=unit_costs(environment, found), difference=_difference())
    _validate(body)
    assert body["verdict"] == "within"
    unpriced: Any = body["unpriced"]
    assert [(one["meter"], one["quantity"]) for one in unpriced] == [
        (f"{H100} spot", {"floor": "0", "expected": "1", "ceiling": "1"}),
        ("NAT Gateway: Data processed", None),
    ]
    ceiling: Any = body["ceiling"]
    assert ceiling["monthly"] == f"{found.total.monthly.ceiling:f}"


def test_spot_without_any_price_is_null_and_not_zero() -> None:
    spot = {"name": "s", "sku": NC80, "nodes": 1, "priority": "spot"}
    found = priced(with_pools({"name": "h", "sku": H100, "nodes": 1}, spot))
    body: Any = document(found)
    assert body["byPriority"]["spot"] is None
    _validate(body)
    assert "| of a month, spot nodes | no price | no price | no price |" in markdown(found)


def test_markdown_folds_all_but_the_verdict_and_escapes_free_text() -> None:
    text = markdown(_estimate(_environment()), difference=_difference())
    assert text.startswith("### ✅ Cost of test\n\n**WITHIN BUDGET: the ceiling costs $")
    assert "| training lab | $0.00 | +$143,547.20 | +$143,547.20 | pool h100: max 2 → 4 |" in text
    assert "<script" not in text
    assert "&#60;script&#62;alert('x')&#60;/script&#62; &#124; &#42;bold&#42; &#64;team" in text
    assert text.count("<details>") == text.count("</details>") == 3


def test_over_the_budget_is_marked() -> None:
    budget = {"monthlyUsd": 1, "start": "2026-12-01", "contacts": ["a@example.com"]}
    assert markdown(_estimate(_environment(budget=budget))).startswith("### ❌ Cost of test\n\n**OVER BUDGET: ")


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_loads_nothing_and_escapes_free_text() -> None:
    environment = _environment()
    found = _estimate(environment)
    text = page(found, units=unit_costs(environment, found), difference=_difference())
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert {name for name, _ in tags.seen} & {"script", "link", "img", "iframe", "a"} == set()
    assert all(not {"src", "href", "onclick"} & set(attributes) for _, attributes in tags.seen)
    assert "url(" not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in text
    assert '<p class="verdict within">WITHIN BUDGET: ' in text


def test_the_sheet_has_every_charge_and_runs_no_formula() -> None:
    found = _estimate(_environment())
    rows = list(csv.DictReader(io.StringIO(sheet(found))))
    assert len(rows) == len(found.parts)
    priced_rows = [row for row in rows if row["price_kind"] != "none"]
    assert sum(Decimal(row["monthly_usd_ceiling"]) for row in priced_rows) == found.total.monthly.ceiling
    (spot,) = [row for row in rows if row["meter"] == f"{NC80} spot"]
    assert (spot["price_kind"], spot["note"]) == (
        "assumed",
        f"no usage declared: expected at its maximum; {_REASON}",
    )
    missing = [row for row in rows if row["price_kind"] == "none"]
    assert {row["monthly_usd_ceiling"] for row in missing} == {""}
    fixed = {"sku": NC80, "priority": "spot", "usd": 7, "unit": "hour", "reason": _REASON}
    pool = {"name": "s", "sku": NC80, "nodes": 1, "priority": "spot"}
    alone = priced(with_pools({"name": "h", "sku": H100, "nodes": 1}, pool, prices={"assumed": [fixed]}))
    notes = [row["note"] for row in csv.DictReader(io.StringIO(sheet(alone)))]
    assert f"'{_REASON}" in notes


def _validate(body: dict[str, object]) -> None:
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)
    jsonschema.validate({"schemaVersion": 1, "kind": "cost", **body}, _SCHEMA)


if __name__ == "__main__":
    sys.stdout.write(table(_estimate(_environment()), difference=_difference(), width=110))
