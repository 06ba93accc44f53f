"""The hours of the day that decide how much capacity there must be, and where."""

from __future__ import annotations

from collections.abc import Mapping

from gpufleet.spec.inference import Inference

_HOURS = 24
ANYWHERE = "anywhere"
"""The origin of a demand of which nobody says where it comes from."""


def busy_hours(inference: Inference) -> tuple[Mapping[str, float], ...]:
    """What each origin asks for at the hours that decide, as a part of the whole demand.

    An origin's share is its own peak, at the hours of 100 %; peaks of different origins need not come together. An hour
    at which no origin asks for more than it does at another one decides nothing and is left out.
    """
    if not inference.demand:
        return ({ANYWHERE: 1.0},)
    total = sum(one.share for one in inference.demand)
    hours: dict[tuple[float, ...], None] = {}
    for hour in range(_HOURS):
        asked = (
            one.share / total * (one.hourly_percent[hour] / 100 if one.hourly_percent else 1.0)
            for one in inference.demand
        )
        hours[tuple(asked)] = None
    deciding = [one for one in hours if not any(other != one and _covers(other, one) for other in hours)]
    parts = []
    for asked_at in deciding:
        part: dict[str, float] = {}
        for origin, share in zip(inference.demand, asked_at, strict=True):
            part[origin.region] = part.get(origin.region, 0.0) + share
        parts.append(part)
    return tuple(parts)


def busiest(inference: Inference) -> float:
    """The demand of the busiest hour as a part of all origins' peaks together: 1 unless they have curves."""
    return max(sum(part.values()) for part in busy_hours(inference))


def _covers(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(more >= less for more, less in zip(one, other, strict=True))
