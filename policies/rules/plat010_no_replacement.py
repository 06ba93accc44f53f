"""PLAT010: replacements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gpufleet.graph import Node
from gpufleet.graph.model import Value
from policies.immutable import DATA, FIXED, changes
from policies.reading import Properties, may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import AGENT_POOL, Pool, Resource, View

_KEYS = {
    "availabilityZones": ("zones",),
    "capacityReservationGroupID": ("capacityReservationGroupId",),
    "maxPods": ("maxPods",),
    "osDiskSizeGB": ("osDiskGiB",),
    "scaleSetPriority": ("priority",),
    "spotMaxPrice": ("spotMaxPrice",),
    "vmSize": ("sku",),
}
"""Of a pool in the stack file, by property."""


@dataclass(frozen=True, eq=False)
class Standing:
    """Something that is there, and what the change makes of it."""

    old: Resource
    new: Resource | None

    @property
    def urn(self) -> str:
        """See `policies.rule.Subject`, as for the others."""
        return self.old.urn

    @property
    def label(self) -> str:
        """Of what the change makes of it, or of what was."""
        return (self.new or self.old).label

    def path(self, *setting: str | int) -> tuple[str | int, ...]:
        """In the specification as it is now: what has gone has no place in it."""
        return self.new.path(*setting) if self.new else ()


class NoReplacement(Rule[Standing, Settings]):
    """Nothing that holds data, no cluster and no GPU pool is replaced, and nothing that holds data is taken away.

    A replaced Lustre file system is empty, a replaced cluster takes every job along, and a replaced GPU pool gives its
    nodes back to Azure before anybody knows whether there are others. An immutable change of a pool is another pool, by
    the generation in its name: add, drain, remove; so a GPU pool that goes is no objection here. Compared with what is
    there, or with the branch that the change goes to.
    """

    id = "PLAT010"
    pack = Pack.PLATFORM
    severity = Severity.CRITICAL
    scope = Scope.STACK
    fix = "Leave it as it is, or add a new one beside it, move over, and take the old one away in a change of its own"
    source = "azure-managed-lustre create-file-system-portal, AKS create-node-pools, pulumi-azure-native replacement.go"

    def subjects(self, view: View) -> Iterable[Standing]:
        """What is there of data, clusters and GPU pools; nothing when nobody compares."""
        if view.base is None:
            return ()
        base = View(graph=view.base, given=view.given)
        resources = [
            Standing(old, view.resource(node) if (node := view.graph.find(old.urn)) else None)
            for old in base.resources(*(type_ for type_ in FIXED if type_ != AGENT_POOL))
        ]
        pools = {_key(pool): pool for pool in view.pools}
        gpu = may(base.pools, lambda pool: pool.size.is_gpu)
        return (*resources, *(Standing(old, pools[_key(old)]) for old in gpu if _key(old) in pools))

    def judge(self, subject: Standing, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether it is still there, and which of its fixed properties change."""
        old, new = subject.old, subject.new
        kind = old.type.rpartition(":")[2]
        if new is None:
            if old.type in DATA:
                yield Objection(
                    message=f"{old.node.name} ({kind}) is taken away, and what it holds with it",
                    fix="Put it back; if its data may go, say so in a waiver",
                )
            return
        type_ = AGENT_POOL if isinstance(old, Pool) else old.type
        name = old.name if isinstance(old, Pool) else old.node.name
        for path, before, after in changes(type_, _pair(old), _pair(new)):
            yield Objection(
                message=f"{name} can't change {path} in place ({_text(before)} to {_text(after)}): it would be "
                "replaced, or Azure refuses",
                setting=_KEYS.get(path, ()) if isinstance(new, Pool) and new.declared else (),
            )


def _key(pool: Pool) -> tuple[str, object]:
    name = pool.properties.values.get("name")
    return pool.urn, None if pool.index is None else name if isinstance(name, str) else pool.index


def _pair(resource: Resource) -> tuple[Node, Properties]:
    return resource.node, resource.properties


def _text(value: Value) -> str:
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
