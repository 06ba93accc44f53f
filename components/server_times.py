"""How long a model server may take to start and to end."""

from __future__ import annotations

import math
from dataclasses import dataclass

from components.vllm_settings import vllm_settings
from gpufleet.sizing.defaults import default
from gpufleet.sizing.serving import memory_needs
from gpufleet.sizing.serving_plan import ServerPlan


@dataclass(frozen=True, kw_only=True)
class StartTimes:
    """Times of a start, in seconds."""

    budget_seconds: int
    """From the container's start to its first answer: what the startup probe allows."""
    probe_period_seconds: int
    probe_failures: int
    """Probes that may fail, so that period times failures is the budget or just above."""
    progress_seconds: int
    """From a new pod to a ready one, with a new node and weights that are not in its cache."""


@dataclass(frozen=True, kw_only=True)
class DrainTimes:
    """Times of an end, in seconds."""

    lead_seconds: int
    """The pod serves on while gateways learn that it leaves (preStop)."""
    answer_seconds: int
    """After SIGTERM, until answers that are under way are cut off."""
    grace_seconds: int
    """From the deletion to SIGKILL: both, and what the engine takes to end."""


def start_times(plan: ServerPlan) -> StartTimes:
    """Times of a start: slack · (weights · replicas of a node / read rate) + what the engine takes.

    All replicas of a node may start at once and share what it reads. The rate is that from blob to a node, measured; a
    local cache is no slower. A new pod may have to fetch the weights first, at the same rate, and to wait for a node.
    """
    settings = vllm_settings().start
    rate = default("blob.node_read_gbytes_s").value * 1e9
    weights, _ = memory_needs(plan.form.model)
    fit = plan.serving.fit
    read = settings.slack * weights / fit.nodes * fit.replicas_per_node / rate
    failures = math.ceil((read + settings.engine_seconds) / settings.period_seconds)
    budget = failures * settings.period_seconds
    return StartTimes(
        budget_seconds=budget,
        probe_period_seconds=settings.period_seconds,
        probe_failures=failures,
        progress_seconds=math.ceil(settings.node_seconds + read) + budget,
    )


def drain_times(plan: ServerPlan) -> DrainTimes:
    """Times of an end: longer than the longest stream that the model declares."""
    settings = vllm_settings().drain
    longest = plan.model.longest_stream_seconds
    return DrainTimes(
        lead_seconds=settings.lead_seconds,
        answer_seconds=longest,
        grace_seconds=settings.lead_seconds + longest + settings.end_seconds,
    )
