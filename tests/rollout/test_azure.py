"""The clients of Azure's APIs against answers as Azure gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential

from gpufleet.errors import AuthenticationError
from gpufleet.rollout.azure_api import AzureApi, credential, quota_left
from gpufleet.rollout.prometheus import PrometheusWatch
from gpufleet.rollout.readiness import ReadinessUnknownError
from gpufleet.rollout.registry import Registry
from gpufleet.rollout.watch import Signals, SignalsUnknownError

ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/crprod"
DIGEST = "sha256:" + "a" * 64
WORKSPACE = "https://amw.eastus.prometheus.monitor.azure.com"


class Signed:
    """A credential whose tokens name their scope."""

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        return AccessToken(f"token of {scopes[0]}", 0)


class Unsigned:
    def get_token(self, *_: str, **__: object) -> AccessToken:
        raise ClientAuthenticationError("Please run 'az login'\nto set up an account")


def api(answer: Callable[[httpx.Request], httpx.Response], who: TokenCredential | None = None) -> AzureApi:
    return AzureApi(who or Signed(), httpx.Client(transport=httpx.MockTransport(answer)))


def azure(request: httpx.Request) -> httpx.Response:
    """Resource Manager and the endpoints of a registry in eastus with a replica in swedencentral."""
    path, host = request.url.path, request.url.host
    if host == "management.azure.com":
        assert request.headers["authorization"] == "Bearer token of https://management.azure.com/.default"
        if path == ID:
            return httpx.Response(200, json={"location": "eastus"})
        if path == f"{ID}/replications":
            status = {"displayStatus": "Syncing"}
            value = [{"location": "Sweden Central", "properties": {"status": status}}]
            return httpx.Response(200, json={"value": value})
        usage = {"name": {"value": "standardNCadsH100v5Family"}, "limit": 400, "currentValue": 120}
        return httpx.Response(200, json={"value": [usage]})
    form = {key: value[0] for key, value in parse_qs(request.content.decode()).items()}
    if path == "/oauth2/exchange":
        assert (form["grant_type"], form["service"]) == ("access_token", host)
        return httpx.Response(200, json={"refresh_token": "refresh"})
    if path == "/oauth2/token":
        assert (form["refresh_token"], form["scope"]) == ("refresh", "repository:models/chat:pull")
        return httpx.Response(200, json={"access_token": "access"})
    assert (request.method, request.headers["authorization"]) == ("HEAD", "Bearer access")
    assert "application/vnd.oci.image.manifest.v1+json" in request.headers["accept"]
    return httpx.Response(200 if host == "crprod.eastus.geo.azurecr.io" else 404)


def test_a_replica_has_a_status_and_manifests_of_its_own() -> None:
    registry = Registry(api(azure), ID, "crprod.azurecr.io")
    assert [registry.status(region) for region in ("eastus", "swedencentral", "japaneast")] == [
        "Ready", "Syncing", "missing",
    ]  # fmt: skip
    assert registry.has("eastus", "models/chat", DIGEST) is True
    assert registry.has("swedencentral", "models/chat", DIGEST) is False


def test_what_is_left_of_a_quota() -> None:
    assert quota_left(api(azure), "s", "eastus", "StandardNCADSH100v5Family") == 280
    with pytest.raises(ReadinessUnknownError, match="Azure lists no quota nothing in eastus"):
        quota_left(api(azure), "s", "eastus", "nothing")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(403), "Resource Manager answers HTTP 403"),
        (httpx.Response(200, text="<html>"), "Resource Manager's answer is not JSON"),
        (httpx.Response(200, json=[1]), "Resource Manager's answer is not JSON"),
    ],
)
def test_no_answer_is_no_yes(answer: httpx.Response, said: str) -> None:
    with pytest.raises(ReadinessUnknownError, match=said):
        Registry(api(lambda _: answer), ID, "crprod.azurecr.io").status("eastus")


def test_a_host_that_cannot_be_reached() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("name not known", request=request)

    with pytest.raises(ReadinessUnknownError, match=r"crprod\.eastus\.geo\.azurecr\.io does not answer: ConnectError"):
        Registry(api(refuse), ID, "crprod.azurecr.io").has("eastus", "a", DIGEST)


def test_nobody_is_signed_in() -> None:
    with pytest.raises(AuthenticationError) as raised:
        Registry(api(azure, Unsigned()), ID, "crprod.azurecr.io").status("eastus")
    assert raised.value.message == "no token for https://management.azure.com: Please run 'az login'"


def prometheus(values: dict[str, str | None]) -> Callable[[httpx.Request], httpx.Response]:
    """Answers instant queries by a word that is in them."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{WORKSPACE}/api/v1/query"
        assert request.headers["authorization"] == "Bearer token of https://prometheus.monitor.azure.com/.default"
        query = parse_qs(request.content.decode())["query"][0]
        value = next(found for word, found in values.items() if word in query)
        result = [] if value is None else [{"metric": {}, "value": [1, value]}]
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": result}})

    return answer


@pytest.mark.parametrize(
    ("values", "signals"),
    [
        (
            {"100 *": "2.5", "first_token": "312.5", "sum(rate": "12"},
            Signals(requests_per_second=12, error_percent=2.5, ttft_ms=312.5),
        ),
        ({"100 *": "NaN", "first_token": "NaN", "sum(rate": "3"}, Signals(requests_per_second=3)),
        ({"sum(rate": "0"}, Signals(requests_per_second=0)),
        ({"sum(rate": None}, Signals(requests_per_second=0)),
    ],
)
def test_how_a_region_does(values: dict[str, str | None], signals: Signals) -> None:
    assert PrometheusWatch(api(prometheus(values)), {"eastus": WORKSPACE}).signals("eastus") == signals


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(403), "managed Prometheus answers HTTP 403"),
        (httpx.Response(200, json={"data": {"result": [{}]}}), "managed Prometheus's answer is none of its API"),
    ],
)
def test_monitoring_that_says_nothing(answer: httpx.Response, said: str) -> None:
    with pytest.raises(SignalsUnknownError, match=said):
        PrometheusWatch(api(lambda _: answer), {"eastus": WORKSPACE}).signals("eastus")


def test_a_region_without_monitoring() -> None:
    with pytest.raises(SignalsUnknownError, match="eastus has no Azure Monitor workspace"):
        PrometheusWatch(api(azure), {}).signals("eastus")


def test_who_is_signed_in_follows_the_provider() -> None:
    who = {"ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c"}
    assert isinstance(credential({**who, "ARM_CLIENT_SECRET": "x"}), ClientSecretCredential)
    assert isinstance(credential({"ARM_USE_MSI": "true"}), ManagedIdentityCredential)
    assert isinstance(credential({}), DefaultAzureCredential)
    with pytest.raises(AuthenticationError, match="names no certificate"):
        credential({**who, "ARM_CLIENT_CERTIFICATE_PATH": "/nowhere.pem"})


def test_the_queries_name_what_is_scraped() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(parse_qs(request.content.decode())["query"][0])
        return httpx.Response(200, content=json.dumps({"data": {"result": [{"value": [1, "1"]}]}}))

    PrometheusWatch(api(answer), {"eastus": WORKSPACE}).signals("eastus")
    requests = 'sum(rate(http_requests_total{handler=~"/v1/.*"}[5m]))'
    assert asked == [
        requests,
        f'100 * (sum(rate(http_requests_total{{handler=~"/v1/.*", status="5xx"}}[5m])) or vector(0)) / {requests}',
        "1000 * histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m])))",
    ]
