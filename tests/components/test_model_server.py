"""Model servers: manifests, and what their figures rest on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components import server_pod
from components.server_times import drain_times, start_times
from components.vllm_arguments import vllm_arguments
from components.vllm_settings import vllm_settings
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.inference import Inference
from sandbox.kubernetes.pod_security import violations
from tests.components.graphs import ROOT
from tests.components.serving import (
    CASES,
    CHAT,
    GOLDEN,
    MODELS,
    NC40,
    NC80,
    ND_H100,
    ND_MI300X,
    POOLS,
    deployment,
    documents,
    graph,
    model,
    objects,
    pod,
    pool,
)
from tests.spec.environments import changed


def plans(*models: dict[str, Any], sku: str = NC80) -> tuple[ServerPlan, ...]:
    """The servers of models on one pool."""
    inference = changed({MODELS: list(models), POOLS: [pool(sku)]})["inference"]
    return serving_plan(Inference.model_validate(inference))


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return dict(documents())


@pytest.mark.parametrize("name", ["network-policies.yaml", *(f"{case}.yaml" for case in CASES)])
def test_manifests_are_as_committed(name: str, written: dict[str, str]) -> None:
    assert written[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_no_manifest_is_left_over(written: dict[str, str]) -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(written)


@pytest.mark.parametrize("case", CASES)
def test_pods_are_what_restricted_allows(case: str) -> None:
    assert violations({"pod-security.kubernetes.io/enforce": "restricted"}, "enforce", pod(case)) is None


def test_servers_go_before_their_pools_and_after_their_routes() -> None:
    servers = deployment("70b-fp8-two-gpus-and-spot")
    pools = {one.urn: one.inputs["agentPoolName"] for one in graph().of("containerservice:AgentPool")}
    assert sorted(pools[urn].startswith("nc80") for urn in servers.dependencies if urn in pools) == [True, True]
    assert servers.ignore_changes == ("spec.replicas",)
    (service,) = [one for one in objects("70b-fp8-two-gpus-and-spot") if one.inputs["kind"] == "Service"]
    assert servers.urn in service.dependencies


def test_timeouts_are_longer_than_a_start_and_a_drain() -> None:
    servers = deployment("8b-fp8-one-gpu")
    # Create: 1,516 s until a new server is ready, 600 s for its weights, and five minutes. Update: also two servers,
    # each 310 s to start, 30 s to prove itself and 630 s to end. Delete: 630 s and five minutes.
    assert servers.timeouts == ("2416s", "4356s", "930s")


def test_only_spot_pools_bring_a_spot_toleration_and_a_preference() -> None:
    mixed, regular = pod("70b-fp8-two-gpus-and-spot"), pod("8b-fp8-one-gpu")
    assert [[one["key"] for one in each["tolerations"]] for each in (mixed, regular)] == [
        ["nvidia.com/gpu", "kubernetes.azure.com/scalesetpriority", "example.com/serving"],
        ["nvidia.com/gpu"],
    ]
    (preferred,) = mixed["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    (expression,) = preferred["preference"]["matchExpressions"]
    assert expression == {"key": "kubernetes.azure.com/scalesetpriority", "operator": "NotIn", "values": ["spot"]}
    # A spread would weigh as much as that preference.
    assert "topologySpreadConstraints" not in mixed
    assert [one["whenUnsatisfiable"] for one in regular["topologySpreadConstraints"]] == ["ScheduleAnyway"] * 2
    assert list(regular["affinity"]["nodeAffinity"]) == ["requiredDuringSchedulingIgnoredDuringExecution"]


def test_a_fixed_pool_rolls_without_a_server_more() -> None:
    found = [deployment(case).inputs["spec"]["strategy"]["rollingUpdate"] for case in ("8b-fp8-one-gpu", "70b-fp8")]
    assert found == [{"maxSurge": 0, "maxUnavailable": 1}, {"maxSurge": 1, "maxUnavailable": 0}]


def test_the_other_form_makes_room_first() -> None:
    found = [pod(case)["priorityClassName"] for case in ("70b-fp8", "70b-fp16-beside")]
    assert found == ["gpufleet-serving", "gpufleet-serving-variant"]


@pytest.mark.parametrize(
    ("precision", "more", "expected"),
    [
        ("fp8", {}, ["--dtype=auto", "--kv-cache-dtype=auto"]),
        ("int4", {"kvPrecision": "fp8"}, ["--dtype=auto", "--kv-cache-dtype=fp8"]),
        ("fp16", {}, ["--dtype=float16", "--kv-cache-dtype=auto"]),
        ("bf16", {}, ["--dtype=bfloat16", "--kv-cache-dtype=auto"]),
    ],
)
def test_numbers_are_read_as_they_are_stored(precision: str, more: dict[str, Any], expected: list[str]) -> None:
    (plan,) = plans(model("chat", 8, precision, **more))
    found = vllm_arguments(plan)
    assert [one for one in found if "dtype" in one] == expected
    # vLLM reads the method from the weights, and refuses another.
    assert not any("quantization" in one for one in found)


def test_arguments_are_the_sizings() -> None:
    (plan,) = plans({**CHAT, "concurrency": 24})
    assert vllm_arguments(plan) == [
        "--served-model-name=chat-70b",
        "--port=8000",
        "--tensor-parallel-size=2",
        "--max-model-len=8192",
        "--max-num-seqs=24",
        "--gpu-memory-utilization=0.9",
        "--dtype=auto",
        "--kv-cache-dtype=auto",
        "--enable-prefix-caching",
        "--shutdown-timeout=900",
    ]


def test_a_start_reads_the_weights_and_builds_the_engine() -> None:
    (plan,) = plans(CHAT)
    found = start_times(plan)
    # 2 · 70 GB / 3.1 GB/s + 300 s = 345.2 s, in probes every 10 s.
    assert (found.probe_failures, found.budget_seconds) == (35, 350)
    # A node of 1,200 s and a read before it.
    assert found.progress_seconds == 1200 + 46 + 350


def test_replicas_of_a_node_share_what_it_reads() -> None:
    (alone,) = plans(model("chat", 8, "fp8"), sku=NC40)
    (shared,) = plans(model("chat", 8, "fp8"), sku=ND_H100)
    assert (alone.serving.fit.replicas_per_node, shared.serving.fit.replicas_per_node) == (1, 8)
    # 2 · 8 GB / 3.1 GB/s is 5 s, and 41 s for eight.
    assert (start_times(alone).budget_seconds, start_times(shared).budget_seconds) == (310, 350)


def test_a_server_ends_after_its_longest_stream() -> None:
    (plan,) = plans({**CHAT, "longestStreamSeconds": 3600})
    found = drain_times(plan)
    assert (found.lead_seconds, found.answer_seconds, found.grace_seconds) == (15, 3600, 3630)


def test_amds_devices_have_groups_of_their_own() -> None:
    (amd,), (nvidia,) = plans(CHAT, sku=ND_MI300X), plans(CHAT)
    assert server_pod.pod_security(amd).supplemental_groups == [44]
    assert server_pod.pod_security(nvidia).supplemental_groups is None


def test_the_guide_names_every_argument_and_no_other() -> None:
    guide = (ROOT / "docs" / "guides" / "inference-servers.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(--[a-z-]+)` \|", guide, re.MULTILINE))
    assert named == {one.name for one in vllm_settings().arguments}


def test_the_cluster_enforces_policies_and_waits_for_the_longest_stream() -> None:
    cluster = graph().one("containerservice:ManagedCluster").inputs
    network = cluster["networkProfile"]
    assert (network["networkPolicy"], network["networkDataplane"]) == ("cilium", "cilium")
    # 15 s of wait, 900 s of answers, 15 s to end.
    assert cluster["autoScalerProfile"]["maxGracefulTerminationSec"] == "930"
