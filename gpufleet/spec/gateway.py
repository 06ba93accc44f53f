"""The gateway of each region that serves models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gpufleet.spec.base import Spec


class Acme(Spec):
    """A certificate authority that issues by ACME, with HTTP-01 challenges for the gateway's DNS name."""

    server: Annotated[str, Field(pattern=r"^https://\S+$")] = "https://acme-v02.api.letsencrypt.org/directory"
    """Address of the authority's ACME directory; Let's Encrypt unless given."""
    email: Annotated[str | None, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] = None
    """Where the authority writes to about the account."""


class Gateway(Spec):
    """The gateway of each region: Gateway API with the Inference Extension."""

    acme: Acme = Acme()
    """Who issues the gateways' certificates, unless `tlsSecret` names one of yours."""
    tls_secret: Annotated[str | None, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] = None
    """Name of a TLS secret that you keep in namespace inference-gateway of every region; needed where no authority can
    reach the gateway: with Private Link, and behind Traffic Manager."""
    max_request_mib: Annotated[int, Field(ge=1, le=64, alias="maxRequestMiB")] = 16
    """Longest request body in MiB: the gateway reads it to find the model; longer ones get status 413."""
    min_replicas: Annotated[int, Field(ge=2, le=50)] = 2
    """Proxies at least; two, so that a node that goes doesn't take the region along."""
    max_replicas: Annotated[int, Field(ge=2, le=50)] = 10
    """Proxies at most; they become more by CPU use."""
