"""The inference platform: models, regions and the global front door."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from gpufleet.spec.base import RegionName, SizeName, Spec
from gpufleet.spec.cluster import Cluster, Network
from gpufleet.spec.pool import Pool, of_cluster


class Precision(StrEnum):
    """Number format the weights are served in."""

    FP16 = "fp16"
    BF16 = "bf16"
    FP8 = "fp8"
    INT8 = "int8"
    INT4 = "int4"


class Sparsity(StrEnum):
    """Zeros among the weights that the GPU can leave out."""

    DENSE = "dense"
    """None, or ones without a pattern: they take memory and time like any other weight."""
    STRUCTURED_2_4 = "structured-2-4"
    """Two of every four: what the sparse tensor cores of NVIDIA GPUs since Ampere skip."""


class KvPrecision(StrEnum):
    """Number format of the KV cache."""

    BITS_16 = "16-bit"
    FP8 = "fp8"


class Architecture(Spec):
    """What of a decoder the KV cache depends on; the model's config.json has all three."""

    layers: Annotated[int, Field(ge=1, le=10_000)]
    """`num_hidden_layers`."""
    kv_heads: Annotated[int, Field(ge=1, le=10_000)]
    """`num_key_value_heads`; fewer than attention heads in grouped-query attention."""
    head_dim: Annotated[int, Field(ge=1, le=10_000)]
    """`head_dim`, or hidden size divided by attention heads."""


class Model(Spec):
    """A model to serve."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$")]
    """A DNS label: it becomes part of Kubernetes object names."""
    parameters_b: Annotated[float, Field(gt=0, le=1e5, alias="parametersB")]
    """Model parameters in billions."""
    precision: Annotated[Precision, Field(strict=False)]
    """Number format of the weights."""
    context_tokens: Annotated[int, Field(ge=1, le=10_000_000)]
    """Longest context in tokens."""
    demand_tokens_per_second: Annotated[float, Field(gt=0, le=1e9)]
    """Output tokens a second at peak, all regions together."""
    active_parameters_b: Annotated[float | None, Field(gt=0, le=1e5, alias="activeParametersB")] = None
    """Parameters that one token goes through, in billions, of a mixture of experts; all of them unless given."""
    sparsity: Annotated[Sparsity, Field(strict=False)] = Sparsity.DENSE
    """How the weights were pruned."""
    kv_precision: Annotated[KvPrecision, Field(strict=False)] = KvPrecision.BITS_16
    """fp8 halves the KV cache, for models that bear it."""
    architecture: Architecture | None = None
    """Shape of the model; that of a published model of its size stands in unless given."""
    concurrency: Annotated[int | None, Field(ge=1, le=100_000)] = None
    """Sequences of full context that one replica holds at once; a default stands in unless given."""
    tokens_per_second_per_gpu: dict[SizeName, Annotated[float, Field(gt=0, le=1e6)]] = {}
    """Output tokens a second of one GPU as you measured it, by VM size; a published figure stands in for others."""


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
    priority: Annotated[int, Field(ge=1, le=5)] = 1
    """Front Door origin priority 1-5; equal priorities share by latency and weight."""
    weight: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Front Door origin weight 1-1000."""

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


class FrontDoorSku(StrEnum):
    """Azure Front Door tiers."""

    STANDARD = "Standard_AzureFrontDoor"
    PREMIUM = "Premium_AzureFrontDoor"


class HealthProbe(Spec):
    """Front Door health probe."""

    path: Annotated[str, Field(pattern=r"^/")] = "/health"
    """Path of the health check."""
    interval_seconds: Annotated[int, Field(ge=1, le=255)] = 30
    """Seconds between two probes from one edge location."""


class FrontDoor(Spec):
    """The global endpoint."""

    sku: Annotated[FrontDoorSku, Field(strict=False)] = FrontDoorSku.STANDARD
    """Premium adds Private Link origins and managed firewall rules."""
    origin_response_timeout_seconds: Annotated[int, Field(ge=16, le=240)] = 240
    """Front Door waits 16 to 240 s for an origin, so long answers must stream (Microsoft.Cdn 2024-02-01)."""
    health_probe: HealthProbe = HealthProbe()
    """How Front Door finds out that a region is down."""
    private_link: bool = False
    """Origins by Private Link; true is not supported: gateways have public addresses that only Front Door reaches."""


class Inference(Spec):
    """The inference platform of an environment."""

    models: list[Model] = []
    """Models to serve, in every region."""
    regions: Annotated[list[InferenceRegion], Field(min_length=1)]
    """Regions that serve, all of them origins of one Front Door origin group."""
    demand: list[Origin] = []
    """Where the demand comes from; unless given, equally from all serving regions and without a latency limit."""
    front_door: FrontDoor = FrontDoor()
    """The global endpoint in front of the regions."""
