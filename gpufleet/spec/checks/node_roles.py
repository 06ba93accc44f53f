"""What a pool's nodes are for: data preparation, and scratch on local NVMe."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import sizes
from gpufleet.spec.checks.places import PlacedPool, pools_of
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import NodeRange, PoolRole, Scratch
from gpufleet.spec.problem import Problem


def check_node_roles(environment: Environment) -> Iterator[Problem]:
    """Every pool with a role or with scratch."""
    for placed in pools_of(environment):
        yield from _scratch(placed)
        if placed.pool.role is PoolRole.DATA_PREPARATION:
            yield from _data_preparation(placed)


def _scratch(placed: PlacedPool) -> Iterator[Problem]:
    if placed.pool.scratch is not Scratch.RAID0:
        return
    path, size = (*placed.path, "scratch"), sizes.find(placed.pool.sku)
    if placed.path[0] != "training":
        yield Problem(path=path, message="only training fabrics have scratch", fix="Leave it out")
    elif size is not None and not size.local_nvme_gb:
        yield Problem(
            path=path,
            message=f"{size.name} has no local NVMe disks that any source knows of",
            fix="Leave it out, or take a size with local NVMe",
            source="azure-compute-docs",
            reads=((*placed.path, "sku"),),
        )


def _data_preparation(placed: PlacedPool) -> Iterator[Problem]:
    pool, path, size = placed.pool, placed.path, sizes.find(placed.pool.sku)
    role = (*path, "role")
    if placed.path[0] != "training":
        yield Problem(path=role, message="only training fabrics prepare data", fix="Leave it out")
    if size is not None and size.is_gpu:
        yield Problem(
            path=role,
            message=f"{size.name} has GPUs, and data preparation is for CPU sizes",
            fix="Take a CPU size such as Standard_D32s_v5, or leave the role out",
            reads=((*path, "sku"),),
        )
    if not isinstance(pool.nodes, NodeRange) or pool.nodes.min > 0:
        most = pool.nodes.max if isinstance(pool.nodes, NodeRange) else pool.nodes
        yield Problem(
            path=(*path, "nodes"),
            message="a pool for data preparation scales to zero",
            fix=f"Write `nodes: {{min: 0, max: {most}}}`",
            reads=(role,),
        )
