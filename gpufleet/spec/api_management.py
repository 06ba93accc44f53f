"""Azure API Management in front of the global endpoint: keys and token limits for each team."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import RegionName, Spec


class ApiManagementSku(StrEnum):
    """Tiers of API Management that limit tokens (llm-token-limit policy) and are meant for more than a trial."""

    BASIC_V2 = "BasicV2"
    """For development, with an agreement on service; one region."""
    STANDARD_V2 = "StandardV2"
    """For production; one region, made within minutes."""
    PREMIUM = "Premium"
    """In every region that serves, so that none takes the API along; takes 45 minutes and more to make."""


class ApiTeam(Spec):
    """A team that uses the models with keys of its own."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
    """Name of its product and its subscription."""
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)]
    """Tokens, of prompts and answers, in a minute; beyond it requests get status 429."""
    monthly_tokens: Annotated[int | None, Field(ge=1, le=2_000_000_000)] = None
    """Tokens in a month; beyond it requests get status 403. Without a limit unless given."""


class ApiManagement(Spec):
    """Azure API Management: what clients call in place of Front Door."""

    sku: Annotated[ApiManagementSku, Field(strict=False)] = ApiManagementSku.STANDARD_V2
    """Tier."""
    units: Annotated[int, Field(ge=1, le=10)] = 1
    """Scale units, in each of its regions."""
    region: RegionName | None = None
    """Region of the instance, or of the first of its gateways; the first that serves unless given."""
    publisher_name: Annotated[str, Field(min_length=1, max_length=100)]
    """Who publishes the API: shown to its users."""
    publisher_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=100)]
    """Where Azure writes to about the instance."""
    teams: Annotated[list[ApiTeam], Field(min_length=1, max_length=100)]
    """Who may call the models."""
