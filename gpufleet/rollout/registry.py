"""A container registry's replicas, as each region's own endpoint shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from gpufleet.rollout.azure_api import ARM_SCOPE, AzureApi, document, refusal
from gpufleet.rollout.readiness import ReadinessUnknownError

_REGISTRY_VERSION = "2023-07-01"
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
)
"""Forms of a manifest: an image or artifact, or an index of several (OCI image and distribution specifications)."""


class Registry:
    """A container registry's replicas.

    Regional endpoints (`<name>.<region>.geo.azurecr.io`) answer for one replica alone; the registry must have them
    turned on (`az acr update --regional-endpoints enabled`, public preview; container-registry-endpoint-reference).
    The global host answers for whichever replica Azure chooses, and proves nothing about a region.

    Args:
        api: Azure's APIs.
        registry: ARM id.
        login_server: host name.
    """

    def __init__(self, api: AzureApi, registry: str, login_server: str) -> None:
        self._api = api
        self._registry = registry
        self._login_server = login_server

    def status(self, region: str) -> str:
        """Status of the replica in a region, `missing` when there is none; the home region's is always Ready.

        Raises:
            ReadinessUnknownError: Azure doesn't say.
        """
        home = self._api.arm(self._registry, _REGISTRY_VERSION)
        if _location(home) == region:
            return "Ready"
        listed = self._api.arm(f"{self._registry}/replications", _REGISTRY_VERSION)
        for replica in listed.get("value") or []:
            if _location(replica) == region:
                return str(((replica.get("properties") or {}).get("status") or {}).get("displayStatus") or "unknown")
        return "missing"

    def has(self, region: str, repository: str, digest: str) -> bool:
        """Whether the replica in a region has a manifest.

        Raises:
            ReadinessUnknownError: its endpoint doesn't answer, or refuses.
        """
        name, _, domain = self._login_server.partition(".")
        host = f"{name}.{region}.geo.{domain}"
        answer = self._api.send(
            "HEAD",
            f"https://{host}/v2/{repository}/manifests/{digest}",
            token=self._access(host, repository),
            accept=_MANIFESTS,
            what=f"the replica's endpoint {host}",
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        if answer.status_code != httpx.codes.OK:
            raise refusal(f"the replica's endpoint {host}", answer)
        return True

    def refresh_token(self, host: str) -> str:
        """What stands for the signed-in identity at a registry's host: a password for `docker login`.

        Raises:
            ReadinessUnknownError: the registry refuses.
        """
        form = {"grant_type": "access_token", "service": host, "access_token": self._api.token(ARM_SCOPE)}
        return self._exchange(host, "oauth2/exchange", form, "refresh_token")

    def _access(self, host: str, repository: str) -> str:
        """A token to pull one repository (Azure/acr docs/AAD-OAuth.md)."""
        form = {
            "grant_type": "refresh_token",
            "service": host,
            "scope": f"repository:{repository}:pull",
            "refresh_token": self.refresh_token(host),
        }
        return self._exchange(host, "oauth2/token", form, "access_token")

    def _exchange(self, host: str, path: str, form: Mapping[str, str], key: str) -> str:
        what = f"the registry {host}"
        answer = self._api.send("POST", f"https://{host}/{path}", form=form, what=what)
        if answer.status_code != httpx.codes.OK:
            raise refusal(what, answer)
        found = document(answer, what).get(key)
        if not isinstance(found, str):
            raise ReadinessUnknownError(f"{what} gave no token")
        return found


def _location(resource: Mapping[str, Any]) -> str:
    return str(resource.get("location", "")).replace(" ", "").lower()
