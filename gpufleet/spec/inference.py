"""The inference platform: regions that serve models, where the demand is, and the endpoint in front."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from gpufleet.spec.api_management import ApiManagement
from gpufleet.spec.base import RegionName, Spec
from gpufleet.spec.cluster import Cluster, Network
from gpufleet.spec.front_door import FrontDoor
from gpufleet.spec.gateway import Gateway
from gpufleet.spec.model import Model
from gpufleet.spec.pool import Pool, of_cluster
from gpufleet.spec.rollout import Rollout
from gpufleet.spec.traffic_manager import TrafficManager


class GlobalEndpoint(StrEnum):
    """What sends each request to a region."""

    FRONT_DOOR = "front-door"
    """A reverse proxy at Azure's edge: TLS, a firewall, and a region that fails is left after two failed probes."""
    TRAFFIC_MANAGER = "traffic-manager"
    """DNS alone: no time limit on answers, no firewall; clients follow when their resolver asks again."""


class ReplicaRange(Spec):
    """How many servers of each form of a model a region has, where the plan's own numbers are not wanted."""

    min: Annotated[int | None, Field(ge=0, le=10_000)] = None
    """The fewest, on regular nodes; what their minimum holds unless given."""
    max: Annotated[int | None, Field(ge=1, le=10_000)] = None
    """The most; what the nodes hold unless given."""


class InferenceRegion(Spec):
    """One region that serves: its cluster, pools and place behind the front door."""

    name: RegionName
    """Azure region by its programmatic name; it is the region's name in the environment too."""
    cluster: Cluster = Cluster()
    """Settings of the AKS cluster."""
    network: Network = Network()
    """The virtual network."""
    pools: Annotated[list[Pool], Field(min_length=1)]
    """Node pools; one at least has GPUs."""
    replicas: dict[str, ReplicaRange] = {}
    """Servers of models by name, instead of the planned numbers."""
    priority: Annotated[int, Field(ge=1, le=5)] = 1
    """Front Door origin priority 1-5; equal priorities share by latency and weight."""
    weight: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Front Door origin weight 1-1000."""
    drain: bool = False
    """Takes the region out of the global endpoint and leaves all else as it is: before a removal, or for a repair."""

    def pools_of(self, model: str) -> list[Pool]:
        """The pools that a model's servers may run on: those that name it, else those that name none."""
        own = [pool for pool in self.pools if model in pool.serves]
        return own or [pool for pool in self.pools if not pool.serves]

    @model_validator(mode="after")
    def _pools_know_their_cluster(self) -> Self:
        of_cluster(self.pools, self.cluster.gpu_stack)
        return self


class Origin(Spec):
    """Where users are."""

    region: RegionName
    """The Azure region next to them: latency is measured from there."""
    share: Annotated[float, Field(gt=0, le=1e6)]
    """Their part of every model's demand, relative to the other origins."""
    max_rtt_ms: Annotated[float | None, Field(gt=0, le=10_000)] = None
    """Longest round trip to a region that may serve them, in milliseconds (median); any unless given."""
    hourly_percent: Annotated[list[Annotated[int, Field(ge=0, le=100)]] | None, Field(min_length=24, max_length=24)] = (
        None
    )
    """Demand from here by hour of the day in UTC, as a percentage of its own peak; always at the peak unless given."""


class Inference(Spec):
    """The inference platform of an environment."""

    models: list[Model] = []
    """Models to serve, in every region."""
    regions: Annotated[list[InferenceRegion], Field(min_length=1)]
    """Regions that serve, all of them origins of one Front Door origin group."""
    demand: list[Origin] = []
    """Where the demand comes from; unless given, equally from all serving regions and without a latency limit."""
    global_endpoint: Annotated[GlobalEndpoint, Field(strict=False)] = GlobalEndpoint.FRONT_DOOR
    """What sends each request to a region."""
    rollout: Rollout = Rollout()
    """How a new release of the models reaches the regions."""
    front_door: FrontDoor = FrontDoor()
    """Front Door, where it is the global endpoint."""
    traffic_manager: TrafficManager | None = None
    """Traffic Manager, where it is the global endpoint."""
    gateway: Gateway = Gateway()
    """The gateway of each region that serves models."""
    api_management: ApiManagement | None = None
    """Azure API Management in front of the global endpoint: keys and token limits for teams; none unless given."""

    @property
    def private_link(self) -> bool:
        """Whether gateways have no public address."""
        return self.traffic_manager is None and self.front_door.private_link
