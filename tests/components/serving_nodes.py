"""Servers over several nodes, KAITO's, and weights in blob storage, for golden manifests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from gpufleet.spec.base import Path as KeyPath
from tests.components.graphs import Graph, Registered, build, whole_numbers
from tests.components.serving import MODELS, POOLS, REGION, model, pool
from tests.spec.environments import changed

GOLDEN = Path(__file__).parent / "golden" / "serving-nodes"
ND_H100, A10, NC40 = "Standard_ND96isr_H100_v5", "Standard_NV36ads_A10_v5", "Standard_NC40ads_H100_v5"
# DeepSeek-R1: config.json; latent attention keeps 512 + 64 values a token and layer, here half as key, half as value.
R1 = model(
    "deepseek-r1",
    671,
    "fp8",
    activeParametersB=37,
    concurrency=16,
    architecture={"layers": 61, "kvHeads": 1, "headDim": 288},
)
# Llama 3.1 405B: config.json.
LLAMA_405B = model("llama-405b", 405, "fp16", concurrency=8, architecture={"layers": 126, "kvHeads": 8, "headDim": 128})
SMALL = model("small", 3, "fp8", contextTokens=4096, tokensPerSecondPerGpu={A10: 500})
PHI = {
    "name": "phi",
    "parametersB": 14.7,
    "precision": "bf16",
    "contextTokens": 8192,
    "concurrency": 8,
    "demandTokensPerSecond": 100,
    "server": "kaito",
    "preset": "phi-4",
}
ENVIRONMENT: dict[KeyPath, object] = {
    ("training",): [],
    ("allowedRegions",): [REGION],
    ("inference", "gateway"): {"tlsSecret": "gateway"},
    ("inference", "regions", 0, "name"): REGION,
    ("inference", "regions", 0, "cluster"): {"networkPolicy": "cilium"},
    MODELS: [R1, LLAMA_405B, SMALL, PHI],
    POOLS: [
        pool(ND_H100, "h100", nodes={"min": 2, "max": 4}, serves=["deepseek-r1"]),
        pool(ND_H100, "h100b", nodes={"min": 2, "max": 4}, serves=["llama-405b"]),
        pool(A10, "a10", nodes={"min": 1, "max": 2}, serves=["small"]),
        pool(NC40, "nc", nodes={"min": 1, "max": 2}, serves=["phi"]),
    ],
}
_H100 = "nd96isr-h100-v5"
CASES: dict[str, str | tuple[str, ...]] = {
    "deepseek-r1-two-nodes": f"{REGION}-deepseek-r1-fp8-{_H100}-",
    "llama-405b-two-nodes": f"{REGION}-llama-405b-fp16-{_H100}-",
    "kaito-phi-4": f"{REGION}-phi-bf16-nc40ads-h100-v5-",
    "operators": (f"{REGION}-lws-", f"{REGION}-kaito-"),
    "namespaces": (f"{REGION}-models-kaito-", f"{REGION}-models-rdma-"),
    "weights": f"{REGION}-weights-",
}
"""Golden file by the prefix of the resources in it."""


@cache
def graph() -> Graph:
    """The program's graph; built once a process, so read it only."""
    return build(changed(ENVIRONMENT))


def objects(case: str) -> list[Registered]:
    """Objects of a case in the cluster."""
    return [
        one
        for one in graph().resources
        if one.custom and one.type.startswith("kubernetes:") and one.name.startswith(CASES[case])
    ]


def documents() -> Iterator[tuple[str, str]]:
    """File name and content of each golden file."""
    for case in CASES:
        shown = [whole_numbers(one.inputs) for one in objects(case)]
        yield f"{case}.yaml", yaml.safe_dump_all(shown, sort_keys=False, width=140)
