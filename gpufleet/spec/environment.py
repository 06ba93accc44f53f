"""The environment: one stack, from its stack file's `gpufleet:environment` key."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.assumed_prices import Prices
from gpufleet.spec.base import RegionName, Spec
from gpufleet.spec.budget import Budget
from gpufleet.spec.inference import Inference
from gpufleet.spec.registry import Registry
from gpufleet.spec.training import TrainingFabric
from gpufleet.spec.usage import Usage


class EnvironmentClass(StrEnum):
    """How long-lived and how protected the environment is."""

    EPHEMERAL = "ephemeral"
    """Thrown away: nothing is protected."""
    STANDARD = "standard"
    """Kept: stateful resources and clusters are protected."""
    PRODUCTION = "production"
    """Kept and serving: protected, and stateful resources outlive a deletion from the stack."""


class Environment(Spec):
    """One environment: training fabrics, inference regions, one budget."""

    environment_class: Annotated[EnvironmentClass, Field(alias="class", strict=False)]
    """What gets protected: ephemeral, standard or production."""
    owner: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@ -]{0,127}$")]
    """Team or person that answers for the environment; becomes the tag `owner`."""
    cost_center: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,127}$")]
    """Where the cost is booked; becomes the tag `cost-center`."""
    allowed_regions: Annotated[list[RegionName], Field(min_length=1)]
    """Azure regions that may be used at all; a fabric or inference region elsewhere is an error."""
    tags: Annotated[dict[str, Annotated[str, Field(max_length=256)]], Field(max_length=40)] = {}
    """Further Azure tags on every resource; at most 40, for Azure allows 50 and ten are kept for the tool's own."""
    budget: Budget
    """What the environment may cost a month."""
    registry: Registry = Registry()
    """The container registry that all clusters pull from."""
    training: list[TrainingFabric] = []
    """Training fabrics, each with a cluster and storage of its own."""
    inference: Inference | None = None
    """The inference platform; leave it out for a training-only environment."""
    usage: Usage = Usage()
    """Volumes that are billed by the gigabyte or the request."""
    prices: Prices = Prices()
    """Planning prices for what the price list does not have."""
