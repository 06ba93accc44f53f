"""A release: the models of an environment as its stack file declares them, and how two releases differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gpufleet.catalog.type_tokens import ENVIRONMENT
from gpufleet.errors import ConfigurationError
from gpufleet.graph import Graph
from gpufleet.spec.environment import Environment
from gpufleet.spec.model import ServerKind

Models = Sequence[Mapping[str, object]]
"""Entries of `inference.models` in the keys of the stack file, without what is the default."""


@dataclass(frozen=True, kw_only=True)
class ModelChange:
    """One key of one model that differs; None where a release does not have it."""

    model: str
    key: str
    """Key of the stack file, such as `image`; "" for a model that comes or goes."""
    old: object
    new: object

    def __str__(self) -> str:
        if not self.key:
            return f"{self.model}: {'goes' if self.new is None else 'comes'}"
        return f"{self.model}: {self.key} {_shown(self.old)} -> {_shown(self.new)}"


def models_of(environment: Environment) -> Models:
    """The models that an environment declares."""
    found = environment.inference.models if environment.inference else []
    return tuple(model.model_dump(mode="json", by_alias=True, exclude_defaults=True) for model in found)


def deployed(graph: Graph) -> dict[str, object] | None:
    """The specification that the last complete `up` or roll-out left in the state; None before the first one.

    A roll-out that is under way leaves it alone until all regions have the release: then it is the previous release.
    """
    for node in graph.of(ENVIRONMENT):
        recorded = node.properties.get("specification")
        if isinstance(recorded, str):
            found: dict[str, object] = json.loads(recorded)
            return found
    return None


def models_in(specification: Mapping[str, object]) -> Models:
    """The models of a specification as `deployed` gives it."""
    inference = specification.get("inference")
    found = inference.get("models") if isinstance(inference, Mapping) else None
    return tuple(found) if isinstance(found, list) else ()


def with_models(specification: Mapping[str, object], models: Models) -> dict[str, object]:
    """A specification with other models and nothing else changed.

    Raises:
        ConfigurationError: it serves nothing.
    """
    inference = specification.get("inference")
    if not isinstance(inference, Mapping):
        raise ConfigurationError(
            "what runs has no inference platform, so there is no region to roll out to",
            hint="gpufleet up makes it, with the models.",
        )
    return {**specification, "inference": {**inference, "models": list(models)}}


def selected(old: Models, new: Models, names: Sequence[str]) -> Models:
    """The release in which only the named models are new.

    Raises:
        ConfigurationError: a name is in neither release.
    """
    if not names:
        return new
    before, after = _by_name(old), _by_name(new)
    if unknown := [name for name in names if name not in before and name not in after]:
        raise ConfigurationError(
            f"there is no model {unknown[0]}", hint=f"Models: {', '.join(dict.fromkeys([*after, *before])) or 'none'}."
        )
    chosen: list[Mapping[str, object]] = []
    for name in dict.fromkeys([*after, *before]):
        source = after if name in names else before
        if name in source:
            chosen.append(source[name])
    return tuple(chosen)


def changes(old: Models, new: Models) -> tuple[ModelChange, ...]:
    """What differs, model by model in the order of the new release, keys in alphabetical order."""
    before, after = _by_name(old), _by_name(new)
    found: list[ModelChange] = []
    for name in dict.fromkeys([*after, *before]):
        one, two = before.get(name), after.get(name)
        if one is None or two is None:
            found.append(ModelChange(model=name, key="", old=one and name, new=two and name))
            continue
        found += [
            ModelChange(model=name, key=key, old=one.get(key), new=two.get(key))
            for key in sorted(one.keys() | two.keys())
            if one.get(key) != two.get(key)
        ]
    return tuple(found)


def digests_of(environment: Environment, names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the servers of some models pull.

    Returns:
        images and artifacts of weights, both by digest, each once.
    """
    wanted = set(names)
    models = [
        form.model
        for model in (environment.inference.models if environment.inference else [])
        if model.name in wanted
        for form in model.forms
        if form.model.is_served
    ]
    # KAITO runs an image of its own, whatever the specification says.
    images = dict.fromkeys(model.image for model in models if model.image and model.server is ServerKind.VLLM)
    weights = dict.fromkeys(model.weights.artifact for model in models if model.weights)
    return tuple(images), tuple(weights)


def _by_name(models: Models) -> dict[str, Mapping[str, object]]:
    return {str(model["name"]): model for model in models}


def _shown(value: object) -> str:
    if value is None:
        return "(default)"
    text = value if isinstance(value, str) else json.dumps(value)
    repository, at, digest = text.partition("@sha256:")
    # Twelve digits tell two images apart for a reader, as container tools show them.
    return f"{repository}@sha256:{digest[:12]}…" if at and isinstance(value, str) else text
