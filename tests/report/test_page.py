"""The HTML page as text; tests/report/browser looks at it in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

from gpufleet.check import Verdict
from gpufleet.report.page import page
from tests.report.samples import NASTY, ROOT, finding, passing, pull_request, report

_VOID = frozenset({"meta", "line", "rect", "input"})


class Outline(HTMLParser):
    """What a page is made of; fails on what isn't closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given[key] or "" for key in ("href", "src") if key in given]
        assert "style" not in given, "the content policy lets no style attribute through"
        assert not any(key.startswith("on") for key in given)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag


def test_it_is_well_formed_and_leads_nowhere_else() -> None:
    outline = Outline(page([pull_request(), passing("frontier"), report()]))
    assert len(set(outline.ids)) == len(outline.ids)
    assert all(link.startswith("#") and link[1:] in outline.ids for link in outline.links)
    assert (outline.tags["h1"], outline.tags["main"], outline.tags["nav"], outline.tags["script"]) == (1, 1, 1, 1)
    assert outline.tags["table"] == outline.tags["caption"] > 5
    assert Outline(page([pull_request()])).tags["nav"] == 0


def test_the_content_policy_names_the_very_style_and_script() -> None:
    text = page([report()])
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in text or f"{tag}-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text
    assert "://" not in text


def test_text_of_a_stack_file_is_text() -> None:
    nasty = finding(key=NASTY, message=NASTY, fix=NASTY, reference=NASTY, label=NASTY)
    text = page([report(nasty, environment=NASTY, file=NASTY, inputs={NASTY: NASTY})])
    outline = Outline(text)
    assert (outline.tags["b"], outline.tags["script"]) == (0, 1)
    assert not set(text) & {"\x07", "\u202e", "\r"}


def test_the_title_says_what_it_comes_to() -> None:
    assert "<title>FAIL: prod, frontier, gpufleet check</title>" in page([pull_request(), passing("frontier")])
    assert passing("frontier").verdict is Verdict.PASS
    assert "<title>PASS: frontier, gpufleet check</title>" in page([passing("frontier")])


def test_what_is_drawn_is_told_in_a_table_too() -> None:
    text = page([passing("frontier")])
    assert text.count('class="domain"') == 125
    assert "<td>42 InfiniBand domains of at most 100 nodes</td>" in text
    assert '<th scope="row">all</th><td class="n">$' in text


def test_a_check_without_a_plan_has_neither_cost_nor_topology() -> None:
    outline = Outline(page([report(finding(rule="spec"))]))
    assert outline.tags["svg"] == 0


def test_its_parts_are_packaged_beside_the_code() -> None:
    folder = ROOT / "gpufleet" / "report"
    assert {path.name for path in folder.glob("page.*")} == {"page.css", "page.html.j2", "page.js", "page.py"}
