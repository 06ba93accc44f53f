from __future__ import annotations

import re

import pytest

from components import metric_scrapes
from components.roles import Role
from components.scale_target import ScaleTarget, scale_target
from components.scaled_objects import LONGEST_PERIOD_SECONDS, LONGEST_STABILIZATION_SECONDS, scaled_object_spec
from components.serving_rules import templates
from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.sizing.serving_plan import serving_plan
from gpufleet.spec.inference import Inference
from tests.components.autoscaling import GOLDEN, documents, environment, graph, inside, scaled
from tests.components.graphs import stack_graph, whole_numbers


@pytest.mark.parametrize(("name", "text"), [*documents()], ids=lambda value: value if value.endswith(".yaml") else "")
def test_golden(name: str, text: str) -> None:
    assert (GOLDEN / name).read_text(encoding="utf-8") == text


def test_each_form_scales_by_its_queue_and_its_kv_cache() -> None:
    queue, cache, *_ = scaled("eastus", "fp8")["triggers"]
    server = "chat-fp8-nc80adis-h100-v5"
    asked = {"serverAddress": "https://amw-test-eastus.prometheus", "ignoreNullValues": "false"}
    assert queue["metadata"] == {
        **asked,
        "query": f'sum(avg_over_time(vllm:num_requests_waiting{{server="{server}"}}[1m]))',
        "threshold": "8",
    }
    assert cache["metadata"] == {
        **asked,
        "query": f'sum(avg_over_time(vllm:kv_cache_usage_perc{{server="{server}"}}[1m]))',
        "threshold": "0.75",
    }
    assert {queue["metricType"], cache["metricType"]} == {"AverageValue"}
    assert queue["authenticationRef"] == {"name": "azure-monitor", "kind": "ClusterTriggerAuthentication"}


def test_the_floor_follows_the_demand_of_the_day() -> None:
    spec = scaled("eastus", "fp8")
    # 16,000 tokens/s, half of it here, three quarters of that fp8: 6,000 of which a server gives 2,000.
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (3, 9)
    crons = [one["metadata"] for one in scaled("eastus", "int4")["triggers"] if one["type"] == "cron"]
    assert crons == []
    assert [one for one in scaled("swedencentral", "fp8")["triggers"] if one["type"] == "cron"] == []


def test_a_server_goes_only_when_the_one_before_has_drained() -> None:
    down = scaled("eastus", "fp8")["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] == 600
    # 2,400 s is longer than Kubernetes takes; the rest is the pod's own grace period.
    assert {policy["periodSeconds"] for policy in down["policies"]} == {1800}
    assert (LONGEST_STABILIZATION_SECONDS, LONGEST_PERIOD_SECONDS) == (3600, 1800)


def test_without_metrics_no_server_is_stopped() -> None:
    assert scaled("eastus", "fp8")["fallback"] == {
        "failureThreshold": 3,
        "replicas": 3,
        "behavior": "currentReplicasIfHigher",
    }


def plans(**model: object) -> Inference:
    platform = environment()["inference"]
    platform["models"][0].update(model)
    return Inference.model_validate(platform)


def test_a_schedule_begins_before_its_hour_and_passes_midnight() -> None:
    plan = serving_plan(plans())[0]
    floors = (5, 5, *[2] * 20, 4, 5)
    crons = [one["metadata"] for one in scaled_object_spec(plan, floors, "https://x")["triggers"][2:]]  # type: ignore[index]
    assert crons == [
        {"timezone": "Etc/UTC", "start": "45 21 * * *", "end": "0 23 * * *", "desiredReplicas": "4"},
        {"timezone": "Etc/UTC", "start": "45 22 * * *", "end": "0 2 * * *", "desiredReplicas": "5"},
    ]


def test_one_server_stays_where_the_floor_is_none() -> None:
    plan = serving_plan(plans())[0]
    spec = scaled_object_spec(plan, (0,) * 24, "https://x")
    assert (spec["minReplicaCount"], len(spec["triggers"])) == (1, 2)  # type: ignore[arg-type]


def test_what_is_scaled() -> None:
    one = serving_plan(plans())[0]
    assert scale_target(one) == ScaleTarget(api_version="apps/v1", kind="Deployment")
    kaito = serving_plan(plans(server="kaito"))[0]
    assert scale_target(kaito) == ScaleTarget(api_version="kaito.sh/v1beta1", kind="InferenceSet")


def test_keda_reads_the_regions_own_metrics_and_nothing_else() -> None:
    found = graph()
    role = found.one("authorization:RoleAssignment", "eastus-autoscaler-role-metrics").inputs
    assert role["roleDefinitionId"].endswith(Role.MONITORING_DATA_READER.value)
    assert role["scope"] == "eastus-prometheus-amw-id"
    credential = found.one(
        "managedidentity:FederatedIdentityCredential", "eastus-autoscaler-credential-keda.kube-system"
    ).inputs
    assert credential["subject"] == "system:serviceaccount:kube-system:keda-operator"
    assert credential["issuer"] == "https://issuer/eastus-cluster-aks/"


def test_a_scaler_comes_after_its_servers_and_goes_before_them() -> None:
    (scaler,) = [one for one in inside("eastus") if one.name == "eastus-autoscaler-chat-fp8-nc80adis-h100-v5"]
    needed = {graph().named(urn) for urn in scaler.dependencies}
    assert {"eastus-autoscaler-authentication", "eastus-prometheus-dcra"} <= needed
    assert any(name.startswith("eastus-chat-fp8-") for name in needed)
    assert not any(name.startswith("swedencentral") for name in needed)


def test_clusters_that_serve_have_the_add_ons_and_others_say_that_they_have_not() -> None:
    for one in graph().of("containerservice:ManagedCluster"):
        assert one.inputs["azureMonitorProfile"] == {"metrics": {"enabled": True}}
        assert one.inputs["workloadAutoScalerProfile"] == {"keda": {"enabled": True}}
    lab = stack_graph("dev").one("containerservice:ManagedCluster", "lab-cluster-aks").inputs
    assert "azureMonitorProfile" not in lab
    assert "workloadAutoScalerProfile" not in lab


def test_rule_groups_are_azures() -> None:
    groups = {one.name: whole_numbers(one.inputs) for one in graph().of("alertsmanagement:PrometheusRuleGroup")}
    mine = {name: one for name, one in groups.items() if name.startswith("eastus-")}
    assert sorted(mine) == [
        "eastus-rules-gpus",
        "eastus-rules-model-servers",
        "eastus-rules-pool-nc",
        "eastus-rules-pool-spot",
        "eastus-rules-server-chat-fp8-nc80adis-h100-v5",
        "eastus-rules-server-chat-int4-nc80adis-h100-v5",
    ]
    server = mine["eastus-rules-server-chat-fp8-nc80adis-h100-v5"]
    assert server["scopes"] == ["eastus-prometheus-amw-id"]
    assert (server["clusterName"], server["location"], server["interval"]) == ("aks-test-eastus", "eastus", "PT1M")
    alerts = {rule["alert"]: rule for rule in server["rules"]}
    # Only the first token has a target.
    assert "TimePerTokenOverTarget" not in alerts
    assert alerts["TimeToFirstTokenOverTarget"]["expression"].endswith("> 1.5")
    assert alerts["QueueGrowsAtMaximum"]["expression"].count("> 8") == 1
    assert alerts["NoHealthyServer"]["severity"] == 0
    assert alerts["NoHealthyServer"]["actions"] == [{"actionGroupId": "eastus-rules-ag-id"}]
    recorded = mine["eastus-rules-model-servers"]["rules"]
    assert all({"record", "expression", "enabled"} == set(rule) for rule in recorded)


def test_alerts_reach_the_budgets_contacts() -> None:
    receivers = graph().one("monitor:ActionGroup", "eastus-rules-ag").inputs["emailReceivers"]
    assert [one["emailAddress"] for one in receivers] == ["a@example.com"]


def test_idle_gpus_tell_their_price() -> None:
    groups = {one.name: one.inputs["rules"] for one in graph().of("alertsmanagement:PrometheusRuleGroup")}
    said = groups["eastus-rules-pool-nc"][1]["annotations"]["summary"]
    assert said == "{{ $value }} GPUs of pool nc stand idle, 8 of them by its floor; each costs 6.98 USD an hour"


def test_every_scraped_metric_has_a_reader_or_a_reason() -> None:
    rules = " ".join(rule.expr for group in templates() for rule in group.rules)
    assert {"vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"} <= set(metric_scrapes.server_metrics())
    named = set(re.findall(r"vllm:\w+", rules))
    assert named <= set(metric_scrapes.server_metrics())


def test_the_exporter_is_the_stacks_own() -> None:
    managed, operator = metric_scrapes.gpus_spec(GpuStack.MANAGED), metric_scrapes.gpus_spec(GpuStack.OPERATOR)
    assert managed["namespaceSelector"] == {"matchNames": ["gpu-resources"]}
    assert operator["namespaceSelector"] == {"matchNames": ["gpu-operator"]}
