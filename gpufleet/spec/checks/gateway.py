"""Gateways and API Management: who can issue certificates, and whom gateways answer."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.spec.api_management import ApiManagementSku
from gpufleet.spec.environment import Environment
from gpufleet.spec.gpu_stack import gpu_needs
from gpufleet.spec.inference import Inference
from gpufleet.spec.problem import ITEMS, Problem, Severity

_PATH = ("inference", "gateway")
_SECRET = (*_PATH, "tlsSecret")


def check_gateways(environment: Environment) -> Iterator[Problem]:
    """Proxies between their bounds, and a certificate that can be had; the latter only where models are served."""
    inference = environment.inference
    if inference is None:
        return
    yield from _api_management(inference)
    gateway = inference.gateway
    if gateway.min_replicas > gateway.max_replicas:
        yield Problem(
            path=(*_PATH, "minReplicas"),
            message=f"{gateway.min_replicas} proxies at least are more than the {gateway.max_replicas} at most",
            fix="Lower minReplicas or raise maxReplicas",
            reads=((*_PATH, "minReplicas"), (*_PATH, "maxReplicas")),
        )
    if gateway.tls_secret is not None:
        if "acme" in gateway.model_fields_set:
            yield Problem(
                path=(*_PATH, "acme"),
                message="has no effect beside tlsSecret: the certificate is yours",
                fix="Leave one of them out",
                reads=(_SECRET,),
            )
        return
    if any(model.is_served for model in inference.models):
        yield from _acme(inference)


def _acme(inference: Inference) -> Iterator[Problem]:
    fix = "Give tlsSecret, and keep a TLS secret of that name in namespace inference-gateway of every region"
    if inference.private_link:
        yield Problem(
            path=_SECRET,
            message="is needed with Private Link: no authority reaches a private gateway to issue its certificate",
            fix=fix,
            source="RFC 8555 section 8.3",
            reads=(("inference", "frontDoor", "privateLink"),),
        )
    if inference.traffic_manager is not None:
        yield Problem(
            path=_SECRET,
            message="is needed with Traffic Manager: an authority that asks for trafficManager.domain reaches any "
            "region, not the one that waits for its certificate",
            fix=fix,
            source="RFC 8555 section 8.3",
            reads=(("inference", "globalEndpoint"), ("inference", "trafficManager")),
        )
    for index, region in enumerate(inference.regions):
        if gpu_needs(region.pools).amd:
            yield Problem(
                path=("inference", "regions", index, "pools"),
                message="AMD's GPUs bring a cert-manager of their own, which knows no gateways: there would be two",
                fix=fix,
                source="ROCm/gpu-operator; cert-manager docs: installation",
                reads=(("inference", "regions", index, "pools"), _SECRET),
            )


def _api_management(inference: Inference) -> Iterator[Problem]:
    api, path = inference.api_management, ("inference", "apiManagement")
    if api is None:
        return
    regions = [region.name for region in inference.regions]
    if api.region is not None and api.region not in regions:
        yield Problem(
            path=(*path, "region"),
            message=f"{api.region} is none of the regions that serve: requests would go through one of no other use",
            fix=f"Use one of {', '.join(regions)}, or leave it out",
            reads=((*path, "region"), ("inference", "regions", ITEMS, "name")),
        )
    names = [team.name for team in api.teams]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(
                path=(*path, "teams", index, "name"),
                message=f"{name} stands twice",
                fix="Give each team once",
                reads=((*path, "teams", ITEMS, "name"),),
            )
    if api.sku is not ApiManagementSku.PREMIUM and len(regions) > 1:
        yield Problem(
            path=(*path, "sku"),
            message=f"{api.sku.value} is in one region alone: when that is lost, nobody reaches the other "
            f"{len(regions) - 1}",
            fix=f"Use {ApiManagementSku.PREMIUM.value}, which is in every region that serves",
            source="Azure docs: api-management-howto-deploy-multi-region",
            severity=Severity.WARNING,
            reads=((*path, "sku"), ("inference", "regions", ITEMS)),
        )
