"""Inference: what Front Door accepts, and an environment that makes something at all."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem

_MOST_ORIGINS = 50


def check_inference(environment: Environment) -> Iterator[Problem]:
    """Tiers that can't do what is asked of them; an empty environment."""
    inference = environment.inference
    if inference is None:
        if not environment.training:
            message = "has neither training nor inference: there is nothing to make"
            yield Problem(path=(), message=message, fix="Add one of them", reads=(("training",), ("inference",)))
        return
    if inference.front_door.private_link:
        yield Problem(
            path=("inference", "frontDoor", "privateLink"),
            message="true is not supported",
            fix="Leave it out: the gateways have public addresses, and the nodes let only Front Door in",
        )
    if len(inference.regions) > _MOST_ORIGINS:
        yield Problem(
            path=("inference", "regions"),
            message=f"{len(inference.regions)} regions exceed the {_MOST_ORIGINS} origins of a Front Door origin group",
            fix="Serve from fewer regions",
            source="Azure Front Door limits",
            lower_bound=True,
        )
