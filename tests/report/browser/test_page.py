"""The HTML report in a real Chromium: silent, alone, operable by keyboard, readable, with and without its script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from gpufleet.check import Level, Report
from tests.outlook.samples import ahead
from tests.report.browser.opened import Open
from tests.report.samples import NASTY, finding, passing, pull_request, report

pytestmark = pytest.mark.browser

REPORTS = {
    "pull-request": [pull_request()],
    "frontier": [passing("frontier")],
    "broken-file": [report(finding(rule="spec", label="", severity=None))],
    "outlook": [report(outlook=ahead())],
    "several": [pull_request(), passing("frontier"), report(finding(level=Level.NOTE), environment="dev")],
    "nasty": [report(finding(key=NASTY, message=NASTY, fix=NASTY, reference=NASTY), environment=NASTY)],
}
ALL = pytest.mark.parametrize("reports", REPORTS.values(), ids=REPORTS)
LOOKS = pytest.mark.parametrize(
    ("dark", "width"), [(False, 1280), (True, 1280), (False, 320)], ids=["light", "dark", "narrow"]
)


@ALL
@LOOKS
def test_it_is_silent_loads_nothing_and_fits(open_page: Open, reports: list[Report], *, dark: bool, width: int) -> None:
    opened = open_page(reports, dark=dark, width=width)
    assert (opened.said, opened.asked) == ([], [])
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    ground = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")


@ALL
@LOOKS
def test_axe_finds_nothing(open_page: Open, reports: list[Report], *, dark: bool, width: int) -> None:
    opened = open_page(reports, dark=dark, width=width)
    opened.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = Axe().run(opened.page)
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []


def test_filters_by_keyboard_alone(open_page: Open) -> None:
    opened = open_page([pull_request()])
    keyboard, status = opened.page.keyboard, opened.page.locator("[role=status]")
    keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.textContent") == "Skip to the report"
    keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "main"
    while opened.page.evaluate("document.activeElement.name") != "level":
        keyboard.press("Tab")
    keyboard.type("warning")
    assert opened.shown() == ["warning SCALE002 high new undecided"]
    assert status.inner_text() == "1 of 5 findings shown"
    keyboard.press("Home")
    keyboard.press("Tab")
    keyboard.type("SCALE012")
    assert opened.shown() == ["error SCALE012 critical new"]
    keyboard.press("Home")
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.type("SUPPORT raised")
    assert opened.shown() == ["error SCALE002 high existing waived"]
    keyboard.press("ControlOrMeta+a")
    keyboard.press("Delete")
    keyboard.press("Tab")
    keyboard.press("Space")
    assert [shown.split()[-1] for shown in opened.shown()] == ["new", "worsened", "undecided"]
    keyboard.press("Tab")
    keyboard.press("Enter")
    assert len(opened.shown()) == 5
    assert status.inner_text() == "5 of 5 findings shown"
    assert opened.page.evaluate("document.activeElement.name") == "level"


def test_each_environment_has_filters_of_its_own(open_page: Open) -> None:
    opened = open_page(REPORTS["several"])
    first, second = opened.page.locator("[data-findings]").all()
    first.locator("[name=level]").select_option("warning")
    assert first.locator("[role=status]").inner_text() == "1 of 5 findings shown"
    assert second.locator("[role=status]").inner_text() == "1 of 1 findings shown"
    assert opened.page.locator("nav a").all_inner_texts() == ["prod", "frontier", "dev"]
    opened.page.locator("nav a").nth(1).click()
    assert opened.page.locator("#environment-2").evaluate("one => one.getBoundingClientRect().top") < 400


def test_focus_can_be_seen(open_page: Open) -> None:
    opened = open_page([pull_request()])
    opened.page.keyboard.press("Tab")
    outline = opened.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    assert opened.page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]


def test_without_a_script_it_is_a_plain_table(open_page: Open) -> None:
    opened = open_page([pull_request()], script=False)
    assert len(opened.shown()) == 5
    assert opened.page.locator(".filters:visible").count() == 0


def test_no_text_is_markup_and_no_other_script_runs(open_page: Open) -> None:
    opened = open_page(REPORTS["nasty"])
    assert opened.page.locator("main b").count() == 0
    assert opened.page.locator("script").count() == 1
    opened.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))"
    )
    assert opened.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in said for said in opened.said)


def test_print_is_light_and_whole(open_page: Open) -> None:
    opened = open_page(REPORTS["several"], dark=True)
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.locator(".filters:visible, nav:visible").count() == 0
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator("details:not([open])").count() == 0


def test_frontier_draws_all_its_domains(open_page: Open) -> None:
    opened = open_page([passing("frontier")])
    assert opened.page.locator("svg .domain").count() == 125
    assert opened.page.locator("svg .domain").first.evaluate(
        "one => one.parentNode.querySelector('title').textContent"
    ) == ("InfiniBand domain 1 of 42: at most 100 nodes")
