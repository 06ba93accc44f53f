"""PLAT013: disruption budgets of model servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil

from gpufleet.graph.model import Value
from policies.in_cluster import cluster_of, inside, objects
from policies.model_servers import asks_for_gpus, is_set, model_servers, template
from policies.reading import Properties, UndecidedError, may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.selectors import matches
from policies.view import Resource, View

_BUDGET = "policy/PodDisruptionBudget"
_AUTOSCALERS = ("autoscaling/HorizontalPodAutoscaler", "keda.sh/ScaledObject")


class DisruptionBudgets(Rule[Resource, Settings]):
    """A replicated model server has a disruption budget that leaves some of it up and lets some of it go.

    Node upgrades, scale-down and spot drains evict pods one node after the other, and nothing but a PodDisruptionBudget
    makes them wait for a replica that loads 70 GB of weights elsewhere first. A budget that allows no disruption at all
    blocks every upgrade until its drain times out.
    """

    id = "PLAT013"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    scope = Scope.STACK
    fix = "Add a PodDisruptionBudget with maxUnavailable 1 whose selector matches the pods"
    source = "Kubernetes pod disruptions, AKS operator-best-practices-scheduler"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Workloads of inference regions whose pods ask for GPUs and which have two replicas or an autoscaler."""
        return may(model_servers(view), lambda one: _replicas(one, view) > 1)

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """The budgets that select its pods."""
        replicas = _replicas(subject, view)
        if not asks_for_gpus(subject) or replicas < 2:
            return
        name = subject.node.name
        budgets = [
            budget
            for budget in inside(view, cluster_of(view, subject), _BUDGET)
            if _namespace(budget) == _namespace(subject)
            and budget.properties.has("spec", "selector")  # without one it selects nothing (policy/v1)
            and matches(budget.properties.below("spec", "selector"), _labels(subject))
        ]
        if not budgets:
            yield Objection(message=f"{name} has {replicas} replicas and no disruption budget")
        for budget in budgets:
            if _allowed(budget.properties.below("spec"), replicas) < 1:
                yield Objection(
                    message=f"{budget.node.name} allows no disruption of {name}'s {replicas} replicas: no node under "
                    "them can be upgraded",
                    fix="Allow one pod at least",
                )


def _labels(workload: Resource) -> Mapping[str, Value]:
    labels = dict(template(workload).below("metadata", "labels").values)
    if is_set(workload):
        labels["leaderworkerset.sigs.k8s.io/name"] = workload.properties.text("metadata", "name")
    return labels


def _replicas(workload: Resource, view: View) -> int:
    """As stated, or the most that an autoscaler makes of it; 1 is Kubernetes' default."""
    stated = workload.properties.integer("spec", "replicas") or 1
    if stated > 1:
        return stated
    name = workload.properties.text("metadata", "name")
    most = [stated]
    for scaler in objects(view, *_AUTOSCALERS):
        target = scaler.properties.text("spec", "scaleTargetRef", "name")
        if target == name and _namespace(scaler) == _namespace(workload):
            # KEDA's default is 100 replicas, the autoscaler's own has none.
            most.append(
                scaler.properties.integer("spec", "maxReplicaCount")
                or scaler.properties.integer("spec", "maxReplicas")
                or 100
            )
    return max(most)


def _namespace(resource: Resource) -> Value:
    """As it stands, unknown or not: within a program both come from the same output."""
    metadata = resource.properties.below("metadata")
    return metadata.values.get("namespace") or "default"


def _allowed(budget: Properties, replicas: int) -> int:
    """How many pods it lets go of this many; a percentage rounds up (Kubernetes configure-pdb)."""
    if budget.has("maxUnavailable"):
        return _count(budget, "maxUnavailable", replicas)
    if budget.has("minAvailable"):
        return replicas - _count(budget, "minAvailable", replicas)
    raise UndecidedError("a disruption budget has neither maxUnavailable nor minAvailable")


def _count(budget: Properties, key: str, replicas: int) -> int:
    value = budget.value(key)
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal():
        return ceil(replicas * int(value[:-1]) / 100)
    return budget.integer(key) or 0
