"""The outlook in the forms of a report."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from gpufleet.check import Report
from gpufleet.cost.token_cost import TokenCost
from gpufleet.outlook import words
from gpufleet.report.day_picture import day_chart
from gpufleet.report.document import json_text
from gpufleet.report.markdown import markdown
from gpufleet.report.page import page
from gpufleet.report.text import text
from tests.outlook.samples import ahead
from tests.report.samples import NASTY, report

_COST = TokenCost(region="eastus", model="chat", floor=None, expected=None, peak=None, basis=NASTY)


@cache
def _report() -> Report:
    return report(outlook=ahead(), token_costs=(_COST,))


def test_text_has_a_line_for_each_state_within_the_width() -> None:
    wide = text([_report()], width=100)
    assert next(line for line in wide.splitlines() if line.startswith("lost")).split("  ")[0] == "lost"
    assert [line.split("  ")[0] for line in wide.splitlines() if " min " in line or "lost" in line][:1] == ["lost"]
    for width in (60, 100):
        assert max(len(line) for line in text([_report()], width=width).splitlines()) <= width
    assert "With eastus lost: regular nodes" in text([_report()], width=60)
    assert f"{words.day_line(ahead())}." in " ".join(wide.split())


def test_markdown_folds_the_tables_and_escapes() -> None:
    made = markdown([_report()])
    assert "<details><summary>with a region or spot lost</summary>" in made
    assert "<details><summary>a day of demand</summary>" in made
    assert "| 23 |" in made
    assert NASTY not in made
    assert "</script>" not in made


def test_json_has_every_hour_and_every_state_in_snake_case() -> None:
    found: Any = json.loads(json_text([_report()], several=False))["outlook"]
    assert [hour["hour"] for hour in found["day"]["hours"]] == list(range(24))
    assert [loss["region"] for loss in found["losses"]] == ["eastus", "swedencentral", "japaneast", None]
    assert found["losses"][0]["models"][0]["unmet_tokens_per_second"] > 0
    assert found["losses"][2]["latency"][2] == {
        "origin": "japaneast",
        "before": ["japaneast"],
        "after": ["eastus"],
        "rtt_ms_before": 2.0,
        "rtt_ms_after": 164.0,
        "ceiling_ms": 100.0,
        "broken": True,
    }
    assert found["token_costs"][0]["floor_usd"] is None
    assert json.loads(json_text([report()], several=False))["outlook"] is None


def test_the_chart_stands_on_its_axis_and_stays_within_the_picture() -> None:
    chart = day_chart(ahead())
    assert len(chart.columns) == 24
    assert chart.any_unmet
    for column in chart.columns:
        assert abs(column.served_y + column.served_height - chart.bottom) < 0.2
        assert abs(column.unmet_y + column.unmet_height - column.served_y) < 0.2
        assert chart.left <= column.x < column.x + column.width <= chart.right
        assert 0 <= column.floor_y <= chart.bottom
    assert chart.ticks[0].label == "0"


def test_the_page_has_the_chart_and_its_table() -> None:
    made = page([_report()])
    assert made.count('<rect class="bar"') == 24
    assert '<rect class="unmet"' in made
    assert "<caption>If a region, or all spot nodes, are lost</caption>" in made
    assert "<summary>The day by hour</summary>" in made
    assert NASTY not in made
    assert "<h3>Outlook</h3>" not in page([report()])
