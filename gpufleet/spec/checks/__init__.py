"""What the models can't see: rules between values, and Azure's limits. One concept a module; all run by `problems_of`.

A check is a pure function from an environment to problems whose paths are in the keys of the file. It must hold on an
environment that lost its faulty parts too (see `gpufleet.spec.prune`), so it names in `Problem.reads` what its verdict
rests on beside the value itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gpufleet.spec.checks.autoscaler import check_autoscalers
from gpufleet.spec.checks.budget import check_budget
from gpufleet.spec.checks.cluster import check_clusters
from gpufleet.spec.checks.containers import check_containers
from gpufleet.spec.checks.front_door import check_global_endpoint
from gpufleet.spec.checks.gateway import check_gateways
from gpufleet.spec.checks.gpu_stack import check_gpu_stacks
from gpufleet.spec.checks.inference import check_inference
from gpufleet.spec.checks.infiniband import check_infiniband
from gpufleet.spec.checks.kaito import check_kaito
from gpufleet.spec.checks.models import check_model_demand, check_models
from gpufleet.spec.checks.names import check_names
from gpufleet.spec.checks.network import check_networks
from gpufleet.spec.checks.node_roles import check_node_roles
from gpufleet.spec.checks.node_settings import check_node_settings
from gpufleet.spec.checks.pools import check_pools
from gpufleet.spec.checks.prices import check_prices
from gpufleet.spec.checks.queue import check_queues
from gpufleet.spec.checks.regions import check_regions
from gpufleet.spec.checks.registry import check_registry
from gpufleet.spec.checks.schedules import check_schedules
from gpufleet.spec.checks.sizes import check_sizes
from gpufleet.spec.checks.spot import check_spot
from gpufleet.spec.checks.storage import check_storage
from gpufleet.spec.checks.weights import check_weights
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem

_CHECKS = (
    check_names,
    check_regions,
    check_sizes,
    check_pools,
    check_node_settings,
    check_autoscalers,
    check_infiniband,
    check_spot,
    check_schedules,
    check_clusters,
    check_gpu_stacks,
    check_networks,
    check_storage,
    check_queues,
    check_containers,
    check_node_roles,
    check_inference,
    check_global_endpoint,
    check_gateways,
    check_models,
    check_model_demand,
    check_weights,
    check_kaito,
    check_registry,
    check_prices,
)


def problems_of(environment: Environment, *, today: dt.date | None = None) -> Iterator[Problem]:
    """Every problem the checks find; paths without positions. Calendar checks need `today`."""
    for check in _CHECKS:
        yield from check(environment)
    yield from check_budget(environment, today)
