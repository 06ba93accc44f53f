"""What a region's model servers are in its cluster, for golden manifests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components import serving_names
from gpufleet.spec.base import Path as SpecPath
from tests.components.graphs import Graph, Registered, build, whole_numbers
from tests.spec.environments import changed

GOLDEN = Path(__file__).parent / "golden" / "serving"
REGION = "eastus2"
IMAGE = "vllm/vllm-openai@sha256:b0501f99fec5136f248f78d5850977a2ec32d55cd9a665f4a9ffef24cbdf7fe5"
MODELS = ("inference", "models")
POOLS = ("inference", "regions", 0, "pools")
KINDS = {"Deployment", "Service", "PodDisruptionBudget"}


def weights(name: str) -> dict[str, str]:
    """Weights by a digest of their own."""
    return {"artifact": f"models/{name}@sha256:{name.encode().hex():0<64.64}"}


def model(name: str, parameters_b: float, precision: str, **more: object) -> dict[str, Any]:
    """A model that is served."""
    return {
        "name": name,
        "parametersB": parameters_b,
        "precision": precision,
        "contextTokens": 8192,
        "demandTokensPerSecond": 1000,
        "image": IMAGE,
        "weights": weights(f"{name}-{precision}"),
        **more,
    }


def pool(sku: str, name: str = "gpu", **more: object) -> dict[str, Any]:
    """A pool, of one to three nodes unless told."""
    return {"name": name, "sku": sku, "nodes": {"min": 1, "max": 3}, **more}


NC80, NC40 = "Standard_NC80adis_H100_v5", "Standard_NC40ads_H100_v5"
ND_H100, ND_MI300X = "Standard_ND96isr_H100_v5", "Standard_ND96isr_MI300X_v5"
CHAT = model("chat-70b", 70, "fp8", longestStreamSeconds=900, team="assistants")
ENVIRONMENT: dict[SpecPath, object] = {
    ("training",): [],
    ("allowedRegions",): [REGION],
    # AMD's GPU Operator and the gateway both bring a cert-manager, so one has to do without.
    ("inference", "gateway"): {"tlsSecret": "gateway"},
    ("inference", "regions", 0, "name"): REGION,
    ("inference", "regions", 0, "cluster"): {"networkPolicy": "cilium"},
    MODELS: [
        {**CHAT, "variants": [{"precision": "fp16", "trafficPercent": 20, "weights": weights("chat-70b-fp16")}]},
        model("chat-8b", 8, "fp8", kvPrecision="fp8", concurrency=64),
        model("long-70b", 70, "fp16", contextTokens=16384),
    ],
    POOLS: [
        pool(NC80, "nc80", taints=["example.com/serving=yes:NoSchedule"], nodes={"min": 3, "max": 6}),
        pool(NC80, "nc80spot", priority="spot", nodes={"min": 0, "max": 4}),
        pool(NC40, "nc40", nodes=2),
        pool(ND_H100, "h100", nodes={"min": 4, "max": 6}),
        pool(ND_MI300X, "mi300x", nodes={"min": 3, "max": 6}),
    ],
}
"""Sizes of four kinds, side by side: each model has servers on all that it fits on."""
CASES = {
    "70b-fp8-two-gpus-and-spot": "chat-70b-fp8-nc80adis-h100-v5",
    "8b-fp8-one-gpu": "chat-8b-fp8-nc40ads-h100-v5",
    "70b-fp16-eight-gpus": "long-70b-fp16-nd96isr-h100-v5",
    "70b-fp8": "chat-70b-fp8-nd96isr-h100-v5",
    "70b-fp16-beside": "chat-70b-fp16-nd96isr-h100-v5",
    "70b-fp8-amd": "chat-70b-fp8-nd96isr-mi300x-v5",
}
"""Servers whose manifests are committed."""


@cache
def graph() -> Graph:
    """The program's graph; built once a process, so read it only."""
    return build(changed(ENVIRONMENT))


def objects(case: str) -> list[Registered]:
    """The objects of one plan's servers."""
    return [
        one
        for one in graph().resources
        if one.custom
        and one.inputs.get("kind") in KINDS
        and one.inputs["metadata"].get("labels", {}).get(serving_names.SERVER) == CASES[case]
    ]


def deployment(case: str) -> Registered:
    """The Deployment of one plan."""
    (found,) = [one for one in objects(case) if one.inputs["kind"] == "Deployment"]
    return found


def pod(case: str) -> dict[str, Any]:
    """Spec of its pods."""
    spec: dict[str, Any] = deployment(case).inputs["spec"]["template"]["spec"]
    return spec


def documents() -> Iterator[tuple[str, str]]:
    """File name and content of each golden file.

    Every one holds what its pods need to be let in, so that an API server takes it by itself.
    """
    models = [one for one in graph().resources if one.custom and one.inputs.get("metadata", {}).get("name") == "models"]
    classes = graph().of("PriorityClass")
    accounts = [one for one in graph().of("ServiceAccount") if one.inputs["metadata"].get("namespace") == "models"]
    yield "network-policies.yaml", _dump([*models, *_policies()])
    for case in CASES:
        wanted = pod(case)["priorityClassName"], pod(case)["serviceAccountName"]
        needs = [one for one in (*classes, *accounts) if one.inputs["metadata"]["name"] in wanted]
        yield f"{case}.yaml", _dump([*models, *needs, *objects(case)])


def _policies() -> list[Registered]:
    """The policies that ModelNamespace makes, without those that other parts bring for their own pods."""
    return [one for one in graph().of("NetworkPolicy") if one.name.startswith(f"{REGION}-models-")]


def _dump(found: list[Registered]) -> str:
    return yaml.safe_dump_all([whole_numbers(one.inputs) for one in found], sort_keys=False, width=140)
