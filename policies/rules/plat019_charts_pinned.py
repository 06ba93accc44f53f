"""PLAT019: versions of Helm charts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from policies.in_cluster import CHARTS, objects
from policies.reading import UndecidedError
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

# Semantic Versioning 2.0.0, with the leading v that NVIDIA's charts have. A range has operators, x, * or missing parts.
_EXACT: Final = re.compile(r"^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")


class ChartsPinned(Rule[Resource, Settings]):
    """Every Helm chart is pinned to one exact version.

    Without a version Helm takes the newest chart of the day, with a range the newest that fits: two regions made a week
    apart then run different drivers, and an `up` that changes something else replaces the driver under a running job.
    Drivers, operators and kernel modules are tested as a set; three reference repositories name three different sets.
    """

    id = "PLAT019"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    fix = "State the chart's version in full, such as v26.3.3"
    source = "Helm charts (version ranges), pulumi-kubernetes helm.v3.Release"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Releases, and charts of either version of the SDK's component."""
        return objects(view, *CHARTS)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Its version."""
        if not subject.properties.values:
            raise UndecidedError(f"what {subject.node.name} installs is not recorded: helm.v3.Chart renders by itself")
        chart = subject.properties.text("chart") or subject.node.name
        version = subject.properties.text("version")
        if _DIGEST.search(chart) or (version is not None and _EXACT.match(version)):
            return
        what = f"version {version!r}, which is no exact one" if version else "no version: the newest of the day"
        yield Objection(message=f"{subject.node.name} installs {chart} with {what}")
