"""What rules see: the resource graph with its pools, clusters, fabrics and regions, and what was declared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

from gpufleet.catalog import sizes
from gpufleet.catalog.sizes import Size
from gpufleet.catalog.type_tokens import ENVIRONMENT, FABRIC, REGION, plain_type
from gpufleet.errors import GpufleetError
from gpufleet.graph import Graph, Node
from gpufleet.spec import Environment, parse_environment
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.base import Path
from gpufleet.spec.environment import EnvironmentClass
from gpufleet.spec.pool import Pool as SpecifiedPool
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.upgrade import share_of
from policies.reading import MistypedError, Properties, UndecidedError

if TYPE_CHECKING:
    from gpufleet.cost import Estimate
    from gpufleet.sizing.advice import Advice

_T = TypeVar("_T")

AGENT_POOL: Final = "azure-native:containerservice:AgentPool"
CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
SPECIFICATION: Final = "specification"
"""Property of the environment's component: the specification it was made from, as JSON text."""

_SHARE: Final = re.compile(r"\d{1,4}%?", re.ASCII)


@dataclass(frozen=True, eq=False)
class Place:
    """A training fabric or an inference region, as a component of the graph."""

    node: Node
    scope: Scope | None
    """What was declared; None when no specification is known or it has none of this name."""

    @property
    def urn(self) -> str:
        """Of the component."""
        return self.node.urn

    @property
    def kind(self) -> str:
        """`training` or `inference`."""
        return "training" if plain_type(self.node.type) == FABRIC else "inference"

    @property
    def label(self) -> str:
        """`training/lab`."""
        return f"{self.kind}/{self.node.name}"

    def path(self, *setting: str | int) -> Path:
        """See `policies.rule.Subject`."""
        return (*self.scope.path, *setting) if self.scope else ()


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource."""

    node: Node
    place: Place | None
    """Where it belongs; None for what the environment has once."""
    properties: Properties

    @property
    def urn(self) -> str:
        """Of the resource."""
        return self.node.urn

    @property
    def type(self) -> str:
        """Its type token without an API version."""
        return plain_type(self.node.type)

    @property
    def label(self) -> str:
        """`training/lab/lab-storage-amlfs`: the place, then the resource's logical name."""
        return "/".join((self.place.label if self.place else "environment", self.node.name))

    def path(self, *setting: str | int) -> Path:
        """Of its fabric or region: rules that know better give a path of their own."""
        return self.place.path(*setting) if self.place else ()


@dataclass(frozen=True, eq=False)
class Pool(Resource):
    """A node pool of a cluster: an `AgentPool`, or one declared inline in its `ManagedCluster`."""

    index: int | None = None
    """Inline: which of `agentPoolProfiles`."""
    cluster: Node | None = None
    """None when the graph doesn't say which one it belongs to."""
    name: str = ""
    """Name of the pool in the specification, else its AKS name, else its logical name."""
    declared: Path = ()
    """Where in the specification the pool stands."""

    @property
    def label(self) -> str:
        """`training/lab/pools/h100`."""
        return f"{self.place.label if self.place else 'environment'}/pools/{self.name}"

    def path(self, *setting: str | int) -> Path:
        """The pool's setting; what is no pool of the specification is a matter of its fabric or region."""
        return (*self.declared, *setting) if self.declared else super().path()

    @property
    def specified(self) -> SpecifiedPool | None:
        """What the specification says of it; None of what is no pool of the specification."""
        if self.place is None or self.place.scope is None or not self.declared:
            return None
        return self.place.scope.pools[int(self.declared[-1])]

    @property
    def region(self) -> str:
        """Azure region of its cluster. Raises UndecidedError when nobody knows the cluster or where it is."""
        location = None if self.cluster is None else Properties(self.cluster.properties).text("location")
        if location is None:
            raise UndecidedError(f"the region of {self.name} is not known")
        return location.replace(" ", "").casefold()

    @property
    def size(self) -> Size:
        """The VM size. Raises UndecidedError when the catalogue hasn't got it, MistypedError when there is none."""
        name = self.properties.text("vmSize")
        if name is None:
            raise MistypedError("vmSize is missing")
        found = sizes.find(name)
        if found is None:
            raise UndecidedError(f"{name} is not in the catalogue of sizes")
        return found

    @property
    def spot(self) -> bool:
        """Whether its nodes are spot."""
        return (self.properties.text("scaleSetPriority") or "Regular").casefold() == "spot"

    @property
    def system(self) -> bool:
        """Whether Kubernetes' own pods run on it; AKS makes a pool without a mode a user pool."""
        return (self.properties.text("mode") or "User").casefold() == "system"

    @property
    def aks_name(self) -> str:
        """The name that AKS and its scale set have. Raises UndecidedError when the provider is to make one up."""
        name = self.properties.text("agentPoolName" if self.index is None else "name")
        if name is None:
            raise UndecidedError(f"{self.name} has no name of its own, so nobody knows what its scale set is called")
        return name

    @property
    def autoscaled(self) -> bool:
        """Whether the cluster autoscaler owns its size."""
        return bool(self.properties.flag("enableAutoScaling"))

    @property
    def least(self) -> int:
        """Nodes that are always there."""
        return self._nodes("minCount")

    @property
    def most(self) -> int:
        """Nodes that there may be."""
        return self._nodes("maxCount")

    @property
    def surge(self) -> int:
        """Nodes that an upgrade adds to those: none on spot, and 10 % where nothing is said.

        Source: AKS upgrade-aks-node-pools-rolling, spot-node-pool.
        """
        if self.spot:
            return 0
        return share_of(self.upgrade("maxSurge") or "10%", self.most)

    @property
    def peak(self) -> int:
        """Nodes that there may be in the middle of an upgrade."""
        return self.most + self.surge

    def upgrade(self, key: str) -> str | None:
        """`maxSurge` or `maxUnavailable` of its upgrades: nodes such as `1`, or a percentage such as `10%`."""
        setting = self.properties.text("upgradeSettings", key)
        if setting is not None and not _SHARE.fullmatch(setting):
            raise MistypedError(f"upgradeSettings.{key} is {setting[:40]!r}, neither nodes nor a percentage")
        return setting

    def _nodes(self, key: str) -> int:
        if self.properties.has("virtualMachinesProfile"):
            # Such a pool is sized by profiles, and `count` says nothing (AKS virtual-machines-node-pools).
            raise UndecidedError(f"{self.name} is sized by virtualMachinesProfile, which no rule reads")
        key = key if self.autoscaled else "count"
        nodes = self.properties.integer(key)
        if nodes is None:
            raise MistypedError(f"{key} is missing, so nobody can say how many nodes there are")
        return nodes


@dataclass(frozen=True, eq=False)
class Declared:
    """The environment as a whole."""

    urn: str
    environment: Environment
    label: str = "environment"

    def path(self, *setting: str | int) -> Path:
        """See `policies.rule.Subject`."""
        return setting


@dataclass(frozen=True, eq=False)
class View:
    """One stack, as rules see it.

    Attributes:
        graph: all its resources with their inputs.
        base: the graph of what is there, or of the branch that a change goes to; None when nobody compares.
        given: the specification, when the caller has it; else it is read from the environment's component.
        given_estimate: its cost, when the caller has it.
        given_advice: what sizing says of it, likewise.
    """

    graph: Graph
    base: Graph | None = None
    given: Environment | None = None
    given_estimate: Estimate | None = field(default=None, repr=False)
    given_advice: tuple[Advice, ...] | None = field(default=None, repr=False)

    def resources(self, *types: str) -> tuple[Resource, ...]:
        """All resources of these types (without API versions), in the order of their URNs; of all types without any."""
        nodes = [node for type_ in types for node in self._by_type.get(type_, ())] if types else list(self.graph)
        return tuple(self.resource(node) for node in sorted(nodes, key=lambda node: node.urn))

    def resource(self, node: Node) -> Resource:
        """A node as a resource."""
        return Resource(node, self._place(node), Properties(node.properties))

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """Every node pool, inline ones too, by URN and name.

        A cluster whose inline pools are unknown, or no list, has one that no rule can read.
        """
        found = [self._pool(node) for node in self._by_type.get(AGENT_POOL, ())]
        for cluster in self._by_type.get(CLUSTER, ()):
            found += self._inline(cluster)
        return tuple(sorted(found, key=lambda pool: (pool.urn, -1 if pool.index is None else pool.index)))

    def pools_of(self, cluster: Resource) -> tuple[Pool, ...]:
        """The pools of a cluster.

        Raises:
            UndecidedError: of some pool in the graph nobody knows which cluster it belongs to.
        """
        for stray in self._pools_by_cluster.get("", ()):
            raise UndecidedError(f"which cluster {stray.name} belongs to is not known")
        return self._pools_by_cluster.get(cluster.urn, ())

    @cached_property
    def _pools_by_cluster(self) -> Mapping[str, tuple[Pool, ...]]:
        """By URN of the cluster; those of an unknown one under ""."""
        found: dict[str, list[Pool]] = {}
        for pool in self.pools:
            found.setdefault(pool.cluster.urn if pool.cluster else "", []).append(pool)
        return {urn: tuple(pools) for urn, pools in found.items()}

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Training fabrics and inference regions, by URN."""
        nodes = [*self._by_type.get(FABRIC, ()), *self._by_type.get(REGION, ())]
        return tuple(
            Place(node, self._scopes.get((plain_type(node.type), node.name)))
            for node in sorted(nodes, key=lambda node: node.urn)
        )

    @cached_property
    def drained(self) -> frozenset[str]:
        """URNs of the inference regions that are declared as drained. Raises UndecidedError as `declared`."""
        inference = self.declared.environment.inference if self.declared is not None else None
        names = {region.name for region in inference.regions if region.drain} if inference is not None else set()
        return frozenset(place.urn for place in self.places if place.kind == "inference" and place.node.name in names)

    @cached_property
    def declared(self) -> Declared | None:
        """The environment and its specification; None in a stack that is none of gpufleet's.

        Raises:
            UndecidedError: the stack has an environment, and its specification can't be read.
        """
        nodes = self._by_type.get(ENVIRONMENT, ())
        if self.given is not None:
            return Declared(nodes[0].urn if nodes else "", self.given)
        if not nodes:
            return None
        try:
            text = Properties(nodes[0].properties).text(SPECIFICATION)
            if text is None:
                raise UndecidedError("the environment says nothing of the specification it was made from")
            return Declared(nodes[0].urn, parse_environment(json.loads(text)))
        except (ValueError, RecursionError, MistypedError, GpufleetError) as error:
            why = error.message if isinstance(error, GpufleetError) else error
            raise UndecidedError(f"the environment's specification can't be read: {why}") from None

    @property
    def production(self) -> bool:
        """Whether the environment says that it is production. Raises UndecidedError as `declared`."""
        declared = self.declared
        return declared is not None and declared.environment.environment_class is EnvironmentClass.PRODUCTION

    @cached_property
    def estimate(self) -> Estimate:
        """What the environment costs. Raises UndecidedError when nobody can tell."""
        if self.given_estimate is not None:
            return self.given_estimate
        from gpufleet.cost import estimate  # noqa: PLC0415 most rules need none

        return self._of_environment(
            lambda environment: estimate(environment, self.graph, name=self.name), "its cost can't be told"
        )

    @cached_property
    def advice(self) -> tuple[Advice, ...]:
        """What sizing says of the environment. Raises UndecidedError when nobody can tell."""
        if self.given_advice is not None:
            return self.given_advice
        from gpufleet.sizing.proposal import advise  # noqa: PLC0415 most rules need none

        return self._of_environment(advise, "it can't be sized")

    def _of_environment(self, act: Callable[[Environment], _T], what: str) -> _T:
        if self.declared is None:
            raise UndecidedError("the stack has no gpufleet environment")
        try:
            return act(self.declared.environment)
        except GpufleetError as error:
            raise UndecidedError(f"{what}: {error.message}") from error

    @cached_property
    def name(self) -> str:
        """Of the environment; "" in a stack that is none of gpufleet's."""
        nodes = self._by_type.get(ENVIRONMENT, ())
        return nodes[0].name if nodes else ""

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self.graph:
            found.setdefault(plain_type(node.type), []).append(node)
        return {type_: tuple(nodes) for type_, nodes in found.items()}

    @cached_property
    def _scopes(self) -> Mapping[tuple[str, str], Scope]:
        try:
            declared = self.declared
        except UndecidedError:
            declared = None
        if declared is None:
            return {}
        return {
            (FABRIC if scope.path[0] == "training" else REGION, scope.name): scope
            for scope in scopes(declared.environment)
        }

    @cached_property
    def _places_by_urn(self) -> Mapping[str, Place]:
        return {place.urn: place for place in self.places}

    def _place(self, node: Node) -> Place | None:
        above = (self._places_by_urn.get(one.urn) for one in self.graph.ancestors(node))
        return next((place for place in above if place is not None), None)

    @cached_property
    def _pool_paths(self) -> Mapping[tuple[str, str], tuple[str, Path]]:
        """By URN of the place and AKS name of the pool: its name and its path in the specification."""
        return {
            (place.urn, plan.name): (pool.name, (*place.scope.path, "pools", index))
            for place in self.places
            if place.scope is not None
            for index, pool in enumerate(place.scope.pools)
            for plan in agent_pools(pool)
        }

    def _pool(self, node: Node) -> Pool:
        place, properties = self._place(node), Properties(node.properties)
        named = node.properties.get("agentPoolName")
        aks_name = named if isinstance(named, str) else node.name
        name, declared = self._pool_paths.get((place.urn if place else "", aks_name), (aks_name, ()))
        return Pool(node, place, properties, None, self._cluster_of(node), name, declared)

    def _cluster_of(self, node: Node) -> Node | None:
        for source in self.graph.sources(node, "resourceName"):
            if plain_type(source.type) == CLUSTER:
                return source
        named = node.properties.get("resourceName")
        clusters = self._by_type.get(CLUSTER, ())
        same = [
            cluster
            for cluster in clusters
            if isinstance(named, str) and cluster.properties.get("resourceName") == named
        ]
        return same[0] if len(same) == 1 else None

    def _inline(self, cluster: Node) -> list[Pool]:
        place, profiles = self._place(cluster), cluster.properties.get("agentPoolProfiles")
        if profiles is None:
            return []
        if not isinstance(profiles, list):
            whole = Properties.of(profiles, ("agentPoolProfiles",))
            return [Pool(cluster, place, whole, 0, cluster, "agentPoolProfiles")]
        return [
            Pool(
                cluster,
                place,
                Properties.of(profile, ("agentPoolProfiles", index)),
                index,
                cluster,
                str(profile["name"]) if isinstance(profile, dict) and "name" in profile else f"pool-{index}",
            )
            for index, profile in enumerate(profiles)
        ]
