"""Which servers of which model run in which region: how large, how many, on which pools."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gpufleet.catalog import sizes
from gpufleet.sizing.serving import Serving, serve
from gpufleet.spec.base import Priority
from gpufleet.spec.inference import Inference, InferenceRegion
from gpufleet.spec.model import Form, Model
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.server_names import server_name


@dataclass(frozen=True, kw_only=True)
class ServerPlan:
    """The servers of one form of one model on one VM size in one region."""

    region: str
    model: Model
    """The model as declared."""
    form: Form
    """The form that these servers have."""
    serving: Serving
    """How a replica lies on the size, and what it gives."""
    pools: tuple[str, ...]
    """Pools of that size in the region by the specification's names; spot pools too."""
    min_replicas: int
    """What the regular nodes hold at their least: the warm floor."""
    max_replicas: int
    """What all nodes hold at their most."""
    spot_replicas: int
    """How many of these at most are on spot nodes."""

    @property
    def name(self) -> str:
        """Name of the servers in the cluster."""
        return server_name(self.model, self.form, self.serving.size.name)


def serving_plan(inference: Inference) -> tuple[ServerPlan, ...]:
    """All servers, region by region in the order of the specification.

    The nodes of a size are divided among the forms of all models that it holds by the nodes that their demand takes,
    by largest remainders; whole nodes, or whole replicas where one spans nodes.
    """
    return tuple(plan for region in inference.regions for plan in _region(inference, region))


def _region(inference: Inference, region: InferenceRegion) -> Iterator[ServerPlan]:
    by_size: dict[str, list[Pool]] = defaultdict(list)
    for pool in region.pools:
        by_size[pool.sku].append(pool)
    for name, pools in by_size.items():
        size = sizes.find(name)
        if size is None or not size.is_gpu:
            continue
        found = [
            (model, form, serving)
            for model in inference.models
            for form in model.forms
            if isinstance(serving := serve(form.model, size), Serving)
        ]
        wanted = [
            model.demand_tokens_per_second * form.share / serving.tokens_per_s_per_unit * serving.unit_nodes
            for model, form, serving in found
        ]
        regular = [pool for pool in pools if pool.priority is Priority.REGULAR]
        least = _shares(sum(plan.min_nodes for pool in regular for plan in agent_pools(pool)), wanted)
        most = _shares(sum(plan.max_nodes for pool in regular for plan in agent_pools(pool)), wanted)
        spot = [pool for pool in pools if pool.priority is Priority.SPOT]
        extra = _shares(sum(plan.max_nodes for pool in spot for plan in agent_pools(pool)), wanted)
        for (model, form, serving), low, high, more in zip(found, least, most, extra, strict=True):
            yield ServerPlan(
                region=region.name,
                model=model,
                form=form,
                serving=serving,
                pools=tuple(pool.name for pool in pools),
                min_replicas=_replicas(serving, low),
                max_replicas=_replicas(serving, high) + _replicas(serving, more),
                spot_replicas=_replicas(serving, more),
            )


def _replicas(serving: Serving, nodes: int) -> int:
    return nodes // serving.unit_nodes * serving.fit.replicas_per_node


def _shares(nodes: int, wanted: Sequence[float]) -> list[int]:
    """`nodes` divided in proportion to `wanted`, by largest remainders; the first wins a tie."""
    total = sum(wanted)
    if total <= 0:
        return [0 for _ in wanted]
    exact = [nodes * one / total for one in wanted]
    given = [math.floor(one) for one in exact]
    order = sorted(range(len(wanted)), key=lambda index: (given[index] - exact[index], index))
    for index in order[: nodes - sum(given)]:
        given[index] += 1
    return given
