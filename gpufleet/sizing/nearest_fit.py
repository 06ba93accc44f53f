"""What would make a model fit that doesn't: the least change of each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpufleet.catalog import sizes, throughput
from gpufleet.sizing.memory import bytes_per_parameter
from gpufleet.sizing.serving import concurrency, lay
from gpufleet.spec.model import KvPrecision, Model, Precision

_CONTEXT_STEP = 1024


def nearest_fits(model: Model, used: Sequence[sizes.Size]) -> list[str]:
    """What of size, precision, KV cache, context or concurrency would do by itself, each at its least change.

    Args:
        model: one form of a model that fits none of the sizes.
        used: GPU sizes of the pools; the one with most memory is what a smaller model would run on.
    """
    found = []
    if (larger := _smallest_size(model)) is not None:
        found.append(f"{larger.name} holds it as it is")
    mine = max((size for size in used if size.gpu_memory_gb), key=_memory, default=None)
    if mine is not None:
        found += [f"{mine.name} holds it {change}" for change in _smaller(model, mine)]
    return found


def _smaller(model: Model, size: sizes.Size) -> list[str]:
    changes = []
    now = bytes_per_parameter(model.precision, model.sparsity)
    lower = sorted(
        (one for one in Precision if bytes_per_parameter(one, model.sparsity) < now),
        key=lambda one: -bytes_per_parameter(one, model.sparsity),
    )
    for precision in lower:
        if lay(model.model_copy(update={"precision": precision}), size):
            changes.append(f"in {precision.value}")
            break
    if model.kv_precision is KvPrecision.BITS_16 and lay(
        model.model_copy(update={"kv_precision": KvPrecision.FP8}), size
    ):
        changes.append("with an fp8 KV cache (kvPrecision)")
    context = _most(
        lambda steps: lay(model.model_copy(update={"context_tokens": steps * _CONTEXT_STEP}), size) is not None,
        model.context_tokens // _CONTEXT_STEP,
    )
    if context:
        changes.append(f"with contextTokens of {context * _CONTEXT_STEP:,}")
    at_once = _most(
        lambda count: lay(model.model_copy(update={"concurrency": count}), size) is not None, concurrency(model)
    )
    if at_once:
        changes.append(f"with a concurrency of {at_once}")
    return changes


def _smallest_size(model: Model) -> sizes.Size | None:
    fitting = [
        size
        for size in map(sizes.get, sizes.names())
        if size.gpu_vendor == "NVIDIA" and _computes(model, size) and lay(model, size)
    ]
    return min(fitting, key=lambda size: (_memory(size), not size.rdma, size.name), default=None)


def _computes(model: Model, size: sizes.Size) -> bool:
    # GPUs before Hopper have no fp8: they would compute with it in 16 bits, which nobody wants who chose it.
    peak = throughput.peak(size.gpu_model or "")
    return model.precision is not Precision.FP8 or (peak is not None and peak.dense_tflops_8bit is not None)


def _memory(size: sizes.Size) -> float:
    return size.gpus * (size.gpu_memory_gb or 0.0)


def _most(holds: Callable[[int], bool], below: int) -> int:
    """The largest number under `below` that holds, by bisection; 0 when none does."""
    low, high = 0, max(1, below)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
