"""The manifests of stop schedules; written anew by `python -m tests.components.idle`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gpufleet.spec.base import Path as KeyPath
from tests.components.graphs import ROOT, Graph, build, whole_numbers
from tests.spec.environments import POOL, changed

GOLDEN = ROOT / "tests" / "components" / "golden" / "idle"
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]

CASES: dict[str, dict[str, Any]] = {
    "nights-and-weekends": {
        "schedules": [
            {"name": "nights", "days": _WEEKDAYS, "from": "19:00", "to": "07:00", "timeZone": "Europe/Stockholm"},
            {
                "name": "weekend",
                "days": ["Saturday", "Sunday"],
                "from": "07:00",
                "to": "07:00",
                "timeZone": "Europe/Stockholm",
            },
        ],
        "queue": {
            "teams": [
                {"name": "vision", "nominalNodes": {"h100": 3}},
                {"name": "speech", "nominalNodes": {"h100": 5}},
            ]
        },
    },
    "lunch": {
        "schedules": [
            {"name": "lunch", "days": ["Wednesday"], "from": "11:30", "to": "12:45", "timeZone": "America/New_York"}
        ]
    },
}
"""Keys of a training fabric that has one H100 pool from zero."""


def graph(case: str) -> Graph:
    """The whole graph of one case."""
    stated: dict[KeyPath, object] = {("training", 0, key): value for key, value in CASES[case].items()}
    return build(changed({(*POOL, "nodes"): {"min": 0, "max": 8}, **stated}))


def manifests(found: Graph) -> list[dict[str, Any]]:
    """The objects of the fabric's stop schedule as a user would write them, by name."""
    objects = [one.inputs for one in found.resources if one.name.startswith("lab-stops-")]
    return sorted((whole_numbers(one) for one in objects), key=lambda one: (one["kind"], one["metadata"]["name"]))


def path(case: str) -> Path:
    """Where the manifests of a case are."""
    return GOLDEN / f"{case}.yaml"


if __name__ == "__main__":
    for name in CASES:
        text = yaml.safe_dump_all(manifests(graph(name)), sort_keys=False, width=120, explicit_start=True)
        path(name).write_text(text, encoding="utf-8")
