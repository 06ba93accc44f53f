"""A region that serves one model, and its rules."""

from __future__ import annotations

from typing import Any

from components.serving_rules import RuleGroup, rule_groups
from gpufleet.sizing.hourly_floors import hourly_floors
from gpufleet.sizing.serving_plan import serving_plan
from gpufleet.spec.inference import Inference

SERVER = "chat-fp8-nc80adis-h100-v5"


def inference(**changes: Any) -> Inference:  # noqa: ANN401 plain values
    """Two regular nodes at least and at most, one of spot at most; a server a node. `changes` are of the model."""
    model = {
        "name": "chat",
        "parametersB": 70,
        "precision": "fp8",
        "contextTokens": 8192,
        "demandTokensPerSecond": 1000,
        "tokensPerSecondPerGpu": {"Standard_NC80adis_H100_v5": 1000},
        "image": f"vllm/vllm-openai@sha256:{'b' * 64}",
        "weights": {"artifact": f"models/chat@sha256:{'a' * 64}"},
        "latency": {"timeToFirstTokenMs": 1500, "timePerOutputTokenMs": 120},
        **changes,
    }
    size = "Standard_NC80adis_H100_v5"
    pools = [
        {"name": "nc", "sku": size, "nodes": {"min": 2, "max": 2}},
        {"name": "spot", "sku": size, "priority": "spot", "nodes": {"min": 0, "max": 1}},
        {"name": "cpu", "sku": "Standard_D8s_v5", "nodes": {"min": 0, "max": 1}},
    ]
    return Inference.model_validate({"models": [model], "regions": [{"name": "eastus", "pools": pools}]})


def groups(platform: Inference) -> list[RuleGroup]:
    """The rule groups of its region."""
    floors = {name: hours for (_, name), hours in hourly_floors(platform).items()}
    return rule_groups(platform.regions[0], serving_plan(platform), floors)
