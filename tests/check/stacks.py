"""Stack files to check, made from the valid environment of the specification's tests."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gpufleet.check import Base, Finding, Report, check
from tests.spec.environments import changed, environment

Changes = Mapping[tuple[str | int, ...], object]

DECLARED: dict[tuple[str | int, ...], object] = {
    ("training", 0, "cluster", "logsDailyCapGb"): 10,
    ("inference", "regions", 0, "cluster", "logsDailyCapGb"): 10,
    ("training", 0, "cluster", "apiServer"): {"authorizedIpRanges": ["203.0.113.0/24"]},
    ("inference", "regions", 0, "cluster", "apiServer"): {"authorizedIpRanges": ["203.0.113.0/24"]},
    ("usage",): {
        "logsGbPerDay": 1,
        "natGbPerMonth": 1,
        "privateEndpointGbPerMonth": 1,
        "registryGb": 1,
        "blobTiB": 1,
        "frontDoorRequestsPerMonth": 1,
        "frontDoorEgressGbPerMonth": 1,
        "frontDoorOriginGbPerMonth": 1,
    },
    ("prices",): {
        "assumed": [
            {
                "service": service,
                "meter": meter,
                "usd": 1,
                "unit": unit,
                "reason": "what this test plans with",
            }
            for service, meter, unit in (
                ("Managed Lustre", "AMLFS-Durable-Premium-250", "TiB-month"),
                ("Managed Disk", "P15 256 GiB", "month"),
                ("Front Door", "Edge to origin", "GB"),
            )
        ]
    },
}
"""What the valid environment lacks to be priced whole, and to keep every rule."""


@dataclass(frozen=True)
class Stacks:
    """Writes stack files and checks them.

    Attributes:
        folder: of the files.
        plans: shared by all tests of a process: a plan takes a third of a second.
    """

    folder: Path
    plans: Path

    def write(self, changes: Changes | None = None, *, name: str = "x") -> Path:
        """A file with these changes to what is valid, priced and large enough."""
        path = self.folder / f"Pulumi.{name}.yaml"
        path.write_text(self.text(changes), encoding="utf-8")
        return path

    def text(self, changes: Changes | None = None) -> str:
        """What `write` writes."""
        out = io.StringIO()
        YAML().dump({"config": {"gpufleet:environment": self.value(changes)}}, out)
        return out.getvalue()

    @staticmethod
    def value(changes: Changes | None = None) -> dict[str, Any]:
        """The environment itself."""
        return changed({**DECLARED, **(changes or {})}, environment())

    def check(self, changes: Changes | None = None, *, strict: bool = True, **options: Any) -> Report:  # noqa: ANN401
        """The report on it, as `Pulumi.x.yaml`; other options are those of `gpufleet.check.check`."""
        path = self.write(changes)
        return check(path, environment="x", label=path.name, strict=strict, plans=self.plans, **options)

    def base(self, changes: Changes | None = None, **files: str) -> Base:
        """A base with that stack file; other files are those of `gpufleet.check.Base`."""
        return Base(name="main (1a2b3c4)", stack=self.text(changes), **files)

    def finding(self, changes: Changes, rule: str, *, strict: bool = True) -> Finding:
        """The one finding of a rule."""
        (found,) = [finding for finding in self.check(changes, strict=strict).findings if finding.rule == rule]
        return found
