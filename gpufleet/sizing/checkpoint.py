"""Checkpoints: their size, how long a write takes, how often to write, and what of the time stays useful.

Symbols: C seconds that a checkpoint stops the job, M mean time between interruptions in seconds, R seconds from an
interruption until the job computes again, T seconds of computing between two checkpoints. Interruptions are a Poisson
process. A checkpoint that is written behind the computing (asynchronously) stops the job for less than its write takes:
give that shorter time as C.
"""

from __future__ import annotations

import math
from functools import lru_cache

from gpufleet.sizing.numbers import not_negative, positive, share

BYTES_PER_PARAMETER = 14
"""Mixed-precision Adam: 2 bytes of weights, 4 of their fp32 copy, 4 + 4 of the two moments (ZeRO, arXiv 1910.02054;
gradients aren't kept)."""


def size_bytes(parameters_b: float, bytes_per_parameter: float = BYTES_PER_PARAMETER) -> float:
    """Size of one full checkpoint in bytes: parameters times bytes per parameter.

    Args:
        parameters_b: parameters in billions.
        bytes_per_parameter: 14 for mixed-precision Adam; published ones lie from 9.1 (OPT-175B) to 14.5 (GPT-3 175B).

    Raises:
        SizingError: a number out of range.
    """
    return positive("parameters (billions)", parameters_b) * 1e9 * positive("bytes per parameter", bytes_per_parameter)


def write_bytes_per_second(*, storage_bytes_per_s: float, nodes: int, nic_bytes_per_s: float) -> float:
    """Rate at which `nodes` write one checkpoint together: the file system's or all their front-end NICs', the less.

    Raises:
        SizingError: a number out of range.
    """
    return min(
        positive("storage throughput", storage_bytes_per_s),
        positive("nodes", nodes) * positive("NIC throughput", nic_bytes_per_s),
    )


def young_seconds(write_s: float, mtbf_s: float) -> float:
    """Young's interval T = √(2·C·M), first order, for C much smaller than M (Young 1974, CACM 17(9)).

    Raises:
        SizingError: a number out of range.
    """
    return math.sqrt(2 * positive("checkpoint seconds", write_s)) * math.sqrt(positive("MTBF seconds", mtbf_s))


def young_waste(write_s: float, mtbf_s: float) -> float:
    """Share of time lost at Young's interval, first order: √(2·C/M), without restarts; above 1 it means nothing.

    Raises:
        SizingError: a number out of range.
    """
    return math.sqrt(2 * positive("checkpoint seconds", write_s) / positive("MTBF seconds", mtbf_s))


def daly_seconds(write_s: float, mtbf_s: float) -> float:
    """Daly's higher-order interval: √(2CM)·(1 + ⅓·√(C/2M) + C/(18M)) − C for C < 2M, else M (Daly 2006, FGCS 22(3)).

    Raises:
        SizingError: a number out of range.
    """
    c, m = positive("checkpoint seconds", write_s), positive("MTBF seconds", mtbf_s)
    if c >= 2 * m:
        return m
    ratio = c / (2 * m)
    return math.sqrt(2 * c) * math.sqrt(m) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - c


def availability(interval_s: float, write_s: float, mtbf_s: float, restart_s: float = 0.0) -> float:
    """Share of wall time that is useful computing: T / (M · e^(R/M) · (e^((T+C)/M) − 1)).

    Exact for Poisson interruptions that also strike during checkpoint and restart (the expected time of a segment is
    Daly's 2006 equation; availability as the objective: Plank and Thomason 1998, arXiv 2410.18124).

    Returns:
        From 0 to 1.

    Raises:
        SizingError: a number out of range.
    """
    t, c = positive("interval seconds", interval_s), positive("checkpoint seconds", write_s)
    m, r = positive("MTBF seconds", mtbf_s), not_negative("restart seconds", restart_s)
    exponent = (t + c) / m
    if exponent + r / m > 700:  # e^700 is near the largest double; the share is 0 long before
        return 0.0
    return t / (m * math.exp(r / m) * math.expm1(exponent))


def availability_optimal_seconds(write_s: float, mtbf_s: float) -> float:
    """The interval that maximises `availability`, exact for any C and M.

    Setting the derivative to 0 gives (1 − x)·e^x = e^(−C/M) with x = T/M, so T = M·(1 + W₀(−e^(−1−C/M))); restart time
    drops out, for it multiplies every interval's time alike. For C far below M it becomes Young's √(2CM), as
    arXiv 2410.18124 says of the availability-optimal interval.

    Raises:
        SizingError: a number out of range.
    """
    c, m = positive("checkpoint seconds", write_s), positive("MTBF seconds", mtbf_s)
    # Below 1e-9 the equation is flat to double precision, and Young's interval is exact to it.
    ratio = c / m
    if ratio < 1e-9:
        return math.sqrt(2 * ratio) * m
    low, high = 0.0, 1.0
    for _ in range(200):
        x = (low + high) / 2
        # −x − ln(1 − x) grows from 0 to infinity with x.
        if x < 1 and -x - math.log1p(-x) < ratio:
            low = x
        else:
            high = x
        if high - low <= 1e-16 * high:
            break
    return high * m


def least_loss(write_s: float, mtbf_s: float, restart_s: float = 0.0) -> float:
    """Share of time lost to checkpoints, lost work and restarts at the best interval: 1 − availability.

    Raises:
        SizingError: a number out of range.
    """
    return 1 - availability(availability_optimal_seconds(write_s, mtbf_s), write_s, mtbf_s, restart_s)


@lru_cache(maxsize=64)  # two searches one in the other, and every figure of a fabric asks for the same
def longest_write_seconds(loss: float, mtbf_s: float, restart_s: float) -> float | None:
    """The longest checkpoint C with which the loss stays within `loss`; None when restarts alone cost more.

    Args:
        loss: share of time, above 0 and below 1.
        mtbf_s: M.
        restart_s: R.

    Raises:
        SizingError: a number out of range.
    """
    allowed, m = share("allowed loss", loss), positive("MTBF seconds", mtbf_s)
    # With C → 0 the availability is e^(−R/M).
    if -math.expm1(-not_negative("restart seconds", restart_s) / m) >= allowed:
        return None
    low, high = 0.0, m
    while least_loss(high, m, restart_s) < allowed:
        low, high = high, high * 2
    for _ in range(100):
        middle = (low + high) / 2
        if middle > 0 and least_loss(middle, m, restart_s) <= allowed:
            low = middle
        else:
            high = middle
    return low if low > 0 else None


def longest_interval_seconds(loss: float, stall_s: float, mtbf_s: float, restart_s: float) -> float | None:
    """The longest interval with which the loss stays within `loss`; None when even the best interval loses more.

    A checkpoint that is written behind the computing has this long until the next one begins.

    Args:
        loss: share of time, above 0 and below 1.
        stall_s: C, seconds that the job stands still for a checkpoint.
        mtbf_s: M.
        restart_s: R.

    Raises:
        SizingError: a number out of range.
    """
    allowed = share("allowed loss", loss)
    low = availability_optimal_seconds(stall_s, mtbf_s)
    if 1 - availability(low, stall_s, mtbf_s, restart_s) > allowed:
        return None
    high = low * 2
    while 1 - availability(high, stall_s, mtbf_s, restart_s) <= allowed:
        low, high = high, high * 2
    for _ in range(100):
        middle = (low + high) / 2
        if 1 - availability(middle, stall_s, mtbf_s, restart_s) <= allowed:
            low = middle
        else:
            high = middle
    return low
