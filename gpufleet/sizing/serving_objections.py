"""What is wrong with serving as declared, before any question of how much: nothing fits, it is too far, no floor."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import latency, sizes
from gpufleet.sizing.advice import Objection
from gpufleet.sizing.headroom import capacity
from gpufleet.sizing.nearest_fit import nearest_fits
from gpufleet.sizing.serving_plan import ServerPlan, serving_plan
from gpufleet.spec.base import Path, Priority
from gpufleet.spec.inference import Inference, Origin
from gpufleet.spec.model import Model

_PATH: Path = ("inference",)


def unserved(inference: Inference) -> Iterator[Objection]:
    """Forms of models that no pool of any region serves."""
    for index, model in enumerate(inference.models):
        for number, form in enumerate(model.forms):
            found = [capacity(region, form.model) for region in inference.regions]
            if any(regular + spot > 0 for regular, spot, _ in found):
                continue
            unfit = [one for *_, reasons in found for one in reasons]
            reasons = "; ".join(dict.fromkeys(one.reason for one in unfit)) or "there are no GPU pools"
            decided = all(one.decided for one in unfit)
            path = (*_PATH, "models", index)
            yield Objection(
                rule="model-fit",
                path=(*path, "name") if number == 0 else (*path, "variants", number - 1, "precision"),
                message=f"{model.name}{'' if number == 0 else f' in {form.label}'} is served by no pool: {reasons}",
                fix=_fix(inference, form.model) if decided else "Measure it and state tokensPerSecondPerGpu",
                decided=decided,
            )


def out_of_reach(inference: Inference) -> Iterator[Objection]:
    """Origins whose nearest region is beyond their latency ceiling."""
    for index, origin in enumerate(inference.demand):
        if origin.max_rtt_ms is None:
            continue
        known = _round_trips(inference, origin)
        if any(rtt <= origin.max_rtt_ms for rtt, _ in known):
            continue
        path: Path = (*_PATH, "demand", index, "maxRttMs")
        if not known:
            yield Objection(
                rule="latency-ceiling",
                path=path,
                message=f"nobody has measured a round trip from {origin.region} to any serving region, and "
                f"{origin.max_rtt_ms:g} ms is the ceiling",
                fix="Serve from a region with a known round trip, or leave maxRttMs out",
                decided=False,
            )
            continue
        rtt, nearest = min(known)
        yield Objection(
            rule="latency-ceiling",
            path=path,
            message=f"users in {origin.region} reach no region within {origin.max_rtt_ms:g} ms: the nearest is "
            f"{nearest}, {rtt:g} ms away",
            fix=f"Serve from a nearer region (`gpufleet size` chooses among allowedRegions), or allow {rtt:g} ms",
            amount=rtt - origin.max_rtt_ms,
        )


def without_floor(inference: Inference) -> Iterator[Objection]:
    """Servers without a replica that is always up on regular nodes, in a region that runs them."""
    regions = {region.name: (number, region) for number, region in enumerate(inference.regions)}
    for plan in serving_plan(inference):
        if not plan.form.model.is_served or plan.min_replicas > 0 or not plan.form.share or _elsewhere(inference, plan):
            continue
        number, region = regions[plan.region]
        regular = [
            index
            for index, pool in enumerate(region.pools)
            if pool.name in plan.pools and pool.priority is Priority.REGULAR
        ]
        path: Path = (*_PATH, "regions", number, "pools")
        size = plan.serving.size.name
        if not regular:
            message = f"{plan.name} has spot nodes of {size} alone: when Azure takes them it is gone"
        else:
            message = (
                f"{plan.name} has no replica that is always up: the regular nodes of {size} hold none at their least"
            )
        yield Objection(
            rule="warm-floor",
            path=(*path, regular[0], "nodes") if regular else path,
            message=message,
            fix="Raise nodes.min of a regular pool, or leave the model out of the region by `serves`"
            if regular
            else "Add a regular pool of the same size with a node that is always there",
        )


def _elsewhere(inference: Inference, plan: ServerPlan) -> bool:
    """Whether the same form has a floor in this region on another size."""
    return any(
        other.region == plan.region
        and (other.model.name, other.form.label) == (plan.model.name, plan.form.label)
        and other.min_replicas > 0
        for other in serving_plan(inference)
    )


def _round_trips(inference: Inference, origin: Origin) -> list[tuple[float, str]]:
    return [
        (found.rtt_ms, region.name)
        for region in inference.regions
        if (found := latency.between(origin.region, region.name)) is not None
    ]


def _fix(inference: Inference, model: Model) -> str:
    used = {pool.sku for region in inference.regions for pool in region.pools_of(model.name)}
    gpu_sizes = [size for name in sorted(used) if (size := sizes.find(name)) is not None and size.is_gpu]
    fits = nearest_fits(model, gpu_sizes)
    return f"Nearest fits: {'; '.join(fits)}" if fits else "No GPU size in the catalogue holds it, nor a smaller form"
