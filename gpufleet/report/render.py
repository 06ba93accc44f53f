"""One way to any form of a report."""

from __future__ import annotations

from collections.abc import Sequence

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

            return text(reports, width=width, colour=colour)
        case ReportFormat.JSON:
            from gpufleet.report.document import json_text  # noqa: PLC0415

            return json_text(reports, several=several)
