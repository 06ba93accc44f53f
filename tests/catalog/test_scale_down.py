from __future__ import annotations

from gpufleet.catalog import limits, scale_down, sizes
from gpufleet.catalog.scale_down import ScaleDown


def test_outside_production_idle_nodes_go_as_soon_as_aks_lets_them():
    assert scale_down.of_training(production=False) == ScaleDown(
        unneeded_minutes=10,
        delay_after_add_minutes=15,
        utilization_threshold=0.05,
        max_graceful_termination_seconds=600,
        skip_nodes_with_local_storage=False,
        ignore_daemonsets_utilization=True,
    )


def test_production_keeps_nodes_for_the_job_that_comes_back():
    assert scale_down.of_training(production=True).unneeded_minutes == 60


def test_no_node_with_a_pod_on_one_gpu_is_taken():
    most = max(sizes.get(name).gpus for name in sizes.names())
    for production in (False, True):
        assert scale_down.of_training(production=production).utilization_threshold < 1 / most


def test_a_node_has_longer_than_a_spot_eviction_leaves():
    notice = limits.value("spot.eviction_notice_seconds")
    assert scale_down.of_training(production=False).max_graceful_termination_seconds > notice
