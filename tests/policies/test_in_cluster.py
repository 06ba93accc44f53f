"""Which cluster a Kubernetes object is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gpufleet.graph import UNKNOWN, Graph, Node
from gpufleet.graph.model import Value
from policies.in_cluster import charts, cluster_of, inside, kind, objects
from policies.reading import UndecidedError
from policies.view import CLUSTER, View

_ROOT = "urn:pulumi:prod::gpufleet::"
RELEASE = "kubernetes:helm.sh/v3:Release"
WINDOW = "azure-native:containerservice:MaintenanceConfiguration"


def node(
    type_: str,
    name: str,
    *,
    provider: str = "",
    parent: str = "",
    sources: Mapping[str, tuple[str, ...]] | None = None,
    **properties: Value,
) -> Node:
    """A resource; its URN is made of type and name."""
    return Node(
        urn=f"{_ROOT}{type_}::{name}",
        type=type_,
        name=name,
        parent=parent,
        custom=True,
        properties=properties,
        property_dependencies=sources or {},
        provider=provider,
    )


EAST = node(CLUSTER, "east", resourceName="aks-east")
WEST = node(CLUSTER, "west", resourceName="aks-west")
PROVIDER = node(
    "pulumi:providers:kubernetes", "of-west", kubeconfig=UNKNOWN, sources={"kubeconfig": (f"{_ROOT}{CLUSTER}::west",)}
)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("kubernetes:apps/v1:Deployment", "apps/Deployment"),
        ("kubernetes:apps/v1beta1:Deployment", "apps/Deployment"),
        ("kubernetes:core/v1:Pod", "core/Pod"),
        ("kubernetes:mellanox.com/v1alpha1:NicClusterPolicy", "mellanox.com/NicClusterPolicy"),
        (CLUSTER, ""),
        ("kubernetes:odd", "odd/"),
    ],
)
def test_a_version_is_no_other_kind(type_: str, expected: str) -> None:
    assert kind(type_) == expected


def test_the_provider_decides() -> None:
    release = node(RELEASE, "gpu", provider=PROVIDER.urn, chart="gpu-operator")
    view = View(graph=Graph([EAST, WEST, PROVIDER, release]))
    assert cluster_of(view, objects(view)[0]) == WEST
    assert [chart.resource.node for chart in charts(view, WEST, "gpu-operator")] == [release]
    assert charts(view, EAST, "gpu-operator") == ()


def test_the_only_cluster_of_the_stack_is_it_where_no_provider_is_known() -> None:
    view = View(graph=Graph([EAST, node(RELEASE, "gpu", chart="gpu-operator")]))
    assert len(charts(view, EAST, "gpu-operator")) == 1


def test_with_two_clusters_and_no_provider_nobody_knows() -> None:
    view = View(graph=Graph([EAST, WEST, node(RELEASE, "gpu", chart="gpu-operator")]))
    with pytest.raises(UndecidedError, match="which cluster gpu is in"):
        charts(view, EAST, "gpu-operator")
    with pytest.raises(UndecidedError, match="which cluster gpu is in"):
        cluster_of(view, objects(view)[0])
    assert inside(view, EAST, "apps/Deployment") == ()


@pytest.mark.parametrize("sources", [{"resourceName": (EAST.urn,)}, {}], ids=["by its source", "by its name"])
def test_a_maintenance_window_is_of_the_cluster_that_it_names(sources: dict[str, tuple[str, ...]]) -> None:
    window = node(WINDOW, "window", sources=sources, resourceName=UNKNOWN if sources else "aks-east")
    view = View(graph=Graph([EAST, WEST, window]))
    assert [one.node for one in inside(view, EAST, WINDOW)] == [window]
    assert inside(view, WEST, WINDOW) == ()


def test_a_window_of_a_stated_api_version_counts() -> None:
    versioned = "azure-native:containerservice/v20250801:MaintenanceConfiguration"
    view = View(graph=Graph([EAST, node(versioned, "window", resourceName="aks-east")]))
    assert len(inside(view, EAST, WINDOW)) == 1


@pytest.mark.parametrize(
    "chart",
    [
        "gpu-operator",
        "nvidia/gpu-operator",
        "oci://example.com/charts/gpu-operator",
        "oci://example.com/charts/gpu-operator@sha256:" + "0" * 64,
        "https://example.com/charts/gpu-operator-v26.3.3.tgz",
        "./charts/gpu-operator/",
    ],
)
def test_a_chart_has_one_name_wherever_it_comes_from(chart: str) -> None:
    view = View(graph=Graph([EAST, node(RELEASE, "gpu", chart=chart)]))
    assert len(charts(view, EAST, "gpu-operator")) == 1


def test_a_chart_that_is_an_output_may_be_any() -> None:
    view = View(graph=Graph([EAST, node(RELEASE, "gpu", chart=UNKNOWN)]))
    with pytest.raises(UndecidedError, match="chart"):
        charts(view, EAST, "gpu-operator")


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"values": {"nfd": {"enabled": False}}}, False),
        ({"values": {}}, True),
        ({}, True),
        ({"values": {"nfd": {"enabled": False}}, "valueYamlFiles": ["values.yaml"]}, False),
    ],
)
def test_a_chart_s_values_and_its_own_defaults(properties: dict[str, Any], expected: bool) -> None:
    view = View(graph=Graph([EAST, node(RELEASE, "gpu", chart="gpu-operator", **properties)]))
    (chart,) = charts(view, EAST, "gpu-operator")
    assert chart.flag("nfd", "enabled", default=True) is expected


@pytest.mark.parametrize("files", ["valueYamlFiles", "valuesYamlFiles"])
def test_values_in_a_file_are_not_the_chart_s_defaults(files: str) -> None:
    given: dict[str, Any] = {files: ["values.yaml"]}
    view = View(graph=Graph([EAST, node(RELEASE, "gpu", chart="gpu-operator", **given)]))
    (chart,) = charts(view, EAST, "gpu-operator")
    with pytest.raises(UndecidedError, match="values in files"):
        chart.flag("nfd", "enabled", default=True)
