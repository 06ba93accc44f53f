"""The manifests of every GPU stack on every kind of pool that it allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gpufleet.catalog import prices
from gpufleet.catalog.gpu_stack import GpuStack, RdmaDevices
from gpufleet.spec.base import Path as KeyPath
from gpufleet.spec.problem import Severity
from tests.components.graphs import build, whole_numbers
from tests.spec.environments import CLUSTER, POOL, changed, verdict

GOLDEN = Path(__file__).parent / "golden" / "stacks"

KINDS = {
    "h100": "Standard_ND96isr_H100_v5",
    "h200": "Standard_ND96isr_H200_v5",
    "a100": "Standard_ND96amsr_A100_v4",
    "a100-40gb": "Standard_ND96asr_v4",
    "mi300x": "Standard_ND96isr_MI300X_v5",
    "gb200": "Standard_ND128isr_NDR_GB200_v6",
    "t4": "Standard_NC4as_T4_v3",
}
"""What has InfiniBand, and one without. GB300 is in no price list, so in no environment; here it is as GB200."""
_OF_STACK = {f"gpufleet:operators:{name}" for name in ("RdmaStack", "GpuOperator", "ManagedGpu", "AmdGpu")}


def allowed() -> Iterator[tuple[str, GpuStack]]:
    """Every kind and stack that the specification lets stand together."""
    for kind, size in KINDS.items():
        for stack in GpuStack:
            if not any(one.severity is Severity.ERROR for one in verdict(_environment(size, stack))):
                yield kind, stack


def manifests(kind: str, stack: GpuStack, devices: RdmaDevices = RdmaDevices.SRIOV) -> str:
    """What the fabric's GPU stack puts into its cluster, as YAML: Helm releases with their values, and objects."""
    graph = build(_environment(KINDS[kind], stack, devices))
    types = {resource.urn: resource.type for resource in graph.resources}
    found = [
        {"type": one.type.removeprefix("kubernetes:"), "name": one.name, **_shown(one.inputs)}
        for one in graph.resources
        if one.custom and types.get(one.parent) in _OF_STACK and one.name.startswith("lab-")
    ]
    return yaml.safe_dump_all(found, sort_keys=True, width=140, allow_unicode=True)


def documents() -> dict[str, tuple[str, GpuStack, RdmaDevices]]:
    """What each golden file is of."""
    found = {f"{stack}-{kind}.yaml": (kind, stack, RdmaDevices.SRIOV) for kind, stack in allowed()}
    return {**found, "operator-h100-shared.yaml": ("h100", GpuStack.OPERATOR, RdmaDevices.SHARED)}


def _environment(size: str, stack: GpuStack, devices: RdmaDevices = RdmaDevices.SRIOV) -> dict[str, Any]:
    regions = prices.regions(size)
    changes: dict[KeyPath, object] = {
        (*POOL, "sku"): size,
        (*CLUSTER, "gpuStack"): stack.value,
        (*CLUSTER, "rdmaDevices"): devices.value,
    }
    if "eastus" not in regions:
        changes |= {("training", 0, "region"): regions[0], ("allowedRegions", 2): regions[0]}
    return changed(changes)


def _shown(inputs: dict[str, Any]) -> dict[str, Any]:
    hidden = {"apiVersion", "kind", "compat", "type"}
    return {key: whole_numbers(value) for key, value in inputs.items() if key not in hidden}
