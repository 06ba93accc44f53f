"""What a fabric's queue puts into its cluster, for golden manifests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.components.graphs import Graph, build, whole_numbers
from tests.spec.environments import CLUSTER, POOL, changed

GOLDEN = Path(__file__).parent / "golden" / "queue"
QUEUE = ("training", 0, "queue")
TEAMS: dict[str, Any] = {
    "strategy": "StrictFIFO",
    "startMinutes": 45,
    "teams": [
        {"name": "vision", "nominalNodes": {"h100": 5}, "borrowingNodes": {"h100": 1}, "priority": "high"},
        {"name": "text", "nominalNodes": {"h100": 3, "amd": 4}, "lendingNodes": {"h100": 2, "amd": 0}},
    ],
}
SPOT = {
    "name": "spot",
    "sku": "Standard_NC80adis_H100_v5",
    "priority": "spot",
    "nodes": {"min": 0, "max": 4},
    "taints": ["example.com/batch=yes:NoSchedule"],
}
RESUMES = ("training", 0, "workload", "checkpoint")
CASES: dict[str, dict[tuple[str | int, ...], object]] = {
    "one-team": {},
    "teams": {
        QUEUE: TEAMS,
        ("training", 0, "region"): "eastus2",
        ("allowedRegions",): ["eastus2", "swedencentral"],
        ("training", 0, "pools", 2): {"name": "amd", "sku": "Standard_ND96isr_MI300X_v5", "nodes": 4},
    },
    "spot": {("training", 0, "pools", 2): SPOT, RESUMES: {"maxLossPercent": 5, "resume": True}},
    "dra": {(*CLUSTER, "gpuStack"): "operator-dra"},
    "racks": {
        (*CLUSTER, "gpuStack"): "operator-dra",
        (*POOL, "sku"): "Standard_ND128isr_NDR_GB200_v6",
    },
    "fixed-shared-rdma": {(*POOL, "nodes"): 250, (*CLUSTER, "rdmaDevices"): "shared"},
}


@cache
def graph(case: str) -> Graph:
    """The program's graph of a case; built once a process, so read it only."""
    return build(changed(CASES[case]))


def manifests(case: str) -> str:
    """Helm releases with their values, and objects, as YAML."""
    found = [_shown(one.inputs) for one in graph(case).resources if one.custom and one.name.startswith("lab-queue-")]
    return yaml.safe_dump_all(found, sort_keys=False, width=140, allow_unicode=True)


def documents() -> Iterator[tuple[str, str]]:
    """File name and content of each golden file."""
    for case in CASES:
        yield f"{case}.yaml", manifests(case)


def _shown(inputs: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in inputs.items() if key not in {"compat", "type"}}
    ordered: dict[str, Any] = {key: whole_numbers(shown[key]) for key in sorted(shown)}
    if (config := shown.get("values", {}).get("managerConfig")) is not None:
        ordered["values"]["managerConfig"] = {name: yaml.safe_load(text) for name, text in config.items()}
    return ordered
