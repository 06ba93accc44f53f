"""Azure tags that every taggable resource carries."""

from __future__ import annotations

from gpufleet.spec.environment import Environment
from gpufleet.spec.own_tags import CLASS, COST_CENTER, ENVIRONMENT, MANAGED_BY, OWNER

MANAGED_BY_VALUE = "gpufleet"


def environment_tags(environment_name: str, spec: Environment) -> dict[str, str]:
    """The tool's five tags over the environment's own.

    The budget filters by two of them, so they cannot be overridden.
    """
    return {
        **spec.tags,
        OWNER: spec.owner,
        COST_CENTER: spec.cost_center,
        ENVIRONMENT: environment_name,
        CLASS: spec.environment_class.value,
        MANAGED_BY: MANAGED_BY_VALUE,
    }
