"""What a roll-out asks of a region: on Azure, or of the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from gpufleet.rollout.readiness import Nodes, ReadinessUnknownError
from gpufleet.rollout.watch import Signals, SignalsUnknownError

if TYPE_CHECKING:
    from gpufleet.engine.stack import EnvironmentStack
    from gpufleet.errors import GpufleetError
    from gpufleet.rollout.azure_api import AzureApi
    from gpufleet.rollout.places import Places
    from gpufleet.rollout.registry import Registry
    from gpufleet.sizing.serving_plan import ServerPlan
    from gpufleet.spec import Environment
    from gpufleet.spec.registry import Signing
    from sandbox.store import Store

_SIZE_LABEL = "node.kubernetes.io/instance-type"
"""Kubernetes well-known labels."""


class Source(Protocol):
    """Regions of one cloud."""

    def replica(self, region: str) -> str:
        """See `gpufleet.rollout.readiness.Region`."""

    def missing(self, region: str, repository: str, digest: str) -> bool:
        """See `gpufleet.rollout.readiness.Region`."""

    def unsigned(self, signing: Signing, repository: str, digest: str) -> str:
        """See `gpufleet.rollout.readiness.Region`."""

    def node_counts(self, region: str) -> Mapping[str, tuple[int, int]]:
        """Nodes by VM size: ready ones, and all."""

    def quota_left(self, region: str, size: str) -> int:
        """What is left of the quota of a size's family: vCPUs."""

    def signals(self, region: str) -> Signals:
        """See `gpufleet.rollout.watch.Watch`."""

    def servers_behind(self, region: str) -> Sequence[str]:
        """Servers that don't run yet what they were last given, each with why."""


@dataclass(frozen=True, kw_only=True)
class RegionView:
    """One region of a source, as `gpufleet.rollout.readiness` asks it.

    Attributes:
        environment: with the release.
    """

    name: str
    source: Source
    environment: Environment

    def replica(self) -> str:
        """Status of the registry's replica."""
        return self.source.replica(self.name)

    def missing(self, repository: str, digest: str) -> bool:
        """Whether the replica lacks a manifest."""
        return self.source.missing(self.name, repository, digest)

    def unsigned(self, repository: str, digest: str) -> str:
        """Why no trusted signature covers a manifest."""
        signing = self.environment.registry.signing
        return "" if signing is None else self.source.unsigned(signing, repository, digest)

    def nodes(self) -> Sequence[Nodes]:
        """Nodes of every size that the region's servers run on."""
        counts = self.source.node_counts(self.name)
        return [self._nodes(size, plans, counts) for size, plans in self._plans().items()]

    def _plans(self) -> Mapping[str, list[ServerPlan]]:
        from gpufleet.sizing.serving_plan import serving_plan

        found: dict[str, list[ServerPlan]] = {}
        assert self.environment.inference is not None
        for plan in serving_plan(self.environment.inference):
            if plan.region == self.name and plan.form.model.is_served:
                found.setdefault(plan.serving.size.name, []).append(plan)
        return found

    def _nodes(self, size: str, plans: Sequence[ServerPlan], counts: Mapping[str, tuple[int, int]]) -> Nodes:
        from gpufleet.catalog import sizes
        from gpufleet.spec.pool_names import agent_pools

        assert self.environment.inference is not None
        region = next(one for one in self.environment.inference.regions if one.name == self.name)
        ready, there = counts.get(size, (0, 0))
        # Servers of a fixed number roll without one more (adr/0029), and one that shares a node with others finds room
        # on one that is there, or takes one more like any other.
        alone = [
            plan.serving.unit_nodes
            for plan in plans
            if plan.max_replicas > plan.min_replicas and plan.serving.fit.replicas_per_node <= 1
        ]
        return Nodes(
            size=size,
            ready=ready,
            there=there,
            most=sum(pool.max_nodes for one in region.pools if one.sku == size for pool in agent_pools(one)),
            quota_left=self.source.quota_left(self.name, size) if alone else 0,
            vcpus=sizes.get(size).vcpus,
            per_server=max(alone, default=0),
        )


@dataclass(frozen=True, kw_only=True)
class SandboxSource:
    """The sandbox's regions."""

    store: Store
    places: Places

    def replica(self, region: str) -> str:
        """See `Source`."""
        from sandbox import serving

        with _as(ReadinessUnknownError):
            return serving.replica_status(self.store, self.places.registry, region)

    def missing(self, region: str, repository: str, digest: str) -> bool:
        """See `Source`."""
        from sandbox import serving

        del repository, digest
        return not serving.has_manifests(self.store, region)

    def unsigned(self, signing: Signing, repository: str, digest: str) -> str:
        """See `Source`."""
        from sandbox import serving

        del signing
        return "" if serving.is_signed(self.store, f"{repository}@{digest}") else "the sandbox has none"

    def node_counts(self, region: str) -> Mapping[str, tuple[int, int]]:
        """See `Source`; the sandbox's nodes are ready as soon as they are there."""
        from sandbox import jobs, serving

        found: dict[str, int] = {}
        with _as(ReadinessUnknownError):
            jobs.require_reachable(self.store, self._cluster(region))
            for pool in serving.nodes(self.store, self._cluster(region)):
                found[pool.size] = found.get(pool.size, 0) + pool.count
        return {size: (count, count) for size, count in found.items()}

    def quota_left(self, region: str, size: str) -> int:
        """See `Source`."""
        from sandbox import serving

        with _as(ReadinessUnknownError):
            return serving.quota_left(self.store, self._cluster(region), size)

    def signals(self, region: str) -> Signals:
        """See `Source`."""
        from sandbox import serving

        with _as(SignalsUnknownError):
            said = serving.signals(self.store, region)
        requests = said["requests-per-second"]
        return Signals(
            requests_per_second=requests,
            error_percent=said["error-percent"] if requests else None,
            ttft_ms=said["ttft-ms"] if requests else None,
        )

    def servers_behind(self, region: str) -> Sequence[str]:
        """None: the sandbox has no pods, and a change that its API server took is through."""
        del region
        return ()

    def _cluster(self, region: str) -> str:
        return self.places.clusters.get(region, "")


@dataclass(frozen=True, kw_only=True)
class AzureSource:
    """The real regions."""

    stack: EnvironmentStack
    places: Places
    api: AzureApi

    def replica(self, region: str) -> str:
        """See `Source`."""
        return self._registry.status(region)

    def missing(self, region: str, repository: str, digest: str) -> bool:
        """See `Source`."""
        return not self._registry.has(region, repository, digest)

    def unsigned(self, signing: Signing, repository: str, digest: str) -> str:
        """See `Source`."""
        from gpufleet.rollout.signatures import Notation

        host = self.places.login_server
        verifier = Notation(signing=signing, login_server=host, password=lambda: self._registry.refresh_token(host))
        return verifier.objection(repository, digest)

    def node_counts(self, region: str) -> Mapping[str, tuple[int, int]]:
        """See `Source`."""
        found: dict[str, tuple[int, int]] = {}
        for node in self._objects(region, ["/api/v1/nodes"]):
            size = str(((node.get("metadata") or {}).get("labels") or {}).get(_SIZE_LABEL, ""))
            ready, there = found.get(size, (0, 0))
            found[size] = (ready + _is_ready(node), there + 1)
        return found

    def quota_left(self, region: str, size: str) -> int:
        """See `Source`."""
        from gpufleet.catalog import sizes
        from gpufleet.rollout.azure_api import quota_left

        return quota_left(self.api, self.places.subscription, region, sizes.get(size).quota_family)

    def signals(self, region: str) -> Signals:
        """See `Source`."""
        from gpufleet.rollout.prometheus import PrometheusWatch

        return PrometheusWatch(self.api, self.places.prometheus).signals(region)

    def servers_behind(self, region: str) -> Sequence[str]:
        """See `Source`."""
        from gpufleet.rollout.regions import SERVER_LABEL
        from gpufleet.rollout.servers import PATHS, behind

        return list(behind(self._objects(region, PATHS, label=SERVER_LABEL)))

    @cached_property
    def _registry(self) -> Registry:
        from gpufleet.rollout.registry import Registry

        return Registry(self.api, self.places.registry, self.places.login_server)

    @cached_property
    def _kubeconfigs(self) -> Mapping[str, str]:
        return self.stack.kubeconfigs()

    def _objects(self, region: str, paths: Sequence[str], *, label: str = "") -> list[dict[str, Any]]:
        from gpufleet.pool_changes import api_server

        kubeconfig = self._kubeconfigs.get(self.places.clusters.get(region, "").lower())
        if kubeconfig is None:
            raise ReadinessUnknownError(f"no kubeconfig of {region}'s cluster is in the state")
        return api_server.listed(kubeconfig, paths, label=label)


@contextmanager
def _as(error: type[GpufleetError]) -> Iterator[None]:
    """What the sandbox refuses becomes this error, in its words."""
    from sandbox.errors import SandboxError

    try:
        yield
    except SandboxError as refusal:
        raise error(str(refusal)) from None


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)
