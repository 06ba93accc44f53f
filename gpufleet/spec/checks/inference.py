"""An environment that makes something at all."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import Problem


def check_inference(environment: Environment) -> Iterator[Problem]:
    """An empty environment."""
    if environment.inference is None and not environment.training:
        message = "has neither training nor inference: there is nothing to make"
        yield Problem(path=(), message=message, fix="Add one of them", reads=(("training",), ("inference",)))
