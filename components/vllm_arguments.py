"""The arguments of `vllm serve` for a plan."""

from __future__ import annotations

from collections.abc import Mapping

from components.server_times import drain_times
from components.serving_names import HTTP_PORT
from components.vllm_settings import vllm_settings
from gpufleet.sizing.defaults import default
from gpufleet.sizing.serving_plan import ServerPlan


def vllm_arguments(plan: ServerPlan) -> list[str]:
    """What follows `vllm serve <weights>`, in the order of data/vllm.yaml, each as `--name=value`."""
    values = _values(plan)
    return [one.name if one.value is None else f"{one.name}={values[one.value]}" for one in vllm_settings().arguments]


def _values(plan: ServerPlan) -> Mapping[str, str]:
    settings, model = vllm_settings(), plan.form.model
    return {
        "model": model.name,
        "port": str(HTTP_PORT),
        # Over several nodes: within each of them; the rest is pipeline parallelism (leader_worker_set.py).
        "tensorParallel": str(min(plan.serving.fit.tensor_parallel, plan.serving.size.gpus)),
        "contextTokens": str(model.context_tokens),
        # Fewer than memory holds where a latency target asks for it.
        "concurrency": str(plan.serving.sequences),
        "memoryShare": f"{default('inference.memory_share').value:g}",
        "dtype": settings.dtypes[model.precision],
        "kvCacheDtype": settings.kv_cache_dtypes[model.kv_precision],
        "drainSeconds": str(drain_times(plan).answer_seconds),
    }
