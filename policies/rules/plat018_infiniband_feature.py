"""PLAT018: the InfiniBand feature flag of the subscription."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.catalog.sizes import InfinibandFeature
from policies.reading import may, surely
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class InfinibandFeatureFlag(Rule[Pool, Settings]):
    """Sizes that need AKSInfinibandSupport and sizes that must not have it are in different stacks.

    The feature flag Microsoft.ContainerService/AKSInfinibandSupport holds for a whole subscription. ND H100 and others
    need it before their pool is made; GB200 and GB300 must not have it. A stack is one subscription, so one of the two
    comes up without InfiniBand, whichever way the flag stands.
    """

    id = "PLAT018"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    waivable = False  # nobody's consent makes Azure do it
    fix = "Move the pool to an environment in a subscription of its own"
    source = "Azure/aks-rdma-infiniband prerequisites, Azure/ai-infrastructure-on-azure infrastructure_references/aks"

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of sizes that need the flag unregistered, and those whose size can't be read."""
        return may(view.pools, lambda pool: pool.size.infiniband_feature is InfinibandFeature.UNREGISTERED)

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether a pool of the stack needs it registered."""
        if subject.size.infiniband_feature is not InfinibandFeature.UNREGISTERED:
            return
        others = surely(view.pools, _needs_it) or may(view.pools, _needs_it)
        for other in others[:1]:
            yield Objection(
                message=f"{subject.name} ({subject.size.name}) needs AKSInfinibandSupport unregistered, and "
                f"{other.name} ({other.size.name}) in the same subscription registered",
                setting=("sku",),
            )


def _needs_it(pool: Pool) -> bool:
    return pool.size.infiniband_feature is InfinibandFeature.REGISTERED
