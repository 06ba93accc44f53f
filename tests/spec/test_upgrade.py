from __future__ import annotations

import pytest

from gpufleet.spec.pool import Pool
from gpufleet.spec.upgrade import share_of, surge_nodes, upgrade_plan

ND, CPU = "Standard_ND96isr_H100_v5", "Standard_D32s_v5"


def _pool(sku: str, nodes: int, upgrade: dict[str, object] | None, priority: str = "regular") -> Pool:
    return Pool.model_validate(
        {"name": "a", "sku": sku, "nodes": nodes, "priority": priority, **({"upgrade": upgrade} if upgrade else {})}
    )


@pytest.mark.parametrize(
    ("sku", "upgrade", "effective", "surge"),
    [
        (ND, None, ("0", "1"), 0),
        (ND, {"maxSurge": "1"}, ("1", "0"), 3),
        (ND, {"maxUnavailable": "2"}, ("0", "2"), 0),
        (ND, {"maxSurge": "0%"}, ("0%", "1"), 0),
        ("Standard_NC40ads_H100_v5", None, ("0", "1"), 0),
        (CPU, None, ("10%", "0"), 21),
        (CPU, {"maxSurge": "0", "maxUnavailable": "1"}, ("0", "1"), 0),
        (CPU, {"maxSurge": 33}, ("33", "0"), 33),
    ],
)
def test_effective_settings(
    sku: str, upgrade: dict[str, object] | None, effective: tuple[str, str], surge: int
) -> None:
    # 201 nodes: three InfiniBand domains, each an agent pool with a surge of its own.
    pool = _pool(sku, 201, upgrade)
    plan = upgrade_plan(pool)
    assert plan is not None
    assert (plan.max_surge, plan.max_unavailable) == effective
    assert surge_nodes(pool) == surge


def test_spot_has_no_settings() -> None:
    pool = _pool(CPU, 201, None, "spot")
    assert upgrade_plan(pool) is None
    assert surge_nodes(pool) == 0


def test_a_percentage_rounds_up() -> None:
    assert [share_of("10%", 1), share_of("10%", 10), share_of("10%", 11), share_of("0%", 9), share_of("7", 2)] == [
        1,
        1,
        2,
        0,
        7,
    ]
