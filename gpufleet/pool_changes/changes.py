"""From the agent pools before and after a run to what happens to each pool of the specification."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gpufleet.graph.model import Hidden
from gpufleet.pool_changes.pools import AgentPool

_FIELDS: Mapping[str, str] = {
    "vmSize": "sku",
    "scaleSetPriority": "priority",
    "osDiskSizeGB": "osDiskGiB",
    "availabilityZones": "zones",
    "nodeTaints": "taints",
    "capacityReservationGroupID": "capacityReservationGroupId",
}
"""Properties of an agent pool that the stack file has under another name."""
_COUNTS = frozenset({"count", "minCount", "maxCount", "enableAutoScaling"})
_OF_THE_NAME = frozenset({"agentPoolName", "azureApiVersion", "resourceName", "resourceGroupName", "vnetSubnetID"})
"""What differs between two agent pools of one pool by itself, or between two clusters."""
_OF_THE_PRIORITY = frozenset({"scaleSetEvictionPolicy", "spotMaxPrice", "upgradeSettings", "nodeTaints", "nodeLabels"})
"""What follows from `priority` by itself."""
_HIDDEN = frozenset(hidden.value for hidden in Hidden)
"""As the engine's steps have it."""


class Kind(StrEnum):
    """What happens to a pool."""

    ADDED = "added"
    REMOVED = "removed"
    ROTATES = "rotates"
    """A field that AKS cannot change: new agent pools come first, then the old ones are drained and removed."""
    RENAMED = "renamed"
    """Under another name in the same cluster; for AKS a rotation."""
    MOVED = "moved"
    """To another cluster; for AKS a new pool there, and the end of the one here."""
    RESIZED = "resized"
    """Only the number of nodes changes."""
    UPDATED = "updated"
    """In place, its nodes stay."""
    REPLACED = "replaced"
    """In place: the old nodes are deleted before the new ones come. Two generations share a name once in 1,296 times
    (gpufleet.spec.pool_names)."""


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """A field of the stack file that changes."""

    field: str
    old: object
    new: object


@dataclass(frozen=True, kw_only=True)
class PoolChange:
    """What happens to one pool.

    Attributes:
        scope: fabric or inference region before the run, after it for a new one.
        pool: name before the run, after it for a new one.
        to: new name of a pool that is renamed, new fabric of one that moves, else "".
        fields: what the stack file changes, by the specification's own names.
        new: agent pools that are made.
        gone: agent pools that are drained and deleted, as they are now.
        changed: agent pools that stay: before and after.
        kept: agent pools that nothing happens to.
    """

    kind: Kind
    scope: str
    pool: str
    training: bool
    to: str = ""
    fields: tuple[FieldChange, ...] = ()
    new: tuple[AgentPool, ...] = ()
    gone: tuple[AgentPool, ...] = ()
    changed: tuple[tuple[AgentPool, AgentPool], ...] = ()
    kept: tuple[AgentPool, ...] = ()

    @property
    def overlaps(self) -> bool:
        """Whether old and new nodes exist side by side for a while."""
        return bool(self.new and self.gone)

    @property
    def takes_nodes(self) -> bool:
        """Whether nodes may go on which something runs."""
        return bool(self.gone) or self.kind is Kind.REPLACED or any(shrinks(*pair) for pair in self.changed)


def shrinks(before: AgentPool, after: AgentPool) -> bool:
    """Whether an agent pool may have fewer nodes after a run than it may have now."""
    most = math.inf if after.most is None else after.most
    return before.most is None or most < before.most


def pool_changes(
    before: Iterable[AgentPool], after: Iterable[AgentPool], *, replaced: frozenset[str] = frozenset()
) -> tuple[PoolChange, ...]:
    """What happens to the pools of one stack, by fabric and pool.

    Args:
        before: agent pools as the state has them.
        after: agent pools as the run leaves them.
        replaced: URNs of those that the engine deletes and makes again.
    """
    olds, news = _by_pool(before), _by_pool(after)
    found = [
        change
        for key in sorted(olds.keys() | news.keys())
        if (change := _one(olds.get(key, []), news.get(key, []), replaced)) is not None
    ]
    return tuple(sorted(_joined(found), key=lambda change: (change.scope, change.pool)))


def _by_pool(pools: Iterable[AgentPool]) -> dict[tuple[str, str], list[AgentPool]]:
    groups: dict[tuple[str, str], list[AgentPool]] = {}
    for pool in sorted(pools, key=lambda pool: pool.name):
        groups.setdefault((pool.scope, pool.pool), []).append(pool)
    return groups


def _one(olds: list[AgentPool], news: list[AgentPool], replaced: frozenset[str]) -> PoolChange | None:
    before, after = {pool.urn: pool for pool in olds}, {pool.urn: pool for pool in news}
    new = tuple(pool for pool in news if pool.urn not in before)
    gone = tuple(pool for pool in olds if pool.urn not in after)
    stay = [(pool, after[pool.urn]) for pool in olds if pool.urn in after]
    changed = tuple(pair for pair in stay if pair[0].urn in replaced or any(_differences(*pair)))
    if not (new or gone or changed):
        return None
    if any(old.urn in replaced for old, _ in changed):
        kind = Kind.REPLACED
    elif not olds or not news:
        kind = Kind.REMOVED if olds else Kind.ADDED
    elif gone and _generations_differ(gone[0], news[0]):
        kind = Kind.ROTATES
    else:
        keys = {path for pair in changed for path, _, _ in _differences(*pair)}
        kind = Kind.RESIZED if keys <= _COUNTS else Kind.UPDATED
    one = (olds or news)[0]
    return PoolChange(
        kind=kind,
        scope=one.scope,
        pool=one.pool,
        training=one.training,
        fields=_fields(olds, news) if olds and news else (),
        new=new,
        gone=gone,
        changed=changed,
        kept=tuple(old for old, now in stay if (old, now) not in changed),
    )


def _generations_differ(old: AgentPool, new: AgentPool) -> bool:
    """Whether two agent pools of one pool differ in more than their place and number of nodes.

    That they do tells a rotation from a pool that loses a domain, also in its second half: when a run was cut off after
    it had made the new agent pools.
    """
    return any(change.field != "nodes" for change in _fields([old], [new]))


def _differences(old: AgentPool, new: AgentPool) -> Iterator[tuple[str, object, object]]:
    for key in sorted(old.properties.keys() | new.properties.keys()):
        if key == "count" and old.autoscaled and new.autoscaled:
            continue  # the autoscaler's (pulumi-azure-native#2943)
        first, second = old.properties.get(key), new.properties.get(key)
        if first != second and key != "azureApiVersion" and _is_known(first) and _is_known(second):
            yield key, first, second


def _is_known(value: object) -> bool:
    """Whether a property is known before the run; the ids of a cluster and its subnet are not, planned by ourselves."""
    if isinstance(value, Mapping):
        return all(map(_is_known, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_known, value))
    return not isinstance(value, Hidden) and value not in _HIDDEN


def _fields(olds: list[AgentPool], news: list[AgentPool]) -> tuple[FieldChange, ...]:
    """What the stack file changes, by the first agent pool of each side; nodes as one field."""
    found = [
        FieldChange(field=_FIELDS.get(key, key), old=old, new=new)
        for key, old, new in _differences(olds[0], news[0])
        if key not in _COUNTS | _OF_THE_NAME
    ]
    if any(change.field == "priority" for change in found):
        found = [change for change in found if change.field not in {*_OF_THE_PRIORITY, "taints"}]
    found = [change for change in map(_without_own_labels, found) if change is not None]
    if _nodes(olds) != _nodes(news):
        found.append(FieldChange(field="nodes", old=_nodes(olds), new=_nodes(news)))
    return tuple(sorted(found, key=lambda change: change.field))


def _without_own_labels(change: FieldChange) -> FieldChange | None:
    """Labels without those that the tool makes: they follow from other fields."""
    if change.field != "nodeLabels":
        return change
    old, new = _own(change.old), _own(change.new)
    return None if old == new else FieldChange(field="labels", old=old, new=new)


def _own(labels: object) -> dict[str, object]:
    if not isinstance(labels, Mapping):
        return {}
    return {key: value for key, value in labels.items() if not str(key).startswith("gpufleet.io/")}


def _nodes(pools: list[AgentPool]) -> str:
    if any(pool.least is None or pool.most is None for pool in pools):
        return "unknown"
    least, most = sum(pool.least or 0 for pool in pools), sum(pool.most or 0 for pool in pools)
    return f"{least} to {most}" if any(pool.autoscaled for pool in pools) else f"{most}"


def _joined(found: list[PoolChange]) -> Iterator[PoolChange]:
    """A pool that goes and one that comes with the same nodes are one pool: under another name, or elsewhere."""
    added = [change for change in found if change.kind is Kind.ADDED]
    for change in found:
        if change.kind is Kind.ADDED:
            continue
        successor = _successor(change, added) if change.kind is Kind.REMOVED else None
        if successor is None:
            yield change
            continue
        added.remove(successor)
        renamed = successor.scope == change.scope
        yield PoolChange(
            kind=Kind.RENAMED if renamed else Kind.MOVED,
            scope=change.scope,
            pool=change.pool,
            training=change.training,
            to=successor.pool if renamed else successor.scope,
            fields=_fields(list(change.gone), list(successor.new)),
            new=successor.new,
            gone=change.gone,
        )
    yield from added


def _successor(gone: PoolChange, added: list[PoolChange]) -> PoolChange | None:
    """The one added pool that is this one under another name (same size and priority), or in another fabric."""

    def alike(other: PoolChange) -> bool:
        one, two = gone.gone[0], other.new[0]
        return (one.size, one.spot, gone.training) == (two.size, two.spot, other.training)

    moved = [other for other in added if other.pool == gone.pool and other.scope != gone.scope and alike(other)]
    renamed = [other for other in added if other.scope == gone.scope and alike(other)]
    for candidates in (renamed, moved):
        if len(candidates) == 1:
            return candidates[0]
    return None
