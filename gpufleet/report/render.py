"""One way to any form of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from gpufleet.check.report import Report
from gpufleet.report.form import MARKDOWN_BYTES, ReportFormat


def render(
    form: ReportFormat,
    reports: Sequence[Report],
    *,
    several: bool = False,
    width: int = 100,
    colour: bool = False,
    max_bytes: int = MARKDOWN_BYTES,
) -> str:
    """All reports in one document.

    Args:
        form: of the document.
        reports: at least one.
        several: whether more than one was asked for: JSON is then a list, however many there are.
        width: columns of the text.
        colour: of the text.
        max_bytes: the most that the markdown may take, in UTF-8.
    """
    match form:
        case ReportFormat.TEXT:
            from gpufleet.report.text import text  # noqa: PLC0415 one form is asked for, not all

            found = text(reports, width=width, colour=colour)
        case ReportFormat.MARKDOWN:
            from gpufleet.report.markdown import markdown  # noqa: PLC0415

            found = markdown(reports, max_bytes=max_bytes)
        case ReportFormat.JSON:
            from gpufleet.report.document import json_text  # noqa: PLC0415

            found = json_text(reports, several=several)
        case ReportFormat.SARIF:
            from gpufleet.report.sarif import sarif  # noqa: PLC0415

            found = sarif(reports)
        case ReportFormat.JUNIT:
            from gpufleet.report.junit import junit  # noqa: PLC0415

            found = junit(reports)
        case ReportFormat.GITHUB:
            from gpufleet.report.annotations import github  # noqa: PLC0415

            found = github(reports)
        case ReportFormat.AZURE_DEVOPS:
            from gpufleet.report.annotations import azure_devops  # noqa: PLC0415

            found = azure_devops(reports)
        case ReportFormat.HTML:
            from gpufleet.report.page import page  # noqa: PLC0415

            found = page(reports)
        case _:
            assert_never(form)
    return found
