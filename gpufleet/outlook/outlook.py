"""The whole outlook of one environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gpufleet.outlook.day import Day, day
from gpufleet.outlook.fleet import Fleet, fleet
from gpufleet.outlook.region_loss import Loss, losses
from gpufleet.spec.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What is ahead.

    Attributes:
        day: the declared demand with everything up.
        losses: each region lost, then all spot nodes.
    """

    fleet: Fleet
    day: Day
    losses: tuple[Loss, ...]

    @property
    def unknown_latencies(self) -> tuple[str, ...]:
        """Places of which no round trip to a region that serves them, now or then, is known."""
        return tuple(
            dict.fromkeys(
                moved.origin
                for loss in self.losses
                for moved in loss.moved
                if moved.rtt_before is None or moved.rtt_after is None
            )
        )

    @property
    def unknown_quotas(self) -> int:
        """Quotas that nobody said, each counted once."""
        return len({(need.region, need.family) for loss in self.losses for need in loss.quota if need.quota is None})


def outlook(environment: Environment, quotas: Mapping[tuple[str, str], float] | None = None) -> Outlook | None:
    """The outlook; None without an inference platform that has models.

    Args:
        environment: the specification.
        quotas: vCPUs by region and family, `total` or `spot`; one that is missing is not known.

    Raises:
        CatalogError: a table is damaged.
        SizingError: a number out of range.
    """
    inference = environment.inference
    if inference is None or not inference.models:
        return None
    found = fleet(environment, inference)
    usual = day(found)
    return Outlook(fleet=found, day=usual, losses=losses(environment, found, usual, quotas))
