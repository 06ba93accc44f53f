"""What serves models in one region's cluster, in the order in which it depends on each other."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.region_serving import RegionServing


def add_serving(serving: RegionServing) -> Sequence[pulumi.Resource]:
    """Add everything that serves: servers, autoscaling, gateway. Each part is one call.

    Returns what must be there before requests come to the region, and may go only once none come any more.
    """
    del serving
    return ()
