"""COST003: everything has a price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpufleet.catalog.type_tokens import plain_type
from gpufleet.spec.base import Path
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

if TYPE_CHECKING:
    from gpufleet.cost.lines import Part

_LUSTRE = "azure-native:storagecache:AmlFilesystem"


@dataclass(frozen=True, eq=False)
class Charge:
    """One charge for one resource."""

    resource: Resource
    part: Part

    @property
    def urn(self) -> str:
        """Of the resource."""
        return self.resource.urn

    @property
    def label(self) -> str:
        """`training/lab/pools/h100: Standard_ND96isr_H100_v5 spot`."""
        return f"{self.resource.label}: {self.part.meter}"

    def path(self, *setting: str | int) -> Path:
        """Of what in the specification makes the resource."""
        place = self.resource.place
        if place is not None and plain_type(self.resource.node.type) == _LUSTRE:
            return place.path("storage", "lustre", *setting)
        return self.resource.path(*setting)


class Priced(Rule[Charge, Settings]):
    """Every charge has a price and a quantity.

    What has none is in no sum, so the gate would hold too little against the budget. No other region's price, no
    regular price for spot, and never zero stands in for it: H100 spot, Managed Lustre and some disks have no public
    price, and volumes that flow are known to the people who declare them alone.
    """

    id = "COST003"
    pack = Pack.COST
    severity = Severity.HIGH
    scope = Scope.STACK
    waivable = False
    answerable = True
    fix = "Give a planning price under `prices.assumed`, or the volume under `usage`"
    source = ""

    def subjects(self, view: View) -> Iterable[Charge]:
        """Every charge, by resource."""
        if view.declared is None:
            return ()
        pools: dict[str, Resource] = {pool.urn: pool for pool in view.pools if pool.index is None}
        return [
            Charge(pools.get(part.origin.urn) or view.resource(view.graph.node(part.origin.urn)), part)
            for part in view.estimate.parts
        ]

    def judge(self, subject: Charge, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether it is in the sums."""
        from gpufleet.cost.lines import Unpriced  # noqa: PLC0415 a pack's start need not wait for it

        part = subject.part
        if isinstance(part, Unpriced):
            yield Objection(
                message=f"{part.origin.component}: {part.meter} in {part.origin.region} is in no sum: {part.reason}",
                fix=part.fix,
                decided=False,
            )
