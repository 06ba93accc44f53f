"""Models: forms that can be told apart, names that Kubernetes takes, and what servers can't start without."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import sizes
from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Path
from gpufleet.spec.checks.places import repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.inference import Inference, InferenceRegion
from gpufleet.spec.model import Model, ServerKind
from gpufleet.spec.problem import ITEMS, Problem, Severity, quoted
from gpufleet.spec.server_names import MOST_SERVER_NAME, server_name

_REGIONS = ("inference", "regions", ITEMS)


def check_models(environment: Environment) -> Iterator[Problem]:
    """Shares beyond the whole, forms of one name, weights without an image, models that nothing serves."""
    inference = environment.inference
    if inference is None:
        return
    serves = any(form.model.is_served for model in inference.models for form in model.forms)
    for index, model in enumerate(inference.models):
        path: Path = ("inference", "models", index)
        yield from _shares(model, path)
        yield from _labels(model, path)
        yield from _image(model, path)
        yield from _names(inference, model, path)
        if serves:
            # Where no model has weights the whole platform is a plan, and everybody knows.
            yield from _unserved(model, path)


def _shares(model: Model, path: Path) -> Iterator[Problem]:
    total = sum(variant.traffic_percent for variant in model.variants)
    if total > 100:
        yield Problem(
            path=(*path, "variants"),
            message=f"take {total} % of the requests, more than there are",
            fix="Lower trafficPercent to 100 in all at most; what is left goes to the model's own form",
            lower_bound=True,
        )


def _labels(model: Model, path: Path) -> Iterator[Problem]:
    labels = [model.variant or model.precision.value, *(variant.label for variant in model.variants)]
    for index, first in repeated(labels):
        of = "the model's own form" if first == 0 else f"variants[{first - 1}]"
        yield Problem(
            path=(*path, "variants", index - 1),
            message=f"is called {labels[index]}, and so is {of}",
            fix="Give it another `name`: it is part of the names of its servers",
            reads=((*path, "precision"), (*path, "variant"), (*path, "variants")),
        )


def _unserved(model: Model, path: Path) -> Iterator[Problem]:
    for number, form in enumerate(model.forms):
        if not form.model.is_served:
            yield Problem(
                path=(*path, "name") if number == 0 else (*path, "variants", number - 1, "precision"),
                message=f"{model.name} in {form.label} is planned and priced, and nothing serves it: it has no weights",
                fix="Add `weights: { artifact: REPOSITORY@sha256:… }` once they are in the registry"
                if model.server is ServerKind.VLLM
                else "Add `preset`, the model's name in KAITO",
                severity=Severity.WARNING,
                reads=(path, ("inference", "models")),
            )


def _image(model: Model, path: Path) -> Iterator[Problem]:
    served = any(form.model.weights is not None for form in model.forms)
    if served and model.server is ServerKind.VLLM and model.image is None:
        yield Problem(
            path=(*path, "name"),
            message=f"{model.name} has weights and no image of the server that loads them",
            fix="Add `image: vllm/vllm-openai@sha256:…`; a digest, for a tag can be moved to another image",
            source="vLLM documentation, deployment with Docker",
            reads=(path,),
        )
    if model.image is not None and model.server is ServerKind.KAITO:
        yield Problem(
            path=(*path, "image"),
            message="is not used: KAITO runs an image of its own",
            fix="Leave it out, or let vLLM run the servers",
            source="KAITO documentation, workspaces",
            severity=Severity.WARNING,
            reads=((*path, "server"),),
        )


def _names(inference: Inference, model: Model, path: Path) -> Iterator[Problem]:
    used = sorted({pool.sku for region in inference.regions for pool in region.pools if _has_gpus(pool.sku)})
    names = [server_name(model, form, sku) for form in model.forms if form.model.is_served for sku in used]
    longest = max(names, key=len, default="")
    if len(longest) > MOST_SERVER_NAME:
        yield Problem(
            path=(*path, "name"),
            message=f"its servers would be called {longest}, which has {len(longest)} characters, and Kubernetes' own "
            f"suffixes leave {MOST_SERVER_NAME}",
            fix=f"Shorten it, or the name of a variant, by {len(longest) - MOST_SERVER_NAME}",
            source="kubernetes/kubernetes#64023; LeaderWorkerSet API",
            reads=(path, _REGIONS),
        )
    if names and not model.name[0].isalpha():
        yield Problem(
            path=(*path, "name"),
            message=f"{model.name} starts with a digit, and its servers' Service is called after it",
            fix="Start it with a letter",
            source="Kubernetes documentation, names: RFC 1035 labels",
            reads=(path, _REGIONS),
        )


def check_model_demand(environment: Environment) -> Iterator[Problem]:
    """Origins that ask for something; pools and replicas pinned to models that there are, bounds in their order."""
    for number, fabric in enumerate(environment.training):
        for index, pool in enumerate(fabric.pools):
            if pool.serves:
                yield Problem(
                    path=("training", number, "pools", index, "serves"),
                    message="stands in a training fabric, which serves no models",
                    fix="Leave it out",
                )
    inference = environment.inference
    if inference is None:
        return
    for index, origin in enumerate(inference.demand):
        if origin.hourly_percent is not None and not any(origin.hourly_percent):
            yield Problem(
                path=("inference", "demand", index, "hourlyPercent"),
                message="has no hour with any demand",
                fix="Give the hours of its peak 100, or leave the origin out",
            )
    for number, region in enumerate(inference.regions):
        yield from _pins(region, ("inference", "regions", number), [model.name for model in inference.models])


def _pins(region: InferenceRegion, path: Path, names: list[str]) -> Iterator[Problem]:
    for index, pool in enumerate(region.pools):
        for place, name in enumerate(pool.serves):
            if name not in names:
                yield _unknown(name, names, (*path, "pools", index, "serves", place))
    for name, wanted in region.replicas.items():
        if name not in names:
            yield _unknown(name, names, (*path, "replicas", name))
        if wanted.min is not None and wanted.max is not None and wanted.min > wanted.max:
            yield Problem(
                path=(*path, "replicas", name, "min"),
                message=f"{wanted.min} is more than max, which is {wanted.max}",
                fix="Lower it, or raise max",
                reads=((*path, "replicas", name),),
            )


def _unknown(name: str, names: list[str], path: Path) -> Problem:
    near = nearest_name(name, names)
    return Problem(
        path=path,
        message=f"no model is called {quoted(name)}",
        fix=f"Did you mean {near}?" if near else f"Models: {', '.join(names) or 'none'}",
        reads=(("inference", "models"),),
    )


def _has_gpus(name: str) -> bool:
    size = sizes.find(name)
    return size is not None and size.is_gpu
