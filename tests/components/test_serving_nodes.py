"""Servers over several nodes, KAITO's, and where weights come from: manifests, and what must hold in them."""

from __future__ import annotations

from typing import Any

import pytest

from components.model_weights import ModelWeights, folder_of, mounts_weights, patience_seconds
from gpufleet.errors import ConfigurationError
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.inference import Inference
from gpufleet.spec.model import Weights
from sandbox.kubernetes.pod_security import violations
from tests.components.serving import MODELS, POOLS
from tests.components.serving_nodes import CASES, ENVIRONMENT, GOLDEN, documents, graph, objects

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def one(case: str, kind: str) -> dict[str, Any]:
    """The only object of a kind."""
    (found,) = [each.inputs for each in objects(case) if each.inputs["kind"] == kind]
    return found


def plans() -> tuple[ServerPlan, ...]:
    """All plans of the environment."""
    inference = Inference.model_validate(
        {"models": ENVIRONMENT[MODELS], "regions": [{"name": "eastus2", "pools": ENVIRONMENT[POOLS]}]}
    )
    return serving_plan(inference)


def pods(case: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Specs of a group's leader and of its workers."""
    template = one(case, "LeaderWorkerSet")["spec"]["leaderWorkerTemplate"]
    return template["leaderTemplate"]["spec"], template["workerTemplate"]["spec"]


@pytest.mark.parametrize(("name", "text"), list(documents()))
def test_manifests_are_the_committed_ones(name: str, text: str) -> None:
    assert (GOLDEN / name).read_text(encoding="utf-8") == text, "python -m tests.components.write_serving_nodes_golden"


def test_no_golden_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize(("case", "devices"), [("deepseek-r1-two-nodes", 8), ("llama-405b-two-nodes", 8)])
def test_a_group_is_whole_nodes_with_their_infiniband(case: str, devices: int) -> None:
    spec = one(case, "LeaderWorkerSet")["spec"]
    assert (spec["replicas"], spec["leaderWorkerTemplate"]["size"]) == (1, 2)
    for pod in pods(case):
        limits = pod["containers"][0]["resources"]["limits"]
        assert (limits["nvidia.com/gpu"], limits["rdma/ib"]) == ("8", str(devices))
        assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["IPC_LOCK"]}


def test_leader_and_worker_are_ranks_of_one_engine_and_the_leader_alone_answers() -> None:
    leader, worker = (pod["containers"][0] for pod in pods("deepseek-r1-two-nodes"))
    assert leader["args"][-6:] == [
        "--pipeline-parallel-size=2",
        "--distributed-executor-backend=mp",
        "--nnodes=$(LWS_GROUP_SIZE)",
        "--node-rank=$(LWS_WORKER_INDEX)",
        "--master-addr=$(LWS_LEADER_ADDRESS)",
        "--master-port=29501",
    ]
    assert "--tensor-parallel-size=8" in leader["args"]
    assert worker["args"] == [*leader["args"], "--headless"]
    assert ("readinessProbe" in leader, "readinessProbe" in worker, "ports" in worker) == (True, False, False)
    assert one("deepseek-r1-two-nodes", "Service")["spec"]["selector"] == {
        "gpufleet.io/server": "deepseek-r1-fp8-nd96isr-h100-v5",
        "leaderworkerset.sigs.k8s.io/worker-index": "0",
    }


def test_a_group_is_told_the_fabric_and_stays_in_one_domain() -> None:
    leader, _ = pods("deepseek-r1-two-nodes")
    variables = {each["name"]: each.get("value") for each in leader["containers"][0]["env"]}
    assert variables["NCCL_TOPO_FILE"] == "/etc/nccl/ndv5-topo.xml"
    assert variables["NCCL_COLLNET_ENABLE"] == "1"
    (term,) = leader["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert (term["topologyKey"], term["matchLabelKeys"]) == (
        "gpufleet.io/infiniband-domain",
        ["leaderworkerset.sigs.k8s.io/group-key"],
    )


def test_the_namespace_of_groups_comes_after_its_policy_and_servers_after_the_operator() -> None:
    namespace = graph().one("Namespace", "eastus2-models-rdma-namespace")
    assert namespace.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    assert [graph().named(urn) for urn in namespace.dependencies] == ["eastus2-lws-policy-binding"]
    groups = graph().one("LeaderWorkerSet", "eastus2-deepseek-r1-fp8-nd96isr-h100-v5-vllm-groups")
    after = {graph().named(urn) for urn in groups.dependencies}
    assert {"eastus2-lws-operator", "eastus2-models-rdma-namespace", "eastus2-weights-role-acrpull"} <= after
    assert groups.ignore_changes == ("spec.replicas",)


def test_kaito_uses_the_nodes_that_are_there_and_its_service_has_the_port_of_all_servers() -> None:
    spec = one("kaito-phi-4", "InferenceSet")["spec"]
    assert spec["labelSelector"] == {"matchLabels": {"node.kubernetes.io/instance-type": "Standard_NC40ads_H100_v5"}}
    assert spec["template"]["inference"] == {"preset": {"name": "phi-4"}}
    (port,) = one("kaito-phi-4", "Service")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (8000, 5000)
    values = graph().one("Release", "eastus2-kaito-operator").inputs["values"]
    assert values["featureGates"] == {"disableNodeAutoProvisioning": True}


def test_weights_come_by_an_identity_that_may_pull_and_no_more() -> None:
    subjects = sorted(
        each.inputs["subject"] for each in graph().of("FederatedIdentityCredential") if "weights" in each.name
    )
    assert subjects == [
        "system:serviceaccount:models-rdma:model-server",
        "system:serviceaccount:models:model-server",
    ]
    role = graph().one("RoleAssignment", "eastus2-weights-role-acrpull").inputs
    assert role["roleDefinitionId"].endswith("/7f951dda-4ed3-4680-a7ca-43fe172d538d")
    leader, _ = pods("deepseek-r1-two-nodes")
    (puller,) = leader["initContainers"]
    assert (puller["restartPolicy"], puller["command"][-1]) == ("Always", "hold")
    assert puller["startupProbe"]["failureThreshold"] * puller["startupProbe"]["periodSeconds"] == 6710


def test_nodes_without_disks_have_weights_from_blobs_that_a_job_fills() -> None:
    pod = one("weights", "Job")["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"][-1] == "fill"
    assert violations(RESTRICTED, "enforce", pod) is None
    server = graph().one("Deployment", "eastus2-small-fp8-nv36ads-a10-v5-vllm-deployment").inputs["spec"]["template"]
    assert [each["command"][-1] for each in server["spec"]["initContainers"]] == ["wait"]
    assert violations(RESTRICTED, "enforce", server["spec"]) is None
    cluster = graph().one("ManagedCluster").inputs
    assert cluster["storageProfile"] == {"blobCSIDriver": {"enabled": True}}


def test_patience_is_that_of_the_slowest_registry() -> None:
    found = {plan.model.name: plan for plan in plans()}
    assert patience_seconds(found["deepseek-r1"]) == 6710
    assert patience_seconds(found["small"]) == 600


def test_a_cache_is_named_by_the_digest() -> None:
    assert folder_of(Weights(artifact=f"models/a@sha256:{'0' * 64}")) == f"sha256-{'0' * 64}"


def test_blobs_are_mounted_only_where_a_server_needs_them() -> None:
    by_name = {plan.model.name: plan for plan in plans()}
    region = Inference.model_validate(
        {"models": ENVIRONMENT[MODELS], "regions": [{"name": "eastus2", "pools": ENVIRONMENT[POOLS]}]}
    ).regions[0]
    assert mounts_weights(region.pools, [by_name["small"]])
    assert not mounts_weights(region.pools, [by_name["deepseek-r1"], by_name["phi"]])


def test_a_form_without_weights_has_no_volume() -> None:
    (phi,) = [plan for plan in plans() if plan.model.name == "phi"]
    with pytest.raises(ConfigurationError, match="phi-bf16-nc40ads-h100-v5 has no weights"):
        ModelWeights.volume(ModelWeights.__new__(ModelWeights), phi)
