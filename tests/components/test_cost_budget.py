from __future__ import annotations

from tests.components.graphs import SUBSCRIPTION, build, stack_graph
from tests.spec.environments import changed

BUDGET = ("budget",)


def test_budget() -> None:
    budget = dict(stack_graph("prod").one("consumption:Budget").inputs)
    notifications = budget.pop("notifications")
    assert budget == {
        "budgetName": "bud-prod",
        "scope": f"/subscriptions/{SUBSCRIPTION}",
        "category": "Cost",
        "amount": 6200000,
        "timeGrain": "Monthly",
        "timePeriod": {"startDate": "2026-12-01T00:00:00Z", "endDate": "2036-12-01T00:00:00Z"},
        "filter": {
            "and": [
                {"tags": {"name": "managed-by", "operator": "In", "values": ["gpufleet"]}},
                {"tags": {"name": "environment", "operator": "In", "values": ["prod"]}},
            ]
        },
    }
    assert {key: (n["thresholdType"], n["threshold"]) for key, n in notifications.items()} == {
        "actual-50-percent": ("Actual", 50),
        "actual-80-percent": ("Actual", 80),
        "actual-100-percent": ("Actual", 100),
        "forecasted-100-percent": ("Forecasted", 100),
    }
    for notification in notifications.values():
        assert notification["enabled"] is True
        assert notification["operator"] == "GreaterThanOrEqualTo"
        assert notification["contactEmails"] == ["ml-finops@example.com"]
        assert notification["contactGroups"] == ["prod-budget-ag-id"]


def test_a_fraction_of_a_percent_is_a_key_that_azure_takes() -> None:
    alerts = [{"kind": "actual", "percent": 97.5}, {"kind": "forecasted", "percent": 100}]
    budget = build(changed({(*BUDGET, "alerts"): alerts})).one("consumption:Budget").inputs
    assert list(budget["notifications"]) == ["actual-97-5-percent", "forecasted-100-percent"]


def test_an_allocation_is_a_budget_of_what_has_its_tag() -> None:
    environment = changed(
        {
            ("inference", "models", 0, "team"): "search",
            (*BUDGET, "allocations"): [
                {"model": "chat", "monthlyUsd": 1000, "contacts": ["b@example.com"]},
                {"team": "search", "monthlyUsd": 2000.5},
            ],
        }
    )
    graph = build(environment)
    whole, model, team = (dict(one.inputs) for one in graph.of("consumption:Budget"))
    assert [whole["amount"], model["amount"], team["amount"]] == [1000000, 1000, 2000.5]
    assert len(whole["filter"]["and"]) == 2
    assert model["filter"]["and"] == [
        *whole["filter"]["and"],
        {"tags": {"name": "model", "operator": "In", "values": ["chat"]}},
    ]
    assert team["filter"]["and"][2] == {"tags": {"name": "team", "operator": "In", "values": ["search"]}}
    assert (model["budgetName"], team["budgetName"]) == ("bud-test-model-chat", "bud-test-team-search")
    assert model["notifications"]["actual-50-percent"]["contactEmails"] == ["b@example.com"]
    assert team["notifications"]["actual-50-percent"]["contactEmails"] == ["a@example.com"]
    tags = {one.inputs["agentPoolName"][:2]: one.inputs["tags"] for one in graph.of("containerservice:AgentPool")}
    assert (tags["nc"]["model"], tags["nc"]["team"]) == ("chat", "search")
    assert "model" not in tags["h1"]


def test_the_start_is_written_once() -> None:
    assert stack_graph("prod").one("consumption:Budget").ignore_changes == ("timePeriod.startDate",)


def test_every_contact_is_a_receiver() -> None:
    group = stack_graph("frontier").one("monitor:ActionGroup").inputs
    assert group["emailReceivers"] == [
        {"name": "contact-1", "emailAddress": "ml-finops@example.com", "useCommonAlertSchema": True},
        {"name": "contact-2", "emailAddress": "frontier-training@example.com", "useCommonAlertSchema": True},
    ]
    assert (group["groupShortName"], group["location"], group["enabled"]) == ("gpufleet", "Global", True)
