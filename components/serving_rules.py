"""Recording and alert rules of model servers (data/prometheus_rules.yaml), filled in for the servers of one region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from gpufleet.catalog import prices, sizes
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.sizing.serving_plan import ServerPlan
from gpufleet.spec.base import Priority, Spec
from gpufleet.spec.inference import InferenceRegion
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import agent_pools

_FILE = Path(__file__).parent / "data" / "prometheus_rules.yaml"
_HOLE = re.compile(r"\[\[(\w+)\]\]")
_DURATION: Final = r"^PT\d+M$"
_Text = str


class PrometheusRule(Spec):
    """One rule: `record` names a metric, `alert` an alert."""

    expr: str
    record: str | None = None
    alert: str | None = None
    for_: Annotated[str | None, Field(alias="for", pattern=_DURATION)] = None
    severity: Annotated[int | None, Field(ge=0, le=4)] = None
    """Azure's: 0 is the worst."""
    summary: str = ""
    action: str = ""
    """What whoever gets the alert does."""
    labels: Mapping[str, str] = {}
    when: str | None = None
    """The rule stands only where this value is known."""

    @model_validator(mode="after")
    def _one_kind(self) -> PrometheusRule:
        told = (self.for_, self.severity, self.summary, self.action)
        if (self.record is None) == (self.alert is None):
            raise ValueError("a rule has either `record` or `alert`")
        if self.alert is not None and (None in told or "" in told):
            raise ValueError(f"alert {self.alert} has no `for`, `severity`, `summary` or `action`")
        if self.record is not None and set(told) != {None, ""}:
            raise ValueError(f"recording rule {self.record} has what only alerts have")
        return self


class RuleGroup(Spec):
    """Rules that are evaluated together, in their order."""

    name: str
    description: str
    interval: Annotated[str, Field(pattern=r"^PT([1-9]|1[0-5])M$")]
    """ISO 8601, 1 to 15 minutes (prometheusRuleGroups API specification 2023-03-01)."""
    each: Literal["server", "pool"] | None = None
    rules: Annotated[Sequence[PrometheusRule], Field(min_length=1, max_length=20)]
    """20 is what Azure is said to take (Azure Monitor service limits); no source that was read confirms it."""


class _File(Spec):
    as_of: str
    groups: Sequence[RuleGroup]


@lru_cache(maxsize=1)
def templates() -> Sequence[RuleGroup]:
    """The file's groups, with their holes."""
    content = read_yaml(_FILE)
    return _File.model_validate({**content, "asOf": str(content["asOf"])}).groups


def rule_groups(
    region: InferenceRegion, plans: Sequence[ServerPlan], floors: Mapping[str, Sequence[int]]
) -> list[RuleGroup]:
    """The groups of one region.

    Args:
        region: its pools stand in the rules of idle GPUs.
        plans: its servers.
        floors: servers that are up in each hour of the day, by `ServerPlan.name`.
    """
    values: dict[str | None, list[dict[str, _Text]]] = {
        None: [{}],
        "server": [_server(plan, min(floors[plan.name])) for plan in plans],
        "pool": [one for pool in region.pools for one in _pool(pool, region.name)],
    }
    return [_filled(group, one) for group in templates() for one in values[group.each]]


def prometheus_file(groups: Sequence[RuleGroup]) -> dict[str, object]:
    """The same groups as Prometheus' own rule file, for promtool."""
    return {
        "groups": [
            {"name": group.name, "interval": _prometheus(group.interval), "rules": list(map(_rule, group.rules))}
            for group in groups
        ]
    }


def alert_annotations(rule: PrometheusRule) -> dict[str, str]:
    """What an alert says; nothing for a recording rule."""
    return {"summary": rule.summary, "action": rule.action} if rule.alert else {}


def _rule(rule: PrometheusRule) -> dict[str, object]:
    if rule.alert is None:
        made: dict[str, object] = {"record": rule.record, "expr": rule.expr}
    else:
        made = {
            "alert": rule.alert,
            "expr": rule.expr,
            "for": _prometheus(rule.for_ or ""),
            "annotations": alert_annotations(rule),
        }
    return made | ({"labels": dict(rule.labels)} if rule.labels else {})


def _prometheus(duration: str) -> str:
    return duration.removeprefix("PT").lower()


def _server(plan: ServerPlan, floor: int) -> dict[str, _Text]:
    target = plan.model.latency
    values = {
        "server": plan.name,
        "model": plan.model.name,
        "floor": str(max(1, floor)),
        "maximum": str(plan.max_replicas),
        "waiting": str(plan.model.autoscaling.waiting_requests_per_replica),
    }
    if target.time_to_first_token_ms is not None:
        values["firstToken"] = f"{target.time_to_first_token_ms / 1000:g}"
    if target.time_per_output_token_ms is not None:
        values["perToken"] = f"{target.time_per_output_token_ms / 1000:g}"
    return values


def _pool(pool: Pool, region: str) -> Iterator[dict[str, _Text]]:
    size = sizes.find(pool.sku)
    if size is None or size.gpu_vendor != "NVIDIA":
        return
    names = [plan.name for plan in agent_pools(pool)]
    found = prices.price(pool.sku, region, spot=pool.priority is Priority.SPOT)
    yield {
        "pool": pool.name,
        # Node names of a scale set: aks-<agent pool>-<digits>-vmss<instance>.
        "nodes": f"aks-({'|'.join(names)})-[0-9]+-vmss.*",
        "floorGpus": str(sum(plan.min_nodes for plan in agent_pools(pool)) * size.gpus),
        "price": "their price is not known"
        if isinstance(found, prices.Unpriced)
        else f"each costs {float(found.usd_per_hour) / size.gpus:.2f} USD an hour",
    }


def _filled(group: RuleGroup, values: Mapping[str, _Text]) -> RuleGroup:
    def fill(text: str) -> str:
        return _HOLE.sub(lambda hole: values[hole.group(1)], text)

    rules = [
        rule.model_copy(
            update={
                "expr": fill(rule.expr),
                "summary": fill(rule.summary),
                "action": fill(rule.action),
                "labels": {name: fill(value) for name, value in rule.labels.items()},
            }
        )
        for rule in group.rules
        if rule.when is None or rule.when in values
    ]
    return group.model_copy(update={"name": fill(group.name), "description": fill(group.description), "rules": rules})
