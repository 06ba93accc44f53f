"""Azure tags that every taggable resource carries; an environment can't set the tool's own itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpufleet.spec.environment import Environment

OWNER = "owner"
COST_CENTER = "cost-center"
ENVIRONMENT = "environment"
CLASS = "class"
MANAGED_BY = "managed-by"

OWN_TAGS = (OWNER, COST_CENTER, ENVIRONMENT, CLASS, MANAGED_BY)
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
