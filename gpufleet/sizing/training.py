"""Training: how long a run takes on how many nodes."""

from __future__ import annotations

import math

from gpufleet.sizing.numbers import SizingError, at_least_one, positive

_SECONDS_PER_DAY = 86_400
_FLOPS_PER_PARAMETER_AND_TOKEN = 6
"""Forward 2, backward 4, of a dense transformer without recomputation (Kaplan et al., arXiv 2001.08361)."""


def total_flops(parameters_b: float, tokens_b: float) -> float:
    """Model FLOPs of a run: 6·N·D (Kaplan et al., arXiv 2001.08361; attention's own share isn't counted).

    Args:
        parameters_b: N in billions; for a mixture of experts, the parameters active for a token.
        tokens_b: D, training tokens in billions.

    Raises:
        SizingError: a number out of range.
    """
    parameters, tokens = positive("parameters (billions)", parameters_b), positive("tokens (billions)", tokens_b)
    return _FLOPS_PER_PARAMETER_AND_TOKEN * parameters * 1e9 * tokens * 1e9


def days(
    parameters_b: float, tokens_b: float, *, nodes: int, gpus_per_node: int, tflops_per_gpu: float, useful: float = 1.0
) -> float:
    """Days of wall time: FLOPs / (GPUs · rate · useful share).

    Args:
        parameters_b: parameters in billions.
        tokens_b: training tokens in billions.
        nodes: nodes that compute.
        gpus_per_node: GPUs of one.
        tflops_per_gpu: model TFLOP/s of one GPU in the running job, as measured.
        useful: share of wall time that is computing (`checkpoint.availability`), above 0 and at most 1.

    Raises:
        SizingError: a number out of range.
    """
    gpus = at_least_one("nodes", nodes) * at_least_one("GPUs per node", gpus_per_node)
    rate = gpus * positive("model TFLOP/s per GPU", tflops_per_gpu) * 1e12
    return total_flops(parameters_b, tokens_b) / (rate * positive("useful share", useful, at_most=1)) / _SECONDS_PER_DAY


def nodes_for_days(
    parameters_b: float,
    tokens_b: float,
    within_days: float,
    *,
    gpus_per_node: int,
    tflops_per_gpu: float,
    useful: float = 1.0,
    at_most: int = 1_000_000,
) -> int:
    """The fewest nodes that finish within `within_days`; arguments as in `days`.

    Raises:
        SizingError: a number out of range, or more than `at_most` nodes would be needed.
    """
    one = days(
        parameters_b, tokens_b, nodes=1, gpus_per_node=gpus_per_node, tflops_per_gpu=tflops_per_gpu, useful=useful
    )
    exact = one / positive("days", within_days)
    if exact > at_most:
        raise SizingError(
            f"{exact:,.0f} nodes would be needed to train {parameters_b:g} B parameters on {tokens_b:g} B tokens in "
            f"{within_days:g} days; at most {at_most:,} are allowed"
        )
    # A hair's breadth of rounding must not cost a node.
    return max(1, math.ceil(exact * (1 - 1e-12)))


def read_bytes_per_second(dataset_bytes: float, epochs: float, run_days: float, burst: float) -> float:
    """Rate at which the dataset must be read so that GPUs never wait: dataset · epochs / time · burst.

    Args:
        dataset_bytes: size of the dataset as stored.
        epochs: times that the run reads it.
        run_days: days of computing.
        burst: how far above the mean the loaders read at their fastest, at least 1.

    Raises:
        SizingError: a number out of range.
    """
    if not burst >= 1:
        raise SizingError(f"burst is {burst:g}: it must be at least 1")
    mean = positive("dataset bytes", dataset_bytes) * positive("epochs", epochs)
    return mean / (positive("days", run_days) * _SECONDS_PER_DAY) * positive("burst", burst)
