"""What stands in a cluster: Kubernetes objects, Helm charts, AKS's own child resources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gpufleet.catalog.type_tokens import plain_type
from gpufleet.graph import Node
from policies.reading import UndecidedError
from policies.view import AGENT_POOL, CLUSTER, Resource, View

CHARTS: Final = ("helm.sh/Release", "helm.sh/Chart")
_AFTER_NAME: Final = re.compile(r"@.*$|(-v?\d+\.\d.*)?\.tgz$")
_KUBERNETES: Final = "kubernetes:"
_PROVIDER: Final = "pulumi:providers:kubernetes"
_AKS: Final = "azure-native:containerservice:"


def kind(type_: str) -> str:
    """`apps/Deployment` of `kubernetes:apps/v1:Deployment`, for a version is no other object; "" of other types."""
    if not type_.startswith(_KUBERNETES):
        return ""
    _, group, name = (*type_.split(":", 2), "", "")[:3]
    return f"{group.partition('/')[0]}/{name}"


def objects(view: View, *kinds: str) -> tuple[Resource, ...]:
    """All Kubernetes objects of these kinds (see `kind`), or of any, by URN."""
    return tuple(one for one in _kubernetes(view) if not kinds or kind(one.node.type) in kinds)


def inside(view: View, cluster: Node, *kinds: str) -> tuple[Resource, ...]:
    """What of these kinds, or plain types of AKS's child resources, stands in a cluster.

    Raises:
        UndecidedError: of one nobody knows which cluster it stands in.
    """
    standing = _standing(view)
    lost = next((one for kind_ in kinds for one in standing.get(("", kind_), ())), None)
    if lost is not None:
        raise UndecidedError(f"which cluster {lost.node.name} is in is not known")
    return tuple(one for kind_ in kinds for one in standing.get((cluster.urn, kind_), ()))


def cluster_of(view: View, resource: Resource) -> Node:
    """The cluster that an object or child resource is in. Raises UndecidedError when nobody knows."""
    found = _cluster_of(view, resource)
    if found is None:
        raise UndecidedError(f"which cluster {resource.node.name} is in is not known")
    return found


@dataclass(frozen=True, eq=False)
class Chart:
    """A Helm chart in a cluster.

    Attributes:
        resource: its release.
        name: of the chart, without its repository.
    """

    resource: Resource
    name: str

    def flag(self, *path: str, default: bool) -> bool:
        """A value of the chart; `default` is the chart's own. Raises as `Properties.flag`."""
        properties = self.resource.properties
        value = properties.flag("values", *path)
        if value is None and (properties.has("valueYamlFiles") or properties.has("valuesYamlFiles")):
            raise UndecidedError(f"{self.name} has values in files, which nobody reads here")
        return default if value is None else value


def charts(view: View, cluster: Node, *names: str) -> tuple[Chart, ...]:
    """The charts of these names in a cluster. Raises UndecidedError when a chart's name or cluster is unknown."""
    return tuple(chart for chart in _charts(view, cluster.urn) if chart.name in names)


@lru_cache(maxsize=256)
def _charts(view: View, cluster: str) -> tuple[Chart, ...]:
    found = ((one, one.properties.text("chart") or "") for one in inside(view, view.graph.node(cluster), *CHARTS))
    return tuple(Chart(one, _chart_name(text)) for one, text in found)


def _chart_name(chart: str) -> str:
    """`gpu-operator` of `nvidia/gpu-operator`, `oci://…/gpu-operator@sha256:…`, `https://…/gpu-operator-v26.3.3.tgz`."""
    return _AFTER_NAME.sub("", chart.rstrip("/").rpartition("/")[2])


@lru_cache(maxsize=4)
def _kubernetes(view: View) -> tuple[Resource, ...]:
    return tuple(view.resource(node) for node in view.graph if node.type.startswith(_KUBERNETES))


@lru_cache(maxsize=4)
def _standing(view: View) -> Mapping[tuple[str, str], tuple[Resource, ...]]:
    """By URN of the cluster, "" where nobody knows it, and by kind or plain type."""
    children = (
        view.resource(node)
        for node in view.graph
        if plain_type(node.type).startswith(_AKS) and plain_type(node.type) not in (CLUSTER, AGENT_POOL)
    )
    found: dict[tuple[str, str], list[Resource]] = {}
    for one in (*_kubernetes(view), *children):
        cluster = _cluster_of(view, one)
        found.setdefault((cluster.urn if cluster else "", kind(one.node.type) or one.type), []).append(one)
    return {key: tuple(resources) for key, resources in found.items()}


def _cluster_of(view: View, resource: Resource) -> Node | None:
    """By the provider or the `resourceName` that it is made with; else the one cluster of its place or of the stack."""
    graph, node = view.graph, resource.node
    provider = graph.find(node.provider)
    if provider is not None and provider.type == _PROVIDER:
        for property_ in ("clusterIdentifier", "kubeconfig"):
            for source in graph.sources(provider, property_):
                if plain_type(source.type) == CLUSTER:
                    return source
    for source in graph.sources(node, "resourceName"):
        if plain_type(source.type) == CLUSTER:
            return source
    clusters = view.resources(CLUSTER)
    named = node.properties.get("resourceName")
    if isinstance(named, str) and not node.type.startswith(_KUBERNETES):
        clusters = tuple(one for one in clusters if one.properties.values.get("resourceName") == named)
    if resource.place is not None:
        clusters = tuple(one for one in clusters if one.place is not None and one.place.urn == resource.place.urn)
    return clusters[0].node if len(clusters) == 1 else None
