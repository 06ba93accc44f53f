from __future__ import annotations

from typing import Any

from tests.spec.environments import SERVE, Case, cases, judge

_MODEL = ("inference", "models", 0)
_DIGEST = "sha256:" + "0" * 64
_A10 = "Standard_NV36ads_A10_v5"


def _served(**cache: str) -> dict[str, Any]:
    return {
        "name": "chat",
        "parametersB": 7,
        "precision": "fp8",
        "contextTokens": 4096,
        "demandTokensPerSecond": 100,
        "image": f"vllm/vllm-openai@{_DIGEST}",
        "weights": {"artifact": f"models/chat@{_DIGEST}", **cache},
    }


def _kaito(**more: object) -> dict[str, Any]:
    return {
        "name": "phi",
        "parametersB": 14.7,
        "precision": "bf16",
        "contextTokens": 4096,
        "demandTokensPerSecond": 10,
        "server": "kaito",
        "preset": "phi-4",
        **more,
    }


@cases(
    Case(
        "nvme on nodes without disks",
        {_MODEL: _served(cache="nvme"), (*SERVE, "sku"): _A10},
        "inference.models[0].weights.cache",
        f"nvme needs local disks, and the nodes of swedencentral/nc ({_A10}) offer none",
        {_MODEL: _served(cache="blob"), (*SERVE, "sku"): _A10},
    ),
    Case(
        "a preset that KAITO doesn't know",
        {_MODEL: _kaito(preset="phi-44")},
        "inference.models[0].preset",
        'KAITO has no preset "phi-44"',
        {_MODEL: _kaito()},
    ),
    Case(
        "a preset that asks for a token",
        {_MODEL: _kaito(preset="llama-3.1-8b-instruct")},
        "inference.models[0].preset",
        "meta-llama/Llama-3.1-8B-Instruct is given out only for a Hugging Face token, and gpufleet keeps none",
        {_MODEL: _kaito()},
    ),
    Case(
        "weights for KAITO",
        {_MODEL: _kaito(weights={"artifact": f"models/phi@{_DIGEST}"})},
        "inference.models[0].weights",
        "are not for KAITO: a preset has weights of its own, in one form",
        {_MODEL: _kaito()},
    ),
    Case(
        "a preset for vLLM",
        {_MODEL: {**_served(), "preset": "phi-4"}},
        "inference.models[0].preset",
        "is KAITO's, and vLLM runs this model's servers",
        {_MODEL: _served()},
    ),
)
def test_weights_and_kaito(case: Case) -> None:
    judge(case)
