"""Spot in training fabrics: no gang on it, and only jobs that resume from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import sizes
from gpufleet.spec.base import Priority
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem

_SOURCE = "AKS spot-node-pool"


def check_spot(environment: Environment) -> Iterator[Problem]:
    """GPU pools of training fabrics at spot priority. CPU pools may be spot: data preparation starts again."""
    for number, fabric in enumerate(environment.training):
        for index, pool in enumerate(fabric.pools):
            size = sizes.find(pool.sku)
            if pool.priority is not Priority.SPOT or size is None or not size.is_gpu:
                continue
            path, workload = ("training", number, "pools", index), ("training", number, "workload")
            if size.rdma:
                yield Problem(
                    path=(*path, "priority"),
                    message=f"InfiniBand is for gangs, and a spot node of {size.name} goes with 30 seconds' notice and "
                    "takes the whole gang with it",
                    fix="Make it regular, or take a size without InfiniBand for jobs of one node",
                    source=_SOURCE,
                    reads=((*path, "sku"),),
                )
            elif fabric.workload is None or not fabric.workload.checkpoint.resume:
                yield Problem(
                    path=(*path, "priority"),
                    message="spot GPU nodes are for jobs that resume from a checkpoint, and none declares it here",
                    fix="Add `resume: true` to workload.checkpoint once its jobs do, or make the pool regular",
                    source=_SOURCE,
                    reads=((*path, "sku"), workload),
                )
