"""Azure's HTTP APIs as a roll-out asks them: who is signed in, tokens, Resource Manager, and what a refusal means."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from gpufleet.errors import AuthenticationError
from gpufleet.rollout.readiness import ReadinessUnknownError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

ARM = "https://management.azure.com"
ARM_SCOPE = f"{ARM}/.default"
_COMPUTE_VERSION = "2024-07-01"
_TIMEOUT_SECONDS = 30.0
_TRUE = frozenset({"1", "true", "yes"})


def credential(environ: Mapping[str, str] = os.environ) -> TokenCredential:
    """Whom a roll-out signs in as: the one that pulumi-azure-native is told by `ARM_*`, else who is signed in.

    Raises:
        AuthenticationError: a certificate can't be read.
    """
    from azure import identity  # noqa: PLC0415 half a second, and the sandbox needs none

    tenant, client = environ.get("ARM_TENANT_ID", ""), environ.get("ARM_CLIENT_ID", "")
    if secret := environ.get("ARM_CLIENT_SECRET"):
        return identity.ClientSecretCredential(tenant, client, secret)
    if path := environ.get("ARM_CLIENT_CERTIFICATE_PATH"):
        try:
            return identity.CertificateCredential(
                tenant, client, path, password=environ.get("ARM_CLIENT_CERTIFICATE_PASSWORD")
            )
        except (ValueError, OSError):
            raise AuthenticationError("ARM_CLIENT_CERTIFICATE_PATH names no certificate that can be read") from None
    if environ.get("ARM_USE_OIDC", "").lower() in _TRUE and (assertion := _assertion(environ)):
        return identity.ClientAssertionCredential(tenant, client, assertion)
    if environ.get("ARM_USE_MSI", "").lower() in _TRUE:
        return identity.ManagedIdentityCredential(client_id=client or None)
    return identity.DefaultAzureCredential()


def _assertion(environ: Mapping[str, str]) -> Callable[[], str] | None:
    """A federated token, read again each time: whoever issues it writes new ones into the file."""
    if path := environ.get("ARM_OIDC_TOKEN_FILE_PATH"):
        return lambda: Path(path).read_text(encoding="utf-8").strip()
    if token := environ.get("ARM_OIDC_TOKEN"):
        return lambda: token
    return None


class AzureApi:
    """Azure's HTTP APIs with one credential.

    Args:
        credential: gives tokens.
        client: sends the requests; tests give one of their own.
    """

    def __init__(self, credential: TokenCredential, client: httpx.Client | None = None) -> None:
        self._credential = credential
        self._client = client or httpx.Client(timeout=_TIMEOUT_SECONDS)

    def token(self, scope: str) -> str:
        """A token for an audience.

        Raises:
            AuthenticationError: nobody is signed in, or Entra refuses.
        """
        from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 see `credential`

        try:
            return self._credential.get_token(scope).token
        except ClientAuthenticationError as error:
            # Its text lists every way that was tried; the first line says which.
            raise AuthenticationError(
                f"no token for {scope.removesuffix('/.default')}: {str(error.message).partition(chr(10))[0]}",
                hint="az login, or the ARM_* variables of a service principal.",
            ) from None

    def arm(self, path: str, version: str) -> dict[str, Any]:
        """A resource, or a list, of Resource Manager.

        Raises:
            ReadinessUnknownError: it doesn't answer, or refuses.
        """
        answer = self.send(
            "GET", f"{ARM}{path}", token=self.token(ARM_SCOPE), query={"api-version": version}, what="Resource Manager"
        )
        if answer.status_code != httpx.codes.OK:
            raise refusal("Resource Manager", answer)
        return document(answer, "Resource Manager")

    def send(
        self,
        method: str,
        url: str,
        *,
        what: str,
        token: str = "",
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> httpx.Response:
        """One request; whatever its status.

        Raises:
            ReadinessUnknownError: no answer.
        """
        headers = {"Accept": accept, **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            return self._client.request(method, url, params=query, data=form, headers=headers)
        except httpx.RequestError as error:
            raise ReadinessUnknownError(
                f"{what} does not answer: {type(error).__name__}: {error}".rstrip(": "),
                hint="May this machine reach it (firewall, private endpoint)? Then run again.",
            ) from None


def quota_left(api: AzureApi, subscription: str, region: str, family: str) -> int:
    """What is left of a size family's vCPUs in a region.

    Raises:
        ReadinessUnknownError: Azure doesn't say.
    """
    path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{region}/usages"
    for usage in api.arm(path, _COMPUTE_VERSION).get("value") or []:
        if str((usage.get("name") or {}).get("value", "")).casefold() == family.casefold():
            return int(usage["limit"]) - int(usage["currentValue"])
    raise ReadinessUnknownError(f"Azure lists no quota {family} in {region}")


def document(answer: httpx.Response, what: str) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        ReadinessUnknownError: it has none.
    """
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ReadinessUnknownError(f"{what}'s answer is not JSON", hint="Is there a proxy in between (HTTPS_PROXY)?")
    return found


def refusal(what: str, answer: httpx.Response) -> ReadinessUnknownError:
    """What an answer other than 200 means for people."""
    refused = answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
    return ReadinessUnknownError(
        f"{what} answers HTTP {answer.status_code}",
        hint="Does the signed-in identity have the role (Reader, AcrPull)?" if refused else "Run again later.",
    )
