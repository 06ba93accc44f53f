"""SCALE008: regular nodes under spot ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import all_of, may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Place, Pool, View


class SpotFloorSettings(Settings):
    """What SCALE008 asks for."""

    min_regular_nodes: int = 1
    """Nodes that a regular pool beside the spot pool always has in production."""


class SpotFloor(Rule[Place, SpotFloorSettings]):
    """A region that serves from spot nodes has a regular pool of the same kind, with a node that is always there.

    Azure takes spot nodes back with 30 seconds' notice, all of a pool at once if it has to, and for hours nothing may
    come back. Regular nodes of the same GPU carry on meanwhile, and one that runs already serves at once, while a new
    one takes minutes and may find no capacity. Outside production a regular pool that can start is enough, so that it
    may scale to zero.
    """

    id = "SCALE008"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Add a regular pool of the same size beside the spot pool, with `nodes: { min: 1, … }`"
    source = "AKS spot-node-pool; Azure/AKS#5736"
    settings = SpotFloorSettings

    def subjects(self, view: View) -> Iterable[Place]:
        """Inference regions with spot pools."""
        spot = may(view.pools, lambda pool: pool.spot)
        places = {pool.place.urn for pool in spot if pool.place is not None}
        return [place for place in view.places if place.kind == "inference" and place.urn in places]

    def judge(self, subject: Place, view: View, settings: SpotFloorSettings) -> Iterator[Objection]:
        """Whether each kind of spot node has enough regular ones beside it."""
        pools = [pool for pool in view.pools if pool.place is not None and pool.place.urn == subject.urn]
        regular = [pool for pool in pools if not pool.spot and not pool.system]
        floor = settings.min_regular_nodes if view.production else 0
        yield from all_of(*(_floor(pool, regular, floor) for pool in pools if pool.spot))


def _floor(pool: Pool, regular: Iterable[Pool], floor: int) -> Iterator[Objection]:
    kind = _kind(pool)
    same = [one for one in regular if _kind(one) == kind and one.most > 0]
    if not same:
        yield Objection(
            message=f"{pool.name} is a spot pool of {kind}, and no regular pool here has nodes of that kind",
            at=pool.path(),
        )
    elif (least := sum(one.least for one in same)) < floor:
        yield Objection(
            message=f"{pool.name} is a spot pool of {kind}, and of regular nodes of that kind {least} are always "
            f"there, {floor} at least are needed in production",
            at=same[0].path("nodes", "min"),
        )


def _kind(pool: Pool) -> str:
    return pool.size.gpu_model or "CPU nodes"
