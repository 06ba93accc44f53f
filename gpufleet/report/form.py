"""The forms of a report."""

from __future__ import annotations

from enum import StrEnum


class ReportFormat(StrEnum):
    """What `gpufleet check --format` takes."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"
    AZURE_DEVOPS = "azure-devops"
    HTML = "html"


MARKDOWN_BYTES = 64_000
"""What a comment may take: a comment on GitHub holds 65,536 characters (pulumi/actions cuts at 64,000 for it)."""
LEAST_MARKDOWN_BYTES = 2_000
"""What the summary alone may take."""
