"""Which servers of which model run in which region: how large, how many, on which pools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gpufleet.catalog import sizes
from gpufleet.sizing.node_division import Want, divide
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

    The nodes of a size are divided among the forms of all models that it holds, in proportion to the GPUs that their
    demand takes (`node_division.divide`): regular nodes at their least give the floor, at their most and with spot
    nodes the maximum. A pool that names models (`serves`) is theirs alone, and they run nowhere else in the region. A
    region's `replicas` stand instead of what is planned, as far as its nodes hold them.
    """
    return tuple(plan for region in inference.regions for plan in _region(inference, region))


def _region(inference: Inference, region: InferenceRegion) -> Iterator[ServerPlan]:
    for name in dict.fromkeys(pool.sku for pool in region.pools):
        size = sizes.find(name)
        if size is not None and size.is_gpu:
            yield from _on_size(inference, region, size)


def _on_size(inference: Inference, region: InferenceRegion, size: sizes.Size) -> Iterator[ServerPlan]:
    found = [
        (model, form, serving)
        for model in inference.models
        for form in model.forms
        if isinstance(serving := serve(form.model, size, predict=True), Serving)
    ]
    groups: dict[frozenset[str], list[Pool]] = defaultdict(list)
    for pool in region.pools:
        if pool.sku == size.name:
            groups[frozenset(pool.serves)].append(pool)
    totals = [_Count() for _ in found]
    for pools in groups.values():
        mine = [index for index, (model, _, _) in enumerate(found) if pools[0] in region.pools_of(model.name)]
        wants = [_want(found[index], region, totals[index]) for index in mine]
        for index, count in zip(mine, _divided(pools, size, wants), strict=True):
            totals[index] = totals[index].plus(count, pools)
    for (model, form, serving), total in zip(found, totals, strict=True):
        if total.pools:
            yield ServerPlan(
                region=region.name,
                model=model,
                form=form,
                serving=serving,
                pools=total.pools,
                min_replicas=min(total.least, total.regular),
                max_replicas=total.regular + total.spot,
                spot_replicas=total.spot,
            )


@dataclass(frozen=True, kw_only=True)
class _Count:
    """Replicas of one form, on the pools counted so far."""

    least: int = 0
    regular: int = 0
    spot: int = 0
    pools: tuple[str, ...] = ()

    def plus(self, other: _Count, pools: Sequence[Pool]) -> _Count:
        return _Count(
            least=self.least + other.least,
            regular=self.regular + other.regular,
            spot=self.spot + other.spot,
            pools=(*self.pools, *(pool.name for pool in pools)),
        )


@dataclass(frozen=True, kw_only=True)
class _Wants:
    """What one form asks of a group of pools."""

    want: Want
    least: int | None
    """Replicas of the floor that are pinned."""
    most: int | None
    """Replicas in all that are pinned."""


def _want(found: tuple[Model, Form, Serving], region: InferenceRegion, had: _Count) -> _Wants:
    model, form, serving = found
    pin = region.replicas.get(model.name)
    demand = model.demand_tokens_per_second * form.share
    return _Wants(
        want=Want(
            gpus=serving.fit.tensor_parallel,
            unit_nodes=serving.unit_nodes,
            weight=demand / serving.tokens_per_s_per_gpu,
            # A form without traffic has one replica to try.
            at_most=1 if not form.share else None,
        ),
        least=None if pin is None or pin.min is None else max(0, pin.min - had.least),
        most=None if pin is None or pin.max is None else max(0, pin.max - had.regular - had.spot),
    )


def _divided(pools: Sequence[Pool], size: sizes.Size, wants: Sequence[_Wants]) -> Iterator[_Count]:
    regular, spot = (
        [plan for pool in pools if pool.priority is priority for plan in agent_pools(pool)]
        for priority in (Priority.REGULAR, Priority.SPOT)
    )
    least = divide(
        [plan.min_nodes for plan in regular],
        size.gpus,
        [
            replace(one.want, at_least=one.least, at_most=one.least)
            if one.least is not None
            else _at_most(one, one.most)
            for one in wants
        ],
    )
    most = divide(
        [plan.max_nodes for plan in regular],
        size.gpus,
        [replace(_at_most(one, one.most), at_least=max(one.least or 0, one.most or 0)) for one in wants],
    )
    extra = divide(
        [plan.max_nodes for plan in spot],
        size.gpus,
        [
            _at_most(one, None if one.most is None else max(0, one.most - given))
            for one, given in zip(wants, most, strict=True)
        ],
    )
    for one, low, high, more in zip(wants, least, most, extra, strict=True):
        # A pinned floor may be above what the least nodes hold: the autoscaler then keeps more of them.
        yield _Count(least=low if one.least is None else min(one.least, high), regular=high, spot=more)


def _at_most(one: _Wants, most: int | None) -> Want:
    limits = [limit for limit in (one.want.at_most, most) if limit is not None]
    return replace(one.want, at_most=min(limits, default=None))
