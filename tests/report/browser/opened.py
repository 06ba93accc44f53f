"""A report in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page


@dataclass(frozen=True)
class Opened:
    """A report in a browser.

    Attributes:
        page: of the browser.
        said: what the console and the page's errors said.
        asked: addresses that the page asked for, its own file apart.
    """

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def shown(self) -> list[str]:
        """The visible findings: level, rule, marks."""
        rows = self.page.locator("[data-findings] tbody tr:visible").all()
        return [" ".join(part.strip() for part in row.locator("td").all_inner_texts()[:2]) for row in rows]


Open = Callable[..., Opened]
"""Opens reports: `(reports, *, dark=False, width=1280, script=True)`."""
