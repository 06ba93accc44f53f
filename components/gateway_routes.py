"""Routes of a region's gateway, as plain values: how a request finds the pool of its model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi

from components import serving_names
from components.inference_pools import POOL_GROUP, PoolPlan, weights
from components.region_serving import GatewayCaller
from components.server_pod import HEALTH_PATH

MODEL_HEADER = "x-gateway-model-name"
"""Set by the gateway from the body's `model` (gateway-api-inference-extension: body-based routing)."""
HTTPS = "https"
ACME = "acme"
"""Names of the Gateway's listeners."""

TOKEN_ISSUER = "entra"  # noqa: S105 - a name
"""Name of the backend that has the keys of tokens."""

_FRONT_DOOR_ID = "x-azure-fdid"
_API = "/v1"


def gateway_spec(*, parameters: str, certificate: str, acme: bool) -> dict[str, object]:
    """The Gateway: HTTPS with the certificate of a Secret beside it; HTTP for an authority's challenges alone."""
    same = {"namespaces": {"from": "Same"}}
    https: dict[str, object] = {
        "name": HTTPS,
        "port": 443,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": certificate}]},
        "allowedRoutes": same,
    }
    challenges = {"name": ACME, "port": 80, "protocol": "HTTP", "allowedRoutes": same}
    return {
        "gatewayClassName": "agentgateway",
        "infrastructure": {
            "parametersRef": {"group": "agentgateway.dev", "kind": "AgentgatewayParameters", "name": parameters}
        },
        "listeners": [https, *([challenges] if acme else [])],
    }


def model_route(pools: Sequence[PoolPlan], *, private_headers: Sequence[str] = ()) -> dict[str, object]:
    """The HTTPRoute of one model: OpenAI's API, requests that name the model, its pools by their weights.

    No limit on a request's time, for a stream ends when its answer does; Front Door limits the wait for the first byte
    by itself. No retries: a stream can't be taken back. Headers that are between the front and the gateway alone don't
    reach servers, nor their logs.
    """
    model = pools[0].model
    return {
        **_parent(),
        "rules": [
            {
                "matches": [
                    {
                        "path": {"type": "PathPrefix", "value": _API},
                        "headers": [{"type": "Exact", "name": MODEL_HEADER, "value": model}],
                    }
                ],
                "filters": [
                    {
                        "type": "RequestHeaderModifier",
                        "requestHeaderModifier": {"remove": [_FRONT_DOOR_ID, *private_headers]},
                    }
                ],
                "backendRefs": [
                    {
                        "group": POOL_GROUP,
                        "kind": "InferencePool",
                        "name": pool.name,
                        "namespace": pool.namespace,
                        "weight": weight,
                    }
                    for pool, weight in weights(pools).items()
                ],
                "timeouts": {"request": "0s"},
            }
        ],
    }


def health_route(service: str, port: int) -> dict[str, object]:
    """The HTTPRoute of probes."""
    match = {"path": {"type": "Exact", "value": HEALTH_PATH}, "method": "GET"}
    return {**_parent(), "rules": [{"matches": [match], "backendRefs": [{"name": service, "port": port}]}]}


def list_route() -> dict[str, object]:
    """The HTTPRoute of OpenAI's list of models, which the gateway answers by itself."""
    match = {"path": {"type": "Exact", "value": f"{_API}/models"}, "method": "GET"}
    return {**_parent(), "rules": [{"matches": [match]}]}


def unknown_route() -> dict[str, object]:
    """The HTTPRoute of requests whose model is none that is served here."""
    return {**_parent(), "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": _API}}]}]}


def list_policy(route: str, models: Sequence[str]) -> dict[str, object]:
    """Answer with the models (OpenAI API: GET /v1/models)."""
    answer = {
        "object": "list",
        "data": [{"id": model, "object": "model", "created": 0, "owned_by": "gpufleet"} for model in models],
    }
    return _answer(route, 200, answer)


def unknown_policy(route: str, models: Sequence[str]) -> dict[str, object]:
    """Answer with OpenAI's error for a model that isn't there."""
    error = {
        "message": "The request names no model that is served here: " + ", ".join(models),
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
    return _answer(route, 404, {"error": error})


def entry_policy(front_door_id: pulumi.Input[str] | None, caller: GatewayCaller | None) -> dict[str, object]:
    """Before routing: only Front Door's own requests, and of those only the caller's; the body's model as a header.

    Front Door's addresses are those of every profile, anybody's too (Azure docs: front-door origin-security), so the
    profile's id is asked for. Not for the health path, which tells nothing that is secret. `Require` refuses when a
    header or token is missing or the expression fails; all of the expressions must hold.
    """
    traffic: dict[str, object] = {
        "phase": "PreRouting",
        "transformation": {"request": {"set": [{"name": MODEL_HEADER, "value": "json(request.body).model"}]}},
    }
    required: list[pulumi.Output[str]] = []
    if front_door_id is not None:
        required.append(_unless_probe('request.headers["' + _FRONT_DOOR_ID + '"] == "{0}"', front_door_id))
    if caller is not None:
        required.append(_unless_probe('jwt.oid == "{0}"', caller.principal_id))
        traffic["jwtAuthentication"] = _tokens(caller)
    if required:
        traffic["authorization"] = {"action": "Require", "policy": {"matchExpressions": required}}
    return {"targetRefs": [_target("Gateway", serving_names.GATEWAY, section=HTTPS)], "traffic": traffic}


def connection_policy(max_request_mib: int) -> dict[str, object]:
    """Bodies as long as prompts get (2 MiB unless set), and TLS as Front Door speaks it to origins."""
    return {
        "targetRefs": [_target("Gateway", serving_names.GATEWAY)],
        "frontend": {"http": {"maxBufferSize": f"{max_request_mib}Mi"}, "tls": {"minProtocolVersion": "1.2"}},
    }


def token_issuer_spec() -> dict[str, object]:
    """The AgentgatewayBackend that has the keys of Entra's tokens."""
    host = "login.microsoftonline.com"
    return {"static": {"host": host, "port": 443}, "policies": {"tls": {"sni": host}}}


def _unless_probe(expression: str, value: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.format(f'request.path == "{HEALTH_PATH}" || {expression}', value)


def _tokens(caller: GatewayCaller) -> dict[str, object]:
    """Tokens of the tenant, of Entra's version 1, which managed identities get for Azure's own applications.

    `Optional` checks a token that is there, for probes have none; the authorization asks for one.
    """
    return {
        "mode": "Optional",
        "location": {"header": {"name": caller.header, "prefix": "Bearer "}},
        "providers": [
            {
                "issuer": pulumi.Output.format("https://sts.windows.net/{0}/", caller.tenant_id),
                "audiences": [caller.audience, caller.audience.rstrip("/")],
                "jwks": {
                    "remote": {
                        "backendRef": {
                            "group": "agentgateway.dev",
                            "kind": "AgentgatewayBackend",
                            "name": TOKEN_ISSUER,
                        },
                        "jwksPath": pulumi.Output.format("{0}/discovery/keys", caller.tenant_id),
                    }
                },
            }
        ],
    }


def _parent() -> dict[str, object]:
    return {"parentRefs": [{"name": serving_names.GATEWAY, "sectionName": HTTPS}]}


def _target(kind: str, name: str, *, section: str | None = None) -> dict[str, str]:
    target = {"group": "gateway.networking.k8s.io", "kind": kind, "name": name}
    return {**target, "sectionName": section} if section else target


def _answer(route: str, status: int, body: Mapping[str, object]) -> dict[str, object]:
    # An expression and not `body`, which holds 4,096 characters: some forty models. A JSON string is a CEL string too.
    text = json.dumps(json.dumps(body, separators=(",", ":")))
    return {
        "targetRefs": [_target("HTTPRoute", route)],
        "traffic": {
            "directResponse": {
                "status": status,
                "bodyExpression": text,
                "headers": [{"name": "content-type", "value": '"application/json"'}],
            }
        },
    }
