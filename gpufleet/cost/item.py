"""What gets priced: resources, from whatever recorded them, and where each belongs in the environment."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from gpufleet.catalog.type_tokens import ENVIRONMENT, FABRIC, REGION, plain_type
from gpufleet.cost.money import decimal
from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.environment import Environment
from gpufleet.spec.pool import Pool
from gpufleet.spec.pool_names import AgentPoolPlan, agent_pools

GLOBAL = "global"
"""Region of what is in no region: Front Door, the budget."""
UNKNOWN_REGION = "unknown"
"""Region of what is in a fabric or inference region that the specification doesn't have."""

_SCOPES = {FABRIC: "training", REGION: "inference"}


class Item(Protocol):
    """A resource or component as a Pulumi program registers it.

    `properties` are inputs by the provider's own names. A value that nobody knows yet is anything but a text, number,
    list or mapping, so it is never taken for one.
    """

    @property
    def urn(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def parent(self) -> str: ...  # noqa: D102
    @property
    def properties(self) -> Mapping[str, object]: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A resource with the part of the environment it belongs to."""

    urn: str
    type: str
    """Type token without the API version: an explicit version is the same resource."""
    name: str
    properties: Mapping[str, object]
    component: str
    """`training lab`, `inference eastus`, or the name of what there is one of: `container registry`."""
    region: str
    """Azure region, or `global`."""
    scope: Scope | None
    """Fabric or inference region; None outside of any, or when the specification has none of that name."""
    pool: Pool | None = None
    """Of an agent pool, when the specification has it."""
    plan: AgentPoolPlan | None = None

    @property
    def pool_name(self) -> str:
        """Name of the pool in the specification, of another agent pool its AKS name, else ""."""
        return self.pool.name if self.pool else self.text("agentPoolName") or ""

    def at(self, *path: str) -> object:
        """The property at a path of keys; None when a part is missing or not known yet."""
        value: object = self.properties
        for key in path:
            if not isinstance(value, Mapping):
                return None
            value = value.get(key)
        return value

    def text(self, *path: str) -> str | None:
        """The text at a path; None when there is none, or it is not known yet."""
        value = self.at(*path)
        return value if isinstance(value, str) else None

    def number(self, *path: str) -> Decimal | None:
        """The number at a path; None when there is none, or it is not known yet."""
        return number(self.at(*path))

    def records(self, *path: str) -> Sequence[Mapping[str, object]] | None:
        """The list of mappings at a path; None when it or a part of it is not known yet."""
        value = self.at(*path)
        if not isinstance(value, list | tuple):
            return None
        found = [record for record in value if isinstance(record, Mapping)]
        return found if len(found) == len(value) else None


def number(value: object) -> Decimal | None:
    """A property's number; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return decimal(int(value)) if value == int(value) else decimal(value)


def place(environment: Environment, items: Iterable[Item]) -> Iterator[Placed]:
    """Every item with its place, in the order given."""
    everything = list(items)
    by_urn = {item.urn: item for item in everything}
    known = {scope.name: scope for scope in scopes(environment)}
    pools = {
        (scope.name, plan.name): (pool, plan)
        for scope in known.values()
        for pool in scope.pools
        for plan in agent_pools(pool)
    }
    for item in everything:
        above = list(_ancestors(item, by_urn))
        holder = next((one for one in above if plain_type(one.type) in _SCOPES), None)
        scope = known.get(holder.name) if holder else None
        pool, plan = pools.get((scope.name, _text(item, "agentPoolName")), (None, None)) if scope else (None, None)
        yield Placed(
            urn=item.urn,
            type=plain_type(item.type),
            name=item.name,
            properties=item.properties,
            component=f"{_SCOPES[plain_type(holder.type)]} {holder.name}" if holder else _shared(above),
            region=_region(item, scope, inside=holder is not None),
            scope=scope,
            pool=pool,
            plan=plan,
        )


def _ancestors(item: Item, by_urn: Mapping[str, Item]) -> Iterator[Item]:
    """The item and what it belongs to, the nearest first."""
    seen: set[str] = set()
    current: Item | None = item
    while current is not None and current.urn not in seen:
        seen.add(current.urn)
        yield current
        current = by_urn.get(current.parent)


def _shared(above: Sequence[Item]) -> str:
    """The nearest component, in words: ContainerRegistry is the container registry."""
    components = [one for one in above if one.type.startswith("gpufleet:") and one.type != ENVIRONMENT]
    if not components:
        return "environment"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", components[0].type.rsplit(":", 1)[-1]).lower()


def _region(item: Item, scope: Scope | None, *, inside: bool) -> str:
    location = _text(item, "location")
    if location and location.casefold() != GLOBAL:
        return location.replace(" ", "").casefold()
    if location:
        return GLOBAL
    if scope:
        return scope.region
    return UNKNOWN_REGION if inside else GLOBAL


def _text(item: Item, key: str) -> str:
    value = item.properties.get(key)
    return value if isinstance(value, str) else ""
