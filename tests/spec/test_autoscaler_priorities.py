from __future__ import annotations

from collections.abc import Mapping

import pytest

from gpufleet.spec.autoscaler import Autoscaler, Expander
from gpufleet.spec.autoscaler_priorities import has_priorities, priority_of
from gpufleet.spec.pool import Pool

REGULAR = {"name": "a", "nodes": {"min": 1, "max": 2}}
SPOT = {"name": "b", "nodes": {"min": 0, "max": 2}, "priority": "spot"}


def _pools(*specs: Mapping[str, object]) -> list[Pool]:
    return [Pool.model_validate({"sku": "Standard_NC4as_T4_v3", **spec}) for spec in specs]


@pytest.mark.parametrize(
    ("specs", "expander", "expected"),
    [
        ([REGULAR, SPOT], None, True),
        ([REGULAR], None, False),
        ([SPOT], None, False),
        ([{**REGULAR, "nodes": 2}, SPOT], None, False),
        ([{**REGULAR, "autoscalerPriority": 3}], None, True),
        ([REGULAR], Expander.PRIORITY, True),
        ([{**REGULAR, "nodes": 2}], Expander.PRIORITY, False),
        ([REGULAR, SPOT], Expander.RANDOM, False),
    ],
)
def test_where_the_autoscaler_follows_priorities(
    specs: list[Mapping[str, object]], expander: Expander | None, expected: bool
) -> None:
    assert has_priorities(_pools(*specs), Autoscaler(expander=expander)) is expected


def test_a_stated_priority_stands_before_that_of_the_tier() -> None:
    pools = _pools(REGULAR, SPOT, {**SPOT, "autoscalerPriority": 1})
    assert [priority_of(pool) for pool in pools] == [10, 20, 1]
