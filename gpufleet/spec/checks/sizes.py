"""VM sizes: in the catalogue, listed in the region, fit for what the pool is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.catalog import limits, prices, regions, sizes
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import pools_of
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import ITEMS, Problem

_NV_V4 = re.compile(r"^Standard_NV\d+as_v4$")


def check_sizes(environment: Environment) -> Iterator[Problem]:
    """Unknown sizes, sizes without a price meter in the region, scopes without GPUs, system pools AKS refuses."""
    for placed in pools_of(environment):
        yield from _usable(placed.pool.sku, placed.scope.region, (*placed.path, "sku"), placed.scope.path)
    for scope in scopes(environment):
        path = (*scope.path, "cluster", "systemPool", "sku")
        yield from _usable(scope.cluster.system_pool.sku, scope.region, path, scope.path)
        yield from _system(scope.cluster.system_pool.sku, path)
        yield from _without_gpu(scope)
    for index, model in enumerate(environment.inference.models if environment.inference else []):
        for name in model.tokens_per_second_per_gpu:
            if (size := sizes.find(name)) is None or not size.is_gpu:
                near = sizes.nearest(name)
                yield Problem(
                    path=("inference", "models", index, "tokensPerSecondPerGpu", name),
                    message=f"{name} is not a GPU size of the catalogue",
                    fix=f"Did you mean {near}?" if near and near != name else "Name the VM size that was measured",
                )


def _usable(name: str, region: str, path: Path, scope: Path) -> Iterator[Problem]:
    if _NV_V4.match(name):
        fix = "The smallest GPU size that AKS supports is Standard_NC4as_T4_v3"
        yield Problem(path=path, message="AKS does not support the NVv4 series", fix=fix, source="AKS use-nvidia-gpu")
        return
    size = sizes.find(name)
    if size is None:
        near = sizes.nearest(name)
        fix = f"Did you mean {near}?" if near else "See gpufleet/catalog/data/sizes.csv for the known ones"
        yield Problem(path=path, message=f"{name} is not a VM size of the catalogue", fix=fix)
        return
    if regions.find(region) is None or regions.offers(name, region):
        return
    listed = prices.regions(name)
    unpriced = prices.regular(name, region)
    reason = unpriced.reason if isinstance(unpriced, prices.Unpriced) else ""
    shown = ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
    fix = f"The list has it in {shown} (cheapest first)" if listed else "The list has it nowhere; choose another size"
    # The default system pool's size may be missing too: the message must then lead to the region's own key.
    reads = ((*scope, "region"), (*scope, "name"))
    yield Problem(path=path, message=reason, fix=fix, source=f"Azure retail prices of {prices.day()}", reads=reads)


def _system(name: str, path: Path) -> Iterator[Problem]:
    size = sizes.find(name)
    if size is None:
        return
    source = "AKS quotas-skus-regions and use-system-pools"
    if name.startswith("Standard_B"):
        yield Problem(
            path=path, message="AKS takes no B series in a system pool", fix="Use a D series size", source=source
        )
    elif size.is_gpu or size.rdma:
        fix = "Use a D series size such as Standard_D4ds_v5"
        yield Problem(path=path, message=f"{name} is too costly a size for system pods", fix=fix)
    elif size.vcpus < limits.value("aks.system_pool_min_vcpus") or size.memory_gib < limits.value(
        "aks.system_pool_min_memory_gib"
    ):
        message = f"a system node needs 2 vCPUs and 4 GiB, {name} has {size.vcpus} and {size.memory_gib:g}"
        yield Problem(path=path, message=message, fix="Use a larger size", source=source)


def _without_gpu(scope: Scope) -> Iterator[Problem]:
    known = [size for pool in scope.pools if (size := sizes.find(pool.sku))]
    if len(known) < len(scope.pools) or any(size.is_gpu for size in known):
        return
    what = "a training fabric" if scope.path[0] == "training" else "an inference region"
    path = (*scope.path, "pools")
    yield Problem(
        path=path,
        message=f"{what} needs a pool with GPUs, and none of these sizes has any",
        fix="Add a pool of an ND or NC size",
        reads=((*path, ITEMS), *((*path, index, "sku") for index in range(len(scope.pools)))),
    )
