"""What happens to pools, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from gpufleet.cost.rates import NoRate
from gpufleet.cost.render.words import usd
from gpufleet.plural import plural
from gpufleet.pool_changes.changes import FieldChange, Kind, PoolChange
from gpufleet.pool_changes.needs import Shortfall
from gpufleet.pool_changes.overlap import Overlap
from gpufleet.pool_changes.pools import AgentPool

_MOST_JOBS = 5
"""Jobs named in one message."""
_SWAPS: Mapping[Kind, str] = {Kind.ROTATES: "rotates", Kind.RENAMED: "becomes", Kind.MOVED: "moves to"}


def change_lines(change: PoolChange, overlap: Overlap | None) -> list[str]:
    """A pool's change in one or two lines; [] for one that says nothing beyond the list of resources.

    New pools and updates in place are in that list; what takes nodes away needs saying what becomes of them.
    """
    head = f"pool {change.pool} of {change.scope}" if change.scope else f"pool {change.pool}"
    fields = f" ({'; '.join(map(field_text, change.fields))})" if change.fields else ""
    if (verb := _SWAPS.get(change.kind)) is not None:
        to = f" {change.to}" if change.to else ""
        return [f"{head} {verb}{to}{fields}: {_swap(change)}", *_overlap(overlap)]
    if change.kind is Kind.REMOVED:
        return [f"{head} goes: {_pools(change.gone)} drained and removed"]
    if change.kind is Kind.REPLACED:
        names = ", ".join(old.name for old, _ in change.changed)
        return [
            f"{head} is replaced in place{fields}: the nodes of {names} are deleted before new ones are made.",
            "  Change one more field, such as maxPods: the pool gets another name, and rotates.",
        ]
    if not change.takes_nodes:
        return []
    gone = f"; {_pools(change.gone)} drained and removed" if change.gone else ""
    shrinking = [(old, new) for old, new in change.changed if old.most != new.most]
    resized = "".join(f"; {old.name} from {_count(old)} to {_count(new)} nodes" for old, new in shrinking)
    return [f"{head} shrinks{fields}{gone}{resized}"]


def field_text(change: FieldChange) -> str:
    """`osDiskGiB 256 -> 512`."""
    return f"{change.field} {_value(change.old)} -> {_value(change.new)}"


def shortfall_line(shortfall: Shortfall) -> str:
    """What would be left, what is needed, by whom."""
    where = f"pool {shortfall.pool} of {shortfall.scope}"
    if shortfall.agent_pool:
        where += f", agent pool {shortfall.agent_pool}"
    now = f" of {shortfall.now}" if shortfall.now is not None else ""
    named = [f"{job.name} (team {job.team}, {plural(job.count, 'node')})" for job in shortfall.jobs[:_MOST_JOBS]]
    if (more := len(shortfall.jobs) - _MOST_JOBS) > 0:
        named.append(f"and {more} more")
    left = "none" if shortfall.wanted == 0 else str(shortfall.wanted)
    choice = "" if shortfall.certain else ", and which go AKS decides"
    return f"{where}: {left}{now} nodes would stay{choice}, running jobs hold {shortfall.needed}: {', '.join(named)}"


def change_document(change: PoolChange, overlap: Overlap | None, shortfalls: Iterable[Shortfall]) -> dict[str, object]:
    """One change as JSON; money is text, as in every document."""
    return {
        "fabric" if change.training else "inferenceRegion": change.scope,
        "pool": change.pool,
        "change": change.kind.value,
        "to": change.to or None,
        "fields": [{"field": one.field, "old": one.old, "new": one.new} for one in change.fields],
        "newAgentPools": [_pool_document(pool) for pool in change.new],
        "removedAgentPools": [_pool_document(pool) for pool in change.gone],
        "changedAgentPools": [_pool_document(new) for _, new in change.changed],
        "overlap": None if overlap is None else _overlap_document(overlap),
        "runningJobs": [
            {
                "agentPool": short.agent_pool or None,
                "nodesLeft": short.wanted,
                "nodesNeeded": short.needed,
                "certain": short.certain,
                "jobs": [{"name": job.name, "team": job.team, "nodes": job.count} for job in short.jobs],
            }
            for short in shortfalls
        ],
    }


def _pool_document(pool: AgentPool) -> dict[str, object]:
    return {"name": pool.name, "minNodes": pool.least, "maxNodes": pool.most}


def _overlap_document(overlap: Overlap) -> dict[str, object]:
    price = overlap.usd
    return {
        "nodes": overlap.nodes,
        "minutes": overlap.minutes,
        "hourlyUsd": str(overlap.hourly) if isinstance(overlap.hourly, Decimal) else None,
        "usd": str(price) if isinstance(price, Decimal) else None,
        "unpriced": price.reason if isinstance(price, NoRate) else None,
    }


def _swap(change: PoolChange) -> str:
    first = f"{_pools(change.new)} made first" if change.new else "the new agent pools are there"
    return f"{first}, then {_pools(change.gone, old=True)} drained and removed"


def _overlap(overlap: Overlap | None) -> list[str]:
    if overlap is None:
        return []
    price = overlap.usd
    if isinstance(price, NoRate) or isinstance(overlap.hourly, NoRate):
        reason = price.reason if isinstance(price, NoRate) else ""
        return [f"  both exist for up to {overlap.minutes} min; what that costs is not known: {reason}"]
    while_ = f"  both exist for up to {overlap.minutes} min when there is capacity"
    return [f"{while_}: up to {usd(price)} on top, {usd(overlap.hourly)} for every hour"]


def _pools(pools: Sequence[AgentPool], *, old: bool = False) -> str:
    """`2 new agent pools of 100 nodes are`."""
    counts = sorted({_count(pool) for pool in pools})
    size = f" of {counts[0]} {'node' if counts[0] == '1' else 'nodes'}" if len(counts) == 1 else ""
    number = plural(len(pools), "old agent pool" if old else "agent pool")
    return f"{number}{size} {'is' if len(pools) == 1 else 'are'}"


def _count(pool: AgentPool) -> str:
    if pool.most is None or pool.least is None:
        return "an unknown number of"
    return f"{pool.least} to {pool.most}" if pool.autoscaled else str(pool.most)


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return "none" if value is None else str(value)
