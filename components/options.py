"""Options of child resources: parent, protection by the environment's class, and Azure's long operations."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

import pulumi

from gpufleet.spec.environment import EnvironmentClass


class Keep(Enum):
    """How dear a resource is; with the environment's class it decides what guards it."""

    NOTHING = auto()
    """Can be made again without a loss."""
    CLUSTER = auto()
    """Can be made again, but everything that runs on it is lost: protected outside ephemeral environments."""
    DATA = auto()
    """Holds data, or is what the data stands in (resource group, network): protected outside ephemeral environments,
    and in production it outlives even its removal from the program. Deleting a resource group deletes what was
    retained in it, so it is kept alike."""


AGENT_POOL_TIMEOUTS = pulumi.CustomTimeouts(create="3h", update="72h", delete="3h")
"""An upgrade without surge drains a pool of 100 nodes one after the other, up to 30 minutes each."""
CLUSTER_TIMEOUTS = pulumi.CustomTimeouts(create="1h", update="4h", delete="2h")
LUSTRE_TIMEOUTS = pulumi.CustomTimeouts(create="2h", update="2h", delete="2h")


def child(
    parent: pulumi.Resource,
    environment_class: EnvironmentClass,
    *,
    keep: Keep = Keep.NOTHING,
    depends_on: Sequence[pulumi.Resource] = (),
    ignore_changes: Sequence[str] = (),
    deleted_with: pulumi.Resource | None = None,
    provider: pulumi.ProviderResource | None = None,
    custom_timeouts: pulumi.CustomTimeouts | None = None,
) -> pulumi.ResourceOptions:
    """Options of a resource inside the component `parent`.

    The caller's own options are never merged in: the child would then hang under the caller's parent, and aliases,
    depends_on and ignore_changes of a component are not meant for its children (pulumi-kubernetes pull 2717).
    """
    protected = keep is not Keep.NOTHING and environment_class is not EnvironmentClass.EPHEMERAL
    retained = keep is Keep.DATA and environment_class is EnvironmentClass.PRODUCTION
    return pulumi.ResourceOptions(
        parent=parent,
        protect=True if protected else None,
        retain_on_delete=True if retained else None,
        depends_on=list(depends_on) or None,
        ignore_changes=list(ignore_changes) or None,
        deleted_with=deleted_with,
        provider=provider,
        custom_timeouts=custom_timeouts,
    )
