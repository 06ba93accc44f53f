from __future__ import annotations

import asyncio
import contextvars
import re

import pulumi
import pytest

from components.naming import Names
from gpufleet.errors import ConfigurationError
from tests.components.graphs import SUBSCRIPTION, build, stack_graph
from tests.spec.environments import environment


def _names(environment_name: str = "prod", subscription: str = SUBSCRIPTION) -> Names:
    return Names(environment=environment_name, subscription_id=subscription)


def _value(make: object) -> str:
    """The value of an output that `make()` returns."""

    def run() -> str:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            output = make()  # type: ignore[operator]
            assert isinstance(output, pulumi.Output)
            value = loop.run_until_complete(output.future())
            assert isinstance(value, str)
            return value
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    return contextvars.Context().run(run)


def test_names_follow_the_cloud_adoption_framework() -> None:
    assert _names().of("aks", "frontier") == "aks-prod-frontier"
    assert _names().of("pip", "frontier", "nat", "1") == "pip-prod-frontier-nat-1"
    assert _names().once("afd") == "afd-prod"


@pytest.mark.parametrize("name", ["a", "prod", "team-a-prod", "a" * 24, "p1"])
def test_environment_names(name: str) -> None:
    assert _names(name).once("bud") == f"bud-{name}"


@pytest.mark.parametrize("name", ["", "Prod", "1prod", "prod-", "-prod", "prod_a", "prod.a", "a" * 25, "prod\n"])
def test_environment_names_that_azure_would_refuse(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be part of Azure names"):
        _names(name)


def test_storage_account_names_fit_and_stay_unique_when_cut() -> None:
    long = "a" * 24
    first = _value(lambda: _names(long).storage_account("fabricone"))
    second = _value(lambda: _names(long).storage_account("fabrictwo"))
    for name in (first, second):
        assert re.fullmatch(r"[a-z0-9]{3,24}", name)
    assert first != second


def test_global_names_are_the_same_in_every_run_and_differ_by_subscription_environment_and_scope() -> None:
    name = _value(lambda: _names().storage_account("frontier"))
    assert name == "stprodfrontiere99ad2df"
    assert name == _value(lambda: _names(subscription=SUBSCRIPTION.upper()).storage_account("frontier"))
    others = {
        _value(lambda: _names("staging").storage_account("frontier"))[-8:],
        _value(lambda: _names(subscription="1").storage_account("frontier"))[-8:],
        _value(lambda: _names().storage_account("other"))[-8:],
    }
    assert len(others | {name[-8:]}) == 4


# Azure's own rules: resource-name-rules, AKS API specification.
RULES = {
    "resources:ResourceGroup": ("resourceGroupName", r"[-\w._()]{1,90}"),
    "containerservice:ManagedCluster": ("resourceName", r"[a-zA-Z0-9](?:[-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"),
    "containerservice:AgentPool": ("agentPoolName", r"[a-z][a-z0-9]{0,11}"),
    "network:VirtualNetwork": ("virtualNetworkName", r"[a-zA-Z0-9][-\w.]{0,62}[\w]"),
    "network:NetworkSecurityGroup": ("networkSecurityGroupName", r"[a-zA-Z0-9][-\w.]{0,78}[\w]"),
    "managedidentity:UserAssignedIdentity": ("resourceName", r"[a-zA-Z0-9][-\w]{2,127}"),
    "operationalinsights:Workspace": ("workspaceName", r"[a-zA-Z0-9][-a-zA-Z0-9]{2,61}[a-zA-Z0-9]"),
    "storage:StorageAccount": ("accountName", r"[a-z0-9]{3,24}"),
    "storagecache:AmlFilesystem": ("amlFilesystemName", r"[0-9a-zA-Z][-0-9a-zA-Z_]{0,78}[0-9a-zA-Z]"),
    "containerregistry:Registry": ("registryName", r"[a-zA-Z0-9]{5,50}"),
    "containerregistry:Replication": ("replicationName", r"[a-zA-Z0-9]{5,50}"),
    "cdn:Profile": ("profileName", r"[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,258}[a-zA-Z0-9])?"),
    "cdn:AFDEndpoint": ("endpointName", r"[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,44}[a-zA-Z0-9])?"),
    "consumption:Budget": ("budgetName", r"[-\w]{1,63}"),
}


def test_the_longest_names_fit_azures_rules() -> None:
    longest = environment()
    longest["training"][0]["name"] = "fabricnamefifte"
    graphs = [build(longest, stack="environment-name-of-24-c"), stack_graph("prod")]
    for graph in graphs:
        for type_, (key, pattern) in RULES.items():
            for resource in graph.of(type_):
                assert re.fullmatch(pattern, resource.inputs[key]), resource.inputs[key]
        for cluster in graph.of("containerservice:ManagedCluster"):
            assert len(cluster.inputs["dnsPrefix"]) <= 54
            assert len(cluster.inputs["nodeResourceGroup"]) <= 80
        for address in graph.of("network:PublicIPAddress"):
            if "dnsSettings" in address.inputs:
                assert re.fullmatch(r"[a-z][a-z0-9-]{1,61}[a-z0-9]", address.inputs["dnsSettings"]["domainNameLabel"])
