"""SCALE009: what the autoscaler prefers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from policies.in_cluster import inside
from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Pool, Resource, View

_CONFIG_MAP: Final = "core/ConfigMap"
_NAME: Final = "cluster-autoscaler-priority-expander"
_NAMESPACE: Final = "kube-system"
# Python takes these and Go's regexp, which the autoscaler has, does not: look-around and references to a group.
_NOT_GO: Final = re.compile(r"\(\?[=!<]|\\[1-9]")


class PriorityExpanderSettings(Settings):
    """What SCALE009 expects."""

    spot_first: bool = True
    """Whether every spot pool must come before every regular one."""


@dataclass(frozen=True, kw_only=True)
class _Tier:
    priority: int
    expression: str


class PriorityExpander(Rule[Resource, PriorityExpanderSettings]):
    """Where spot and regular pools are autoscaled side by side, the autoscaler's priorities name each pool once.

    Left to itself the autoscaler takes the regular pool as readily as the spot one. The expander `priority` follows the
    ConfigMap cluster-autoscaler-priority-expander in kube-system, in which the highest number wins; Microsoft's sample
    has spot at the lower number, so it prefers regular nodes. Expressions match anywhere in a scale set's name
    (aks-<pool>-<digits>-vmss) unless they are anchored, so a pool whose name begins with another's gets both
    priorities. What matches none is never chosen while another one matches.
    """

    id = "SCALE009"
    pack = Pack.SCALING
    severity = Severity.MEDIUM
    scope = Scope.STACK
    fix = (
        "Set the cluster's autoScalerProfile.expander to priority, and list each autoscaled pool once in the ConfigMap "
        f"{_NAME}, as ^aks-<pool>-.*"
    )
    source = (
        "kubernetes/autoscaler cluster-autoscaler/expander/priority; AKS cluster-autoscaler-overview; "
        "kubernetes/autoscaler#8323"
    )
    settings = PriorityExpanderSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Clusters in which the autoscaler has the choice, or follows priorities."""
        return may(
            view.resources(CLUSTER),
            lambda cluster: _expander(cluster) == "priority" or _has_choice(view.pools_of(cluster)),
        )

    def judge(self, subject: Resource, view: View, settings: PriorityExpanderSettings) -> Iterator[Objection]:
        """Whether the expander is the right one, and its ConfigMap agrees with the pools."""
        pools, at = view.pools_of(subject), subject.path("pools")
        if (expander := _expander(subject)) != "priority":
            if _has_choice(pools):
                yield Objection(
                    message=f"spot and regular pools are autoscaled side by side, and the expander is {expander}", at=at
                )
            return
        config_map = _config_map(subject, view)
        if isinstance(config_map, Objection):
            yield config_map
            return
        tiers = _tiers(config_map)
        if isinstance(tiers, str):
            yield Objection(message=f"{config_map.node.name}: {tiers}", at=at)
            return
        faults = [*_form(tiers), *_match(tiers, pools, spot_first=settings.spot_first)]
        for fault in faults:
            yield Objection(message=f"{config_map.node.name}: {fault}", at=at)


def _expander(cluster: Resource) -> str:
    """AKS takes `random` unless told otherwise."""
    return (cluster.properties.text("autoScalerProfile", "expander") or "random").casefold()


def _has_choice(pools: Iterable[Pool]) -> bool:
    return len({pool.spot for pool in pools if pool.autoscaled}) > 1


def _config_map(cluster: Resource, view: View) -> Resource | Objection:
    found = [one for one in inside(view, cluster.node, _CONFIG_MAP) if one.properties.text("metadata", "name") == _NAME]
    namespaces = {one.properties.text("metadata", "namespace") or "default": one for one in found}
    if _NAMESPACE in namespaces:
        return namespaces[_NAMESPACE]
    where = f"is in the namespace {', '.join(namespaces)}" if found else "is not there"
    return Objection(
        message=f"the expander is priority, and its ConfigMap {_NAME} {where}, so the autoscaler picks at random",
        fix=f"Make the ConfigMap {_NAME} in {_NAMESPACE}",
        at=cluster.path("pools"),
    )


def _tiers(config_map: Resource) -> list[_Tier] | str:
    """Its expressions with their priorities, or what keeps the autoscaler from reading it."""
    text = config_map.properties.text("data", "priorities")
    if text is None:
        return "has no key `priorities`"
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        return f"`priorities` is no YAML: {str(error).splitlines()[0]}"
    if not isinstance(content, Mapping) or not content:
        return "`priorities` is no mapping of numbers to expressions"
    tiers = []
    for priority, expressions in content.items():
        if isinstance(priority, bool) or not isinstance(priority, int) or priority < 1:
            return f"the priority {priority!r} is no positive whole number"
        if not isinstance(expressions, list) or not all(isinstance(one, str) for one in expressions):
            return f"the priority {priority} has no list of expressions"
        tiers += [_Tier(priority=priority, expression=one) for one in expressions]
    return tiers


def _form(tiers: list[_Tier]) -> Iterator[str]:
    for tier in tiers:
        if _compiled(tier) is None:
            yield f"{tier.expression} is no expression that the autoscaler can read"
        elif not tier.expression.startswith("^"):
            yield f"{tier.expression} is not anchored with ^"


def _match(tiers: list[_Tier], pools: Iterable[Pool], *, spot_first: bool) -> Iterator[str]:
    matches = {pool.aks_name: [tier for tier in tiers if _matches(tier, pool)] for pool in pools}
    autoscaled = [pool for pool in pools if pool.autoscaled]
    for pool in autoscaled:
        found = matches[pool.aks_name]
        if not found:
            yield f"nothing matches {pool.name}, so it is not chosen while another pool can grow"
        elif len(found) > 1:
            yield f"{pool.name} is matched by {' and '.join(tier.expression for tier in found)}"
    for tier in tiers:
        if not any(tier in found for found in matches.values()):
            yield f"{tier.expression} matches no pool"
    if not spot_first:
        return
    ranks = [(pool, max(tier.priority for tier in found)) for pool in autoscaled if (found := matches[pool.aks_name])]
    for spot, rank in ranks:
        ahead = [f"{pool.name} ({other})" for pool, other in ranks if spot.spot and not pool.spot and other >= rank]
        if ahead:
            yield f"{spot.name} is spot and has {rank}, which comes not before {', '.join(ahead)}: the highest wins"


def _matches(tier: _Tier, pool: Pool) -> bool:
    compiled = _compiled(tier)
    return compiled is not None and compiled.search(f"aks-{pool.aks_name}-12345678-vmss") is not None


def _compiled(tier: _Tier) -> re.Pattern[str] | None:
    try:
        return None if _NOT_GO.search(tier.expression) else re.compile(tier.expression, re.ASCII)
    except re.error:
        return None
