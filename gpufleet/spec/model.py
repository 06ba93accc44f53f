"""A model to serve: its shape, how its weights are stored, and how its servers run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import ArtifactDigest, ImageDigest, SizeName, Spec


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


class ServerKind(StrEnum):
    """What runs a model's servers."""

    VLLM = "vllm"
    """vLLM: a Deployment where a replica fits on one node, else a LeaderWorkerSet over several."""
    KAITO = "kaito"
    """A Workspace of the Kubernetes AI Toolchain Operator on the declared pools; it runs vLLM its own way."""


class WeightCache(StrEnum):
    """Where a node keeps weights between servers."""

    NVME = "nvme"
    """The node's own disks: fastest, filled again on a new node."""
    BLOB = "blob"
    """A container in the region's storage account, mounted read-only: nothing to fill, slower to load."""


class Weights(Spec):
    """The weights of a model, by digest."""

    artifact: ArtifactDigest
    """OCI artifact in the environment's registry, as `models/llama-70b-fp8@sha256:…`; it is replicated with it."""
    cache: Annotated[WeightCache | None, Field(strict=False)] = None
    """NVMe where the size has local disks and blob elsewhere, unless given."""


class LatencyTarget(Spec):
    """What a user waits for, at the 95th percentile."""

    time_to_first_token_ms: Annotated[int | None, Field(ge=1, le=600_000)] = None
    """Until the first token, in milliseconds."""
    time_per_output_token_ms: Annotated[int | None, Field(ge=1, le=60_000)] = None
    """Between tokens, in milliseconds."""


class ModelAutoscaling(Spec):
    """When a region's servers of a model become more and fewer (KEDA)."""

    waiting_requests_per_replica: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Requests in a replica's queue, on average, above which another is started."""
    kv_cache_percent: Annotated[int, Field(ge=10, le=100)] = 80
    """Share of the KV cache in use, on average, above which another replica is started."""
    cooldown_seconds: Annotated[int, Field(ge=60, le=86_400)] = 300
    """How long the signals must be low before a replica is stopped."""


class Variant(Spec):
    """The same model in another form, beside the first: to compare before switching."""

    precision: Annotated[Precision, Field(strict=False)]
    """Number format of its weights."""
    traffic_percent: Annotated[int, Field(ge=0, le=100)]
    """Its part of the model's requests; the model's own form takes the rest."""
    name: Annotated[str | None, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$")] = None
    """Becomes part of Kubernetes names; the precision unless given."""
    sparsity: Annotated[Sparsity, Field(strict=False)] = Sparsity.DENSE
    """How its weights were pruned."""
    kv_precision: Annotated[KvPrecision, Field(strict=False)] = KvPrecision.BITS_16
    """Number format of its KV cache."""
    weights: Weights | None = None
    """Its weights; without them it is planned and priced, and not served."""
    tokens_per_second_per_gpu: dict[SizeName, Annotated[float, Field(gt=0, le=1e6)]] = {}
    """As for the model."""

    @property
    def label(self) -> str:
        """Its name, given or derived."""
        return self.name or self.precision.value


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
    server: Annotated[ServerKind, Field(strict=False)] = ServerKind.VLLM
    """What runs the servers."""
    image: ImageDigest | None = None
    """Image of the server by digest, as `vllm/vllm-openai@sha256:…`; needed with weights, except for KAITO."""
    weights: Weights | None = None
    """The weights; without them the model is planned and priced, and nothing serves it."""
    preset: Annotated[str | None, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")] = None
    """Name by which KAITO knows the model, as `phi-4`; its release brings image and weights."""
    variants: Annotated[list[Variant], Field(max_length=4)] = []
    """Other forms of it to serve beside, each with a share of the requests."""
    variant: Annotated[str | None, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$")] = None
    """Name of the model's own form among its variants; the precision unless given."""
    latency: LatencyTarget = LatencyTarget()
    """What users may wait."""
    longest_stream_seconds: Annotated[int, Field(ge=1, le=86_400)] = 600
    """Longest answer that a server may be in when it is stopped: it drains for longer than that."""
    autoscaling: ModelAutoscaling = ModelAutoscaling()
    """When servers become more and fewer."""
    team: Annotated[str | None, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")] = None
    """Team that answers for it; becomes a label of its objects."""

    @property
    def is_served(self) -> bool:
        """Whether something serves this form of it: its own weights, or KAITO with a preset's."""
        return self.weights is not None or (self.server is ServerKind.KAITO and self.preset is not None)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Every form it is served in, its own first, with its share of the demand."""
        own = 100 - sum(one.traffic_percent for one in self.variants)
        label = self.variant or self.precision.value
        name = f"{self.name} in {label}" if self.variants else self.name
        return (
            Form(name=name, label=label, share=own / 100, model=self),
            *(
                Form(
                    name=f"{self.name} in {one.label}",
                    label=one.label,
                    share=one.traffic_percent / 100,
                    model=self._as(one),
                )
                for one in self.variants
            ),
        )

    def _as(self, variant: Variant) -> Model:
        return self.model_copy(
            update={
                "precision": variant.precision,
                "sparsity": variant.sparsity,
                "kv_precision": variant.kv_precision,
                "weights": variant.weights,
                "tokens_per_second_per_gpu": variant.tokens_per_second_per_gpu,
                "variants": [],
                "variant": variant.label,
            }
        )


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form of a model as its servers see it."""

    name: str
    """As people read it: the model, and its form where there are several."""
    label: str
    """Name of the form; with the model's name it names its servers."""
    share: float
    """Part of the model's demand, from 0 to 1."""
    model: Model
    """The model with this form's precision, weights and rates; its demand is that of all forms."""
