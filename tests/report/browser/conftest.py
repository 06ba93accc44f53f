from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from gpufleet.check import Report
from gpufleet.report.page import page
from tests.report.browser.opened import Open, Opened
from tools.browser import ensure


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses to run as root, which containers are.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=ensure(), args=arguments)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens reports as a file."""
    contexts = []

    def opened(reports: Sequence[Report], *, dark: bool = False, width: int = 1280, script: bool = True) -> Opened:
        file = tmp_path / "report.html"
        file.write_text(page(reports), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(file.as_uri())
        found.asked.remove(file.as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()
