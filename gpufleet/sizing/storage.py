"""Capacity of a fabric's Managed Lustre file system, from its workload."""

from __future__ import annotations

import math

from gpufleet.catalog import lustre
from gpufleet.spec.storage import LustreSku
from gpufleet.spec.training import TrainingFabric, Workload

CHECKPOINT_BYTES_PER_PARAMETER = 14
"""Mixed-precision Adam: 2 bytes of weights, 4 of their fp32 copy, 4 + 4 of the two moments (ZeRO, arXiv 1910.02054;
gradients aren't kept)."""

_TIB = 2**40


def checkpoint_tib(workload: Workload) -> float:
    """Size of one full checkpoint in TiB."""
    return workload.parameters_b * 1e9 * CHECKPOINT_BYTES_PER_PARAMETER / _TIB


def lustre_capacity_tib(workload: Workload, sku: LustreSku) -> float:
    """Capacity in TiB that holds the dataset and two checkpoints: the last good one and the one being written.

    Rounded up to the SKU's step, and at least its minimum. It may exceed what Azure offers of the SKU: the checks of
    the specification and the rules object to that, not this function.
    """
    facts = lustre.get(sku.value)
    needed = workload.dataset_tib + 2 * checkpoint_tib(workload)
    return float(max(facts.min_tib, math.ceil(needed / facts.step_tib) * facts.step_tib))


def planned_lustre_tib(fabric: TrainingFabric) -> float | None:
    """The fabric's Lustre capacity in TiB, stated or derived; None without one or anything to derive it from."""
    wanted = fabric.storage.lustre
    if wanted is None:
        return None
    if wanted.capacity_tib is not None:
        return wanted.capacity_tib
    return lustre_capacity_tib(fabric.workload, wanted.sku) if fabric.workload else None
