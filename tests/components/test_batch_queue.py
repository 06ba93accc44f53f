"""BatchQueue, TeamNamespaces and MpiOperator."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from components.batch_queue import configuration, flavor_spec
from components.team_namespaces import pod_rules
from gpufleet.catalog import node_capacity, sizes
from gpufleet.spec import Environment
from gpufleet.spec.pool import Pool
from tests.components.graphs import ROOT, Graph, build
from tests.components.queues import CASES, GOLDEN, QUEUE, TEAMS, documents, graph
from tests.spec.environments import POOL, changed

_KUEUE = "kueue.x-k8s.io/v1beta2:"


def _specs(of: Graph, kind: str) -> dict[str, dict[str, Any]]:
    return {one.inputs["metadata"]["name"]: one.inputs["spec"] for one in of.of(f"{_KUEUE}{kind}")}


def test_golden_files_are_current() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.yaml")} == dict(documents())


@pytest.mark.parametrize("case", CASES)
def test_every_flavor_covers_every_resource_in_the_same_order(case: str) -> None:
    for spec in _specs(graph(case), "ClusterQueue").values():
        (group,) = spec["resourceGroups"]
        for flavor in group["flavors"]:
            assert [resource["name"] for resource in flavor["resources"]] == group["coveredResources"]


@pytest.mark.parametrize("case", CASES)
def test_quotas_are_whole_nodes_and_no_more_than_there_are(case: str) -> None:
    fabric = Environment.model_validate(changed(CASES[case])).training[0]
    queues = _specs(graph(case), "ClusterQueue")
    for pool in fabric.pools:
        size = sizes.get(pool.sku)
        if not size.is_gpu:
            assert all(pool.name not in json.dumps(spec) for spec in queues.values())
            continue
        each = node_capacity.of(size)
        nodes = pool.nodes if isinstance(pool.nodes, int) else pool.nodes.max
        given = [
            {resource["name"]: resource["nominalQuota"] for resource in flavor["resources"]}
            for spec in queues.values()
            for flavor in spec["resourceGroups"][0]["flavors"]
            if flavor["name"] == pool.name
        ]
        assert sum(int(one["cpu"]) for one in given) == nodes * each.cpus
        assert sum(int(one["memory"].removesuffix("Gi")) for one in given) == nodes * each.memory_gib
        assert sum(int(one[each.gpu_resource]) for one in given) == nodes * each.gpus
        if "rdma/ib" in given[0]:
            assert sum(int(one["rdma/ib"]) for one in given) == nodes * each.rdma_devices


def test_all_or_nothing_scale_up_is_for_autoscaled_pools_alone() -> None:
    checks = _specs(graph("teams"), "ClusterQueue")["text"]["admissionChecksStrategy"]["admissionChecks"]
    assert checks == [{"name": "whole-gang", "onFlavors": ["h100"]}]
    assert _specs(graph("teams"), "ProvisioningRequestConfig")["whole-gang"]["provisioningClassName"] == (
        "best-effort-atomic-scale-up.autoscaling.x-k8s.io"
    )
    assert "admissionChecksStrategy" not in _specs(graph("fixed-shared-rdma"), "ClusterQueue")["default"]
    assert graph("fixed-shared-rdma").of(f"{_KUEUE}AdmissionCheck") == []


def test_a_deployment_leaves_stopped_queues_stopped() -> None:
    (queue,) = graph("one-team").of(f"{_KUEUE}ClusterQueue")
    assert queue.ignore_changes == ("spec.stopPolicy",)
    assert "stopPolicy" not in queue.inputs["spec"]


def test_the_order() -> None:
    made = graph("one-team")

    def waits(type_: str, name: str) -> set[str]:
        return {made.named(urn).removeprefix("lab-queue-") for urn in made.one(type_, f"lab-queue-{name}").dependencies}

    assert waits(f"{_KUEUE}Topology", "topology-fabric") == {"kueue"}
    assert waits(f"{_KUEUE}ResourceFlavor", "resource-flavor-h100") == {"topology-fabric"}
    assert waits(f"{_KUEUE}ClusterQueue", "cluster-queue-default") == {
        "resource-flavor-h100",
        "admission-check-whole-gang",
    }
    assert waits(f"{_KUEUE}LocalQueue", "local-queue-team-default-training") == {
        "cluster-queue-default",
        "teams-default",
    }
    assert waits("core/v1:Namespace", "teams-default") == {"teams-policy-binding"}
    assert {"mpi-operator-definition", "mpi-operator-binding"} <= waits("apps/v1:Deployment", "mpi-operator-controller")


def test_topology_from_the_fabric_to_the_node() -> None:
    assert _specs(graph("one-team"), "Topology")["fabric"]["levels"] == [
        {"nodeLabel": "gpufleet.io/fabric"},
        {"nodeLabel": "gpufleet.io/infiniband-domain"},
        {"nodeLabel": "kubernetes.io/hostname"},
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": "spot"},
        {"taints": ["a=b:NoSchedule"]},
        {"nodes": 300},
        {"zones": ["1"]},
        {"os_disk_gib": 512},
    ],
    ids=str,
)
def test_nothing_changes_in_a_flavor_that_kueue_never_changes(fields: dict[str, object]) -> None:
    base = Pool(name="h100", sku="Standard_ND96isr_H100_v5", nodes=8)
    fixed = ("nodeLabels", "tolerations", "topologyName")
    before, after = flavor_spec(base), flavor_spec(base.model_copy(update=fields))
    assert {key: before[key] for key in fixed} == {key: after[key] for key in fixed}


def test_jobs_must_tolerate_spot_by_themselves() -> None:
    flavor = _specs(graph("spot"), "ResourceFlavor")["spot"]
    assert flavor["nodeTaints"] == [
        {"key": "example.com/batch", "value": "yes", "effect": "NoSchedule"},
        {"key": "kubernetes.azure.com/scalesetpriority", "value": "spot", "effect": "NoSchedule"},
    ]
    assert {toleration["key"] for toleration in flavor["tolerations"]} == {"nvidia.com/gpu", "amd.com/gpu"}
    assert "topologyName" not in flavor


@pytest.mark.parametrize(
    ("case", "mapped"),
    [
        ("one-team", []),
        ("dra", ["nvidia.com/gpu"]),
        ("racks", ["nvidia.com/gpu", "gpufleet.io/compute-domain-channel"]),
    ],
)
def test_device_classes_are_counted_where_they_are_claimed(case: str, mapped: list[str]) -> None:
    fabric = Environment.model_validate(changed(CASES[case])).training[0]
    found: dict[str, Any] = configuration(fabric)
    assert [one["name"] for one in found.get("resources", {}).get("deviceClassMappings", [])] == mapped
    (spec,) = _specs(graph(case), "ClusterQueue").values()
    assert set(mapped) <= set(spec["resourceGroups"][0]["coveredResources"])


def test_kueue_waits_for_pods_as_long_as_the_specification_says() -> None:
    release = graph("teams").one("helm.sh/v3:Release", "lab-queue-kueue").inputs
    config = yaml.safe_load(release["values"]["managerConfig"]["controllerManagerConfigYaml"])
    assert config["waitForPodsReady"]["timeout"] == "45m"
    assert config["integrations"]["frameworks"] == [
        "batch/job",
        "kubeflow.org/mpijob",
        "jobset.x-k8s.io/jobset",
        "trainer.kubeflow.org/trainjob",
    ]


def test_teams_namespaces_are_open_only_with_the_policy() -> None:
    made = graph("teams")
    namespaces = [one for one in made.of("core/v1:Namespace") if one.name.startswith("lab-queue-teams-")]
    assert [one.inputs["metadata"]["name"] for one in namespaces] == ["team-text", "team-vision"]
    for one in namespaces:
        assert one.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    binding = made.one("admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding").inputs["spec"]
    assert binding["validationActions"] == ["Deny"]
    selector = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert selector == [{"key": "gpufleet.io/team", "operator": "Exists"}]


def test_gpus_of_all_vendors_are_kept_for_the_queue() -> None:
    expression, message = pod_rules(["nvidia.com/gpu", "amd.com/gpu"])[-1]
    assert "'nvidia.com/gpu' in " in expression
    assert "'amd.com/gpu' in " in expression
    assert message.startswith("pods get GPUs through the team's queue")


def _objects(made: Graph) -> dict[str, dict[str, Any]]:
    return {one.name: one.inputs for one in made.resources if one.custom and one.name.startswith("lab-queue-")}


def test_a_team_more_touches_no_other_team() -> None:
    teams = {**TEAMS, "teams": [*TEAMS["teams"], {"name": "guests", "nominalNodes": {}}]}
    before, after = _objects(graph("teams")), _objects(build(changed({**CASES["teams"], QUEUE: teams})))
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {
        "lab-queue-teams-guests",
        "lab-queue-cluster-queue-guests",
        "lab-queue-local-queue-team-guests-training",
    }


def test_a_larger_pool_changes_its_teams_queue_alone() -> None:
    before = _objects(graph("one-team"))
    after = _objects(build(changed({(*POOL, "nodes", "max"): 9})))
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} == {"lab-queue-cluster-queue-default"}


def _settings(value: object, path: str = "") -> set[str]:
    """Paths of all that is set, such as `spec.levels[].nodeLabel`."""
    if isinstance(value, dict) and value:
        return {found for key, item in value.items() for found in _settings(item, f"{path}.{key}" if path else key)}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {found for item in value for found in _settings(item, f"{path}[]")}
    return {path}


def test_the_guide_has_every_setting_and_no_other() -> None:
    found = set()
    for _, text in documents():
        for body in yaml.safe_load_all(text):
            if "chart" in body:
                found |= {f"{body['chart'].rpartition('/')[2]} {path}" for path in _settings(body["values"])}
            elif body["apiVersion"].startswith("kueue"):
                content = {key: item for key, item in body.items() if key not in {"apiVersion", "kind", "metadata"}}
                found |= {f"{body['kind']} {path.removeprefix('spec.')}" for path in _settings(content)}
    guide = (ROOT / "docs" / "guides" / "training-queue.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in guide.splitlines() if line.startswith("| `")}
    assert {path for path in found if not any(re.match(rf"{re.escape(row)}($|[.\[])", path) for row in rows)} == set()
    assert {row for row in rows if not any(re.match(rf"{re.escape(row)}($|[.\[])", path) for path in found)} == set()
