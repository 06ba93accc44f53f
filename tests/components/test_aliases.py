from __future__ import annotations

from functools import cache

import pulumi
import pytest
from pulumi_azure_native import containerservice, monitor

from components.aliases import differs_in_version_alone, trim_version_aliases, without_version_aliases
from tests.components.graphs import Graph, build, stack_graph
from tests.spec.environments import environment

POOL = "azure-native:containerservice:AgentPool"


@pytest.mark.parametrize(
    ("alias", "token", "expected"),
    [
        ("azure-native:containerservice/v20230101:AgentPool", POOL, True),
        ("azure-native:containerservice/v20230102preview:AgentPool", POOL, True),
        ("azure-native:containerservice:AgentPool", POOL, False),
        ("azure-native:containerservice/v20230101:ManagedCluster", POOL, False),
        ("azure-native:insights/v20230101:ActionGroup", "azure-native:monitor:ActionGroup", False),
        ("azure-native:insights:ActionGroup", "azure-native:monitor:ActionGroup", False),
        ("azure:containerservice/v20230101:AgentPool", POOL, False),
    ],
)
def test_differs_in_version_alone(alias: str, token: str, expected: bool) -> None:
    assert differs_in_version_alone(alias, token) is expected


def test_what_somebody_wrote_stays() -> None:
    generated = [pulumi.Alias(type_=f"azure-native:containerservice/v{day}:AgentPool") for day in (20230101, 20240101)]
    written: list[pulumi.Input[str | pulumi.Alias]] = [
        "urn:pulumi:a::b::c::d",
        pulumi.Alias(name="old"),
        pulumi.Alias(name="old", type_="azure-native:containerservice/v20230101:AgentPool"),
        pulumi.Alias(type_="azure-native:containerservice/v20240101:AgentPool"),  # also among the generated ones
        pulumi.Alias(parent="urn:pulumi:a::b::c::p"),
        pulumi.Alias(type_="gpufleet:pool:Pool"),
    ]
    assert without_version_aliases([*written, *generated], POOL) == written


def test_nothing_of_the_sdks_version_aliases_reaches_the_engine() -> None:
    aliased = {
        r.type: r.aliases for r in stack_graph("dev").resources if r.aliases and r.type.startswith("azure-native:")
    }
    assert not any(differs_in_version_alone(alias, type_) for type_, aliases in aliased.items() for alias in aliases)
    # What is left are the types that once had another module or name.
    assert set(aliased) == {
        "azure-native:monitor:ActionGroup",
        "azure-native:monitor:DiagnosticSetting",
        "azure-native:network:PrivateEndpoint",
        "azure-native:privatedns:PrivateZone",
        "azure-native:privatedns:VirtualNetworkLink",
    }


@cache
def _kept() -> Graph:
    return build(environment(), settings={"keepVersionAliases": "true"})


def test_the_setting_keeps_them_all() -> None:
    kept = _kept()
    pool = kept.of("containerservice:AgentPool")[0]
    assert len(pool.aliases) == 110
    assert all(differs_in_version_alone(alias, POOL) for alias in pool.aliases)


def test_trimming_changes_nothing_else() -> None:
    kept = _kept()
    trimmed = build(environment())
    assert [(r.urn, r.inputs, r.protect, r.dependencies) for r in kept.resources] == [
        (r.urn, r.inputs, r.protect, r.dependencies) for r in trimmed.resources
    ]


def test_a_written_alias_reaches_the_engine() -> None:
    def program() -> None:
        trim_version_aliases()
        containerservice.AgentPool(
            "pool",
            resource_group_name="rg",
            resource_name_="aks",
            opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="older")]),
        )
        monitor.ActionGroup("group", resource_group_name="rg", group_short_name="group")

    graph = build({}, program=program)
    assert graph.one("containerservice:AgentPool").aliases == ("older",)
    assert graph.one("monitor:ActionGroup").aliases == (
        "azure-native:insights/v20230101:ActionGroup",
        "azure-native:insights/v20230901preview:ActionGroup",
        "azure-native:insights/v20241001preview:ActionGroup",
        "azure-native:insights:ActionGroup",
    )
