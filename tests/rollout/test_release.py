from __future__ import annotations

import json
import re

import pytest

from gpufleet.errors import ConfigurationError
from gpufleet.graph import Graph
from gpufleet.graph.model import Node, Value
from gpufleet.rollout.regions import NOWHERE, Change, by_region, ordered, touched
from gpufleet.rollout.release import changes, deployed, digests_of, models_in, models_of, selected, with_models
from gpufleet.rollout.stack_edit import back_edits
from gpufleet.spec import parse_environment
from tests.spec.environments import changed

ONE, TWO = (f"vllm/vllm-openai@sha256:{digit * 64}" for digit in "12")
CHAT: dict[str, object] = {"name": "chat", "image": ONE, "weights": {"artifact": "m@sha256:a"}}
CODE: dict[str, object] = {"name": "code", "image": ONE}


def node(name: str, type_: str, parent: str = "", **properties: dict[str, Value] | str) -> Node:
    return Node(urn=f"urn::{name}", type=type_, name=name, parent=parent, custom=True, properties=properties)


def stack() -> Graph:
    servers = []
    for region in ("eastus", "swedencentral"):
        labels: dict[str, Value] = {"gpufleet.io/server": f"chat-{region}"}
        servers += [
            node(region, "gpufleet:inference:InferenceRegion"),
            node(f"{region}-server", "gpufleet:inference:ModelServer", f"urn::{region}"),
            node(
                f"{region}-deployment", "kubernetes:apps/v1:Deployment", f"urn::{region}-server",
                metadata={"labels": labels},
            ),
            node(f"{region}-other", "kubernetes:apps/v1:Deployment", f"urn::{region}", metadata={"labels": {}}),
        ]  # fmt: skip
    return Graph([*servers, node("t", "gpufleet:environment:Environment", specification='{"class": "standard"}')])


def steps(**ops: str) -> list[Change]:
    graph = stack()
    return [
        Change(urn=one.urn, type=one.type, parent=one.parent, op=ops.get(one.name.replace("-", "_"), "same"))
        for one in graph
    ]


def test_what_differs_is_named_by_model_and_key() -> None:
    new: list[dict[str, object]] = [{**CHAT, "image": TWO}, {"name": "draft"}]
    assert [str(change) for change in changes([CHAT, CODE], new)] == [
        "chat: image vllm/vllm-openai@sha256:111111111111… -> vllm/vllm-openai@sha256:222222222222…",
        "draft: comes",
        "code: goes",
    ]
    assert [str(one) for one in changes([CODE], [{**CODE, "concurrency": 8}])] == ["code: concurrency (default) -> 8"]


def test_only_the_named_models_are_new() -> None:
    new = [{**CHAT, "image": TWO}, {**CODE, "image": TWO}]
    assert selected([CHAT, CODE], new, ["code"]) == (CHAT, {**CODE, "image": TWO})
    assert selected([CHAT, CODE], [CHAT], ["code"]) == (CHAT,)
    assert selected([CHAT, CODE], [CHAT], ["chat"]) == (CHAT, CODE)
    with pytest.raises(ConfigurationError, match=re.escape("there is no model cod\nModels: chat, code.")):
        selected([CHAT, CODE], new, ["cod"])


def test_what_is_deployed_is_read_from_the_state_and_comes_back_whole() -> None:
    assert deployed(stack()) == {"class": "standard"}
    assert deployed(Graph([])) is None
    environment = parse_environment(changed({}))
    recorded = json.loads(environment.model_dump_json(by_alias=True, exclude_defaults=True))
    assert models_in(recorded) == models_of(environment)
    again = parse_environment(with_models(recorded, models_of(environment)))
    assert again == environment
    with pytest.raises(ConfigurationError, match="no inference platform"):
        with_models({"class": "standard"}, ())


def test_what_servers_pull() -> None:
    weights = "models/chat@sha256:" + "a" * 64
    model = ("inference", "models", 0)
    value = changed({(*model, "image"): ONE, (*model, "weights"): {"artifact": weights}})
    environment = parse_environment(value)
    assert digests_of(environment, ["chat"]) == ((ONE,), (weights,))
    assert digests_of(environment, ["other"]) == ((), ())
    # KAITO's release brings image and weights of a preset.
    preset = parse_environment(
        changed({(*model, "image"): ONE, (*model, "server"): "kaito", (*model, "preset"): "phi-4"})
    )
    assert digests_of(preset, ["chat"]) == ((), ())


def test_changes_by_region() -> None:
    found = by_region(steps(t="update", eastus_deployment="update", eastus_other="delete"), stack())
    assert found == {"eastus": ("urn::eastus-deployment", "urn::eastus-other"), NOWHERE: ("urn::t",)}
    gone = [Change(urn="urn::eastus-server", type="x", parent="", op="delete")]
    new = [Change(urn="urn::new", type="y", parent="urn::swedencentral-server", op="create")]
    assert by_region([*new, *gone], stack())["swedencentral"] == ("urn::new",)


def test_servers_that_a_run_touches() -> None:
    assert touched(steps(eastus_deployment="update", eastus_other="update"), stack()) == {"eastus": ("chat-eastus",)}
    both = touched(steps(eastus_deployment="replace", swedencentral_deployment="delete"), stack())
    assert both == {"eastus": ("chat-eastus",), "swedencentral": ("chat-swedencentral",)}
    assert (
        touched([Change(urn="urn::new", type="kubernetes:apps/v1:Deployment", parent="", op="create")], stack()) == {}
    )


def test_regions_named_first_go_first() -> None:
    assert ordered(["a", "b", "c"], ["c", "x"]) == ("c", "a", "b")


def test_a_stack_file_goes_back_value_by_value() -> None:
    new = {**CHAT, "image": TWO, "weights": {"artifact": "m@sha256:b"}, "concurrency": 8}
    edits, by_hand = back_edits({"inference": {"models": [new]}}, [CHAT, CODE], [new])
    assert [(edit.path, edit.value) for edit in edits] == [
        (("inference", "models", 0, "image"), ONE),
        (("inference", "models", 0, "weights", "artifact"), "m@sha256:a"),
    ]
    assert by_hand == [
        "  inference.models[0].concurrency: take it out",
        f'  inference.models: add {{"name": "code", "image": "{ONE}"}}',
    ]
    assert back_edits({"inference": {"models": [CHAT, {"name": "new"}]}}, [CHAT], [CHAT, {"name": "new"}]) == (
        [],
        ["  inference.models[1]: take out new"],
    )
