from __future__ import annotations

from typing import Any

from gpufleet.spec.problem import Severity
from tests.spec.environments import Case, cases, changed, judge, verdict

_MODEL = ("inference", "models", 0)
_DIGEST = "sha256:" + "0" * 64
_WEIGHTS = {"artifact": f"models/chat-fp8@{_DIGEST}"}
_IMAGE = f"vllm/vllm-openai@{_DIGEST}"


def _served(**more: object) -> dict[str, Any]:
    return {
        "name": "chat",
        "parametersB": 7,
        "precision": "fp8",
        "contextTokens": 4096,
        "demandTokensPerSecond": 100,
        "image": _IMAGE,
        "weights": _WEIGHTS,
        **more,
    }


def _variant(percent: int, **more: object) -> dict[str, Any]:
    return {"precision": "fp16", "trafficPercent": percent, "weights": _WEIGHTS, **more}


@cases(
    Case(
        "shares beyond the whole",
        {_MODEL: _served(variants=[_variant(60), _variant(41, name="b")])},
        "inference.models[0].variants",
        "take 101 % of the requests, more than there are",
        {_MODEL: _served(variants=[_variant(60), _variant(40, name="b")])},
    ),
    Case(
        "a variant that is called as the model's own form",
        {_MODEL: _served(variants=[_variant(10, precision="fp8")])},
        "inference.models[0].variants[0]",
        "is called fp8, and so is the model's own form",
        {_MODEL: _served(variants=[_variant(10, precision="fp8")], variant="old")},
    ),
    Case(
        "two variants of one name",
        {_MODEL: _served(variants=[_variant(10), _variant(10, precision="int4", name="fp16")])},
        "inference.models[0].variants[1]",
        "is called fp16, and so is variants[0]",
        {_MODEL: _served(variants=[_variant(10), _variant(10, precision="int4")])},
    ),
    Case(
        "weights without an image",
        {_MODEL: {key: value for key, value in _served().items() if key != "image"}},
        "inference.models[0].name",
        "chat has weights and no image of the server that loads them",
        {_MODEL: _served()},
    ),
    Case(
        "an image that KAITO doesn't run",
        {_MODEL: {key: value for key, value in _served(server="kaito", preset="phi-4").items() if key != "weights"}},
        "inference.models[0].image",
        "is not used: KAITO runs an image of its own",
        {_MODEL: _served()},
        severity=Severity.WARNING,
    ),
    Case(
        "a variant that is planned alone",
        {_MODEL: _served(variants=[{"precision": "fp16", "trafficPercent": 10}])},
        "inference.models[0].variants[0].precision",
        "chat in fp16 is planned and priced, and nothing serves it: it has no weights",
        {_MODEL: {key: value for key, value in _served().items() if key != "weights"}},
        severity=Severity.WARNING,
    ),
    Case(
        "a model beside a served one",
        {("inference", "models", 1): _served(name="other", precision="fp16"), (*_MODEL, "precision"): "fp8"},
        "inference.models[0].name",
        "chat in fp8 is planned and priced, and nothing serves it: it has no weights",
        {_MODEL: _served(), ("inference", "models", 1): _served(name="other", precision="fp16")},
        severity=Severity.WARNING,
    ),
    Case(
        "a name that no Service takes",
        {_MODEL: _served(name="7b-chat")},
        "inference.models[0].name",
        "7b-chat starts with a digit, and its servers' Service is called after it",
        {_MODEL: {key: value for key, value in _served(name="7b-chat").items() if key != "weights"}},
    ),
    Case(
        "a name that leaves no room",
        # -fp8-nc40ads-h100-v5 has 20 characters.
        {_MODEL: _served(name="m" * 28)},
        "inference.models[0].name",
        f"its servers would be called {'m' * 28}-fp8-nc40ads-h100-v5, which has 48 characters, and Kubernetes' own "
        "suffixes leave 47",
        {_MODEL: _served(name="m" * 27)},
    ),
)
def test_models(case: Case) -> None:
    judge(case)


_REGION = ("inference", "regions", 0)


@cases(
    Case(
        "a pool of a model that there isn't",
        {(*_REGION, "pools", 0, "serves"): ["chat", "chet"]},
        "inference.regions[0].pools[0].serves[1]",
        'no model is called "chet"',
        {(*_REGION, "pools", 0, "serves"): ["chat"]},
    ),
    Case(
        "a training pool that serves",
        {("training", 0, "pools", 0, "serves"): ["chat"]},
        "training[0].pools[0].serves",
        "stands in a training fabric, which serves no models",
        {("training", 0, "pools", 0, "serves"): []},
    ),
    Case(
        "replicas of a model that there isn't",
        {(*_REGION, "replicas"): {"other": {"min": 1}}},
        "inference.regions[0].replicas.other",
        'no model is called "other"',
        {(*_REGION, "replicas"): {"chat": {"min": 1}}},
    ),
    Case(
        "an origin that never asks",
        {("inference", "demand"): [{"region": "eastus", "share": 1, "hourlyPercent": [0] * 24}]},
        "inference.demand[0].hourlyPercent",
        "has no hour with any demand",
        {("inference", "demand"): [{"region": "eastus", "share": 1, "hourlyPercent": [0] * 23 + [100]}]},
    ),
    Case(
        "more at the least than at the most",
        {(*_REGION, "replicas"): {"chat": {"min": 3, "max": 2}}},
        "inference.regions[0].replicas.chat.min",
        "3 is more than max, which is 2",
        {(*_REGION, "replicas"): {"chat": {"min": 2, "max": 2}}},
    ),
)
def test_pins(case: Case) -> None:
    judge(case)


def test_an_unknown_precision_and_the_nearest() -> None:
    [problem] = verdict(changed({(*_MODEL, "precision"): "fp9"}))
    assert problem.key == "inference.models[0].precision"
    assert problem.message == 'must be one of fp16, bf16, fp8, int8, int4, not the text "fp9"'
    assert problem.fix == "Did you mean fp8?"
