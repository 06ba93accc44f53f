"""Gateways: who can issue their certificates."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.spec.environment import Environment
from gpufleet.spec.gpu_stack import gpu_needs
from gpufleet.spec.inference import Inference
from gpufleet.spec.problem import Problem

_PATH = ("inference", "gateway")
_SECRET = (*_PATH, "tlsSecret")


def check_gateways(environment: Environment) -> Iterator[Problem]:
    """Proxies between their bounds, and a certificate that can be had; the latter only where models are served."""
    inference = environment.inference
    if inference is None:
        return
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
