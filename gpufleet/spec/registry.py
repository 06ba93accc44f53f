"""The container registry that all clusters pull from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import RegionName, Spec


class RegistrySku(StrEnum):
    """Azure Container Registry tiers."""

    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"


class Signing(Spec):
    """Whose signatures a roll-out asks for: Notary Project signatures, verified strictly by `notation`."""

    certificates: Annotated[
        list[Annotated[str, Field(pattern=r"^-----BEGIN CERTIFICATE-----\n", max_length=20_000)]],
        Field(min_length=1, max_length=20),
    ]
    """Root certificates that are trusted, as PEM text."""
    identities: Annotated[
        list[Annotated[str, Field(pattern=r"^x509\.subject: ?\S", max_length=1_000)]],
        Field(min_length=1, max_length=20),
    ]
    """Signers that are trusted, as `x509.subject: C=US, ST=WA, O=example.com`; any other is refused."""


class Registry(Spec):
    """The container registry; geo-replication to every region with a cluster needs Premium."""

    sku: Annotated[RegistrySku, Field(strict=False)] = RegistrySku.PREMIUM
    """Premium is needed as soon as there is more than one region."""
    regions: Annotated[list[RegionName] | None, Field(min_length=1)] = None
    """Regions that hold a copy: those with a cluster, and any that is to have images before it has one; every region
    with a cluster unless given."""
    signing: Signing | None = None
    """Signatures that `gpufleet rollout` verifies before a region gets an image or weights; none unless given."""
