"""SCALE001: autoscaling within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import all_of
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import CLUSTER, Pool, Resource, View


class BoundedAutoscaling(Rule[Resource, Settings]):
    """A pool is autoscaled between a minimum and a maximum, or has a plain count.

    The maximum is what the ceiling of the cost, the quota and the addresses are counted with, and an Azure budget
    stops nothing: a pool without one has no upper bound to what it may cost. Node auto-provisioning makes pools of its
    own, with sizes and numbers that no declaration bounds.
    """

    id = "SCALE001"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    fix = "State `nodes: { min: …, max: … }`, or a plain `nodes: N`"
    source = "AKS cluster-autoscaler, node-auto-provisioning"

    def subjects(self, view: View) -> Iterable[Resource]:
        """All pools and clusters."""
        return (*view.pools, *view.resources(CLUSTER))

    def judge(self, subject: Resource, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether its bounds are stated and in order."""
        if not isinstance(subject, Pool):
            yield from _provisioning(subject)
        elif subject.autoscaled:
            yield from all_of(_bound(subject, "minCount"), _bound(subject, "maxCount"), _order(subject))
        elif subject.properties.integer("count") is None:
            yield Objection(message=f"{subject.name} is not autoscaled and has no count", setting=("nodes",))
        elif subject.most < 0:
            yield Objection(message=f"{subject.name} has a count of {subject.most}", setting=("nodes",))


def _provisioning(cluster: Resource) -> Iterator[Objection]:
    mode = cluster.properties.text("nodeProvisioningProfile", "mode") or "Manual"
    if mode.casefold() != "manual":
        yield Objection(
            message=f"node auto-provisioning is {mode}, so the cluster makes nodes that nothing bounds",
            fix="Leave nodeProvisioningProfile out, and declare the pools",
        )


def _bound(pool: Pool, key: str) -> Iterator[Objection]:
    if pool.properties.integer(key) is None:
        message = f"{pool.name} is autoscaled and has no {key}"
        yield Objection(message=message, setting=("nodes", key.removesuffix("Count")))


def _order(pool: Pool) -> Iterator[Objection]:
    if any(pool.properties.integer(key) is None for key in ("minCount", "maxCount")):
        return
    least, most = pool.least, pool.most
    if least < 0:
        yield Objection(message=f"{pool.name} has a minimum of {least}", setting=("nodes", "min"))
    if most < max(least, 1):
        yield Objection(
            message=f"{pool.name} has a maximum of {most} and a minimum of {least}",
            fix="Make the maximum at least the minimum, and at least 1",
            setting=("nodes", "max"),
        )
