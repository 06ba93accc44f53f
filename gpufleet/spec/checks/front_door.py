"""The global endpoint: what Front Door's tiers and Traffic Manager take, and that some region is left in it."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.spec.environment import Environment
from gpufleet.spec.front_door import FrontDoor, FrontDoorSku
from gpufleet.spec.inference import GlobalEndpoint, Inference
from gpufleet.spec.problem import Problem, Severity
from gpufleet.spec.traffic_manager import TrafficManager

_MOST_ORIGINS = 50
_FAST_INTERVAL, _FAST_TIMEOUT = 10, 9
_MOST_DOMAINS = {FrontDoorSku.STANDARD: 100, FrontDoorSku.PREMIUM: 200}


def check_global_endpoint(environment: Environment) -> Iterator[Problem]:
    """Settings of one endpoint for another, tiers that can't do what is asked of them, and no region left."""
    inference = environment.inference
    if inference is None:
        return
    yield from _regions(inference)
    if inference.global_endpoint is GlobalEndpoint.TRAFFIC_MANAGER:
        yield from _traffic_manager(inference)
        return
    if inference.traffic_manager is not None:
        yield Problem(
            path=("inference", "trafficManager"),
            message="has no effect: the global endpoint is front-door",
            fix="Leave it out, or set globalEndpoint to traffic-manager",
            reads=(("inference", "globalEndpoint"),),
        )
    yield from _private_link(inference)
    yield from _tier(inference.front_door)


def _regions(inference: Inference) -> Iterator[Problem]:
    path = ("inference", "regions")
    if len(inference.regions) > _MOST_ORIGINS and inference.global_endpoint is GlobalEndpoint.FRONT_DOOR:
        yield Problem(
            path=path,
            message=f"{len(inference.regions)} regions exceed the {_MOST_ORIGINS} origins of a Front Door origin group",
            fix="Serve from fewer regions",
            source="Azure Front Door limits",
            lower_bound=True,
        )
    if inference.regions and all(region.drain for region in inference.regions):
        yield Problem(
            path=path,
            message="all are drained: the global endpoint would have nowhere to send requests",
            fix="Leave drain out for one of them at least",
            source="terraform-azurerm#15140: the last enabled origin stays",
        )
        return
    for index, region in enumerate(inference.regions):
        if region.drain:
            yield Problem(
                path=(*path, index, "drain"),
                message=f"{region.name} gets no requests, and its nodes are paid for",
                fix="Remove the region, or leave drain out again, once what it was drained for is done",
                severity=Severity.WARNING,
            )


def _traffic_manager(inference: Inference) -> Iterator[Problem]:
    if "front_door" in inference.model_fields_set:
        yield Problem(
            path=("inference", "frontDoor"),
            message="has no effect: Traffic Manager answers DNS queries alone, without a firewall, Private Link or a "
            "time limit",
            fix="Leave it out, or set globalEndpoint to front-door",
            source="Azure docs: traffic-manager-how-it-works",
            reads=(("inference", "globalEndpoint"),),
        )
    if inference.traffic_manager is None:
        yield Problem(
            path=("inference", "globalEndpoint"),
            message="traffic-manager needs the name that clients use, for every gateway's certificate must have it",
            fix="Give trafficManager.domain",
            source="Azure docs: traffic-manager-how-it-works",
            reads=(("inference", "trafficManager"),),
        )
        return
    yield from _monitor(inference.traffic_manager)


def _monitor(manager: TrafficManager) -> Iterator[Problem]:
    monitor = manager.monitor
    if monitor.interval_seconds == _FAST_INTERVAL and monitor.timeout_seconds > _FAST_TIMEOUT:
        yield Problem(
            path=("inference", "trafficManager", "monitor", "timeoutSeconds"),
            message=f"{monitor.timeout_seconds} s is too long for checks every {_FAST_INTERVAL} s",
            fix=f"Use {_FAST_TIMEOUT} at most, or an intervalSeconds of 30",
            source="Azure docs: traffic-manager-monitoring",
            reads=(("inference", "trafficManager", "monitor"),),
        )


def _private_link(inference: Inference) -> Iterator[Problem]:
    front_door = inference.front_door
    path = ("inference", "frontDoor", "privateLink")
    if not front_door.private_link:
        if front_door.origin_domain is not None:
            yield Problem(
                path=("inference", "frontDoor", "originDomain"),
                message="has no effect without privateLink: public gateways have names of Azure's",
                fix="Leave it out, or set privateLink to true",
                reads=(path,),
            )
        return
    if front_door.sku is not FrontDoorSku.PREMIUM:
        yield Problem(
            path=path,
            message=f"true is not possible with {front_door.sku.value}: origins by Private Link need the Premium tier",
            fix=f"Set sku to {FrontDoorSku.PREMIUM.value}, or leave privateLink out",
            source="Azure docs: front-door private-link",
            reads=(path, ("inference", "frontDoor", "sku")),
        )
    if front_door.origin_domain is None:
        yield Problem(
            path=path,
            message="true needs a name for each gateway's certificate: a private gateway gets none from Azure",
            fix="Give originDomain, a domain of yours",
            source="Azure docs: front-door private-link",
            reads=(path, ("inference", "frontDoor", "originDomain")),
        )
    if not any(model.is_served for model in inference.models):
        yield Problem(
            path=path,
            message="true needs models that are served: the Private Link service comes with a region's gateway, and no "
            "model has weights",
            fix="Give a model its weights, or leave privateLink out",
            reads=(path, ("inference", "models")),
        )


def _tier(front_door: FrontDoor) -> Iterator[Problem]:
    waf = front_door.waf
    if waf is not None and waf.managed_rules and front_door.sku is not FrontDoorSku.PREMIUM:
        yield Problem(
            path=("inference", "frontDoor", "waf", "managedRules"),
            message=f"true is not possible with {front_door.sku.value}: managed rule sets need the Premium tier",
            fix=f"Set sku to {FrontDoorSku.PREMIUM.value}, or leave managedRules out",
            source="Azure docs: web-application-firewall, managed rules",
            reads=(("inference", "frontDoor", "waf", "managedRules"), ("inference", "frontDoor", "sku")),
        )
    path = ("inference", "frontDoor", "domains")
    most = _MOST_DOMAINS[front_door.sku]
    if len(front_door.domains) > most:
        yield Problem(
            path=path,
            message=f"{len(front_door.domains)} domains exceed the {most} of a {front_door.sku.value} profile",
            fix="Use fewer",
            source="Azure Front Door limits",
            reads=(path, ("inference", "frontDoor", "sku")),
            lower_bound=True,
        )
    seen: set[str] = set()
    for index, domain in enumerate(front_door.domains):
        if domain in seen:
            yield Problem(path=(*path, index), message=f"{domain} stands twice", fix="Leave one out", reads=(path,))
        seen.add(domain)
