"""GPUs of one replica, tokens a second from it, and replicas for a demand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gpufleet.sizing.numbers import SizingError, at_least_one, not_negative, positive

_MOST_NODES = 16
"""Nodes of a replica; none larger is published, and every step crosses InfiniBand twice a layer."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a replica lies on a size."""

    tensor_parallel: int
    """GPUs that share every layer: a power of two."""
    nodes: int
    """Nodes of one replica; more than one only over InfiniBand."""
    replicas_per_node: int
    """Replicas that fit on one node; 1 for a replica of several nodes."""
    bytes_per_gpu: float
    """Weights and KV cache on each GPU."""
    budget_per_gpu: float
    """What the server may use of a GPU for them."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One measured rate of serving on one kind of GPU."""

    tokens_per_s_per_gpu: float
    active_parameters_b: float
    bytes_per_parameter: float
    over_nodes: bool
    """Measured with a replica that spans nodes."""
    source: str


def fit(
    *,
    weights_bytes: float,
    kv_bytes: float,
    kv_heads: int,
    gpus_per_node: int,
    budget_per_gpu: float,
    rdma: bool,
    at_least: int = 1,
) -> Fit | None:
    """The smallest tensor parallelism that holds weights and KV cache, None when there is none.

    Each GPU holds weights / t, and KV cache / min(t, KV heads): beyond one GPU a head the cache is repeated (vLLM,
    parallelism and scaling). Within a node t is a power of two; across nodes whole nodes are used, and only of a size
    with InfiniBand.

    Args:
        weights_bytes: weights of the model.
        kv_bytes: KV cache of the replica.
        kv_heads: KV heads of the model.
        gpus_per_node: GPUs of the size.
        budget_per_gpu: bytes that weights and KV cache may take on one GPU.
        rdma: whether the size has InfiniBand.
        at_least: GPUs that a replica has at the least, a power of two: more answer faster.

    Raises:
        SizingError: a number out of range.
    """
    positive("weights (bytes)", weights_bytes)
    not_negative("KV cache (bytes)", kv_bytes)
    gpus, heads = at_least_one("GPUs per node", gpus_per_node), at_least_one("KV heads", kv_heads)
    most = 2 ** int(math.log2(gpus)) if not rdma else gpus * _MOST_NODES
    parallel = at_least_one("GPUs at least", at_least)
    while parallel <= most:
        nodes = max(1, parallel // gpus)
        each = weights_bytes / parallel + kv_bytes / min(parallel, heads)
        if each <= budget_per_gpu and (parallel <= gpus or parallel % gpus == 0):
            return Fit(
                tensor_parallel=parallel,
                nodes=nodes,
                replicas_per_node=max(1, gpus // parallel),
                bytes_per_gpu=each,
                budget_per_gpu=budget_per_gpu,
            )
        parallel *= 2
    return None


def tokens_per_second_per_gpu(
    rates: Sequence[Rate], *, active_parameters_b: float, bytes_per_parameter: float, over_nodes: bool
) -> tuple[float, Rate] | None:
    """The best rate that measurements justify for a model, and the one it rests on; None without any.

    Work per token grows with the parameters it goes through and with their bytes, so a measured rate is scaled down
    for a larger or more precise model (by the ratio) and never up for a smaller one: each measurement gives a lower
    bound, and the largest counts.

    Args:
        rates: measurements on this kind of GPU.
        active_parameters_b: parameters that a token goes through, in billions.
        bytes_per_parameter: bytes of one weight as served.
        over_nodes: whether the replica spans nodes; then only such measurements count.

    Raises:
        SizingError: a number out of range.
    """
    parameters = positive("active parameters (billions)", active_parameters_b)
    size = positive("bytes per parameter", bytes_per_parameter)
    best: tuple[float, Rate] | None = None
    for rate in rates:
        if rate.over_nodes is not over_nodes:
            continue
        by_parameters = min(1.0, rate.active_parameters_b / parameters)
        scaled = rate.tokens_per_s_per_gpu * by_parameters * min(1.0, rate.bytes_per_parameter / size)
        if best is None or scaled > best[0]:
            best = (scaled, rate)
    return best


def replicas(demand_tokens_per_s: float, tokens_per_s_per_replica: float) -> int:
    """Replicas for a demand: demand / rate, rounded up; at least 1.

    Raises:
        SizingError: a number out of range.
    """
    demand = positive("demand (tokens/s)", demand_tokens_per_s)
    return max(1, math.ceil(demand / positive("tokens/s of a replica", tokens_per_s_per_replica) * (1 - 1e-12)))


def replicas_per_region(demand_tokens_per_s: float, tokens_per_s_per_replica: float, regions: int) -> int:
    """Replicas in each of `regions` so that the demand is met with any one of them lost: ⌈replicas / (regions − 1)⌉.

    Raises:
        SizingError: a number out of range, or a single region, whose loss nothing covers.
    """
    if at_least_one("regions", regions) == 1:
        raise SizingError("with one region nothing is left when it is lost", hint="Serve from two regions at least.")
    return math.ceil(replicas(demand_tokens_per_s, tokens_per_s_per_replica) / (regions - 1))
