"""PLAT014: mode and OS disk of GPU pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class GpuPoolMode(Rule[Pool, Settings]):
    """A GPU pool is a user pool, with the size of its OS disk stated.

    A system pool can't go to zero nodes and attracts Kubernetes' own pods, on nodes of up to 98 USD an hour. Without a
    stated size AKS makes an ephemeral OS disk of the whole temporary disk, and a pool's disk can't be changed later.
    """

    id = "PLAT014"
    pack = Pack.PLATFORM
    severity = Severity.MEDIUM
    scope = Scope.RESOURCE
    fix = "Set mode User and osDiskSizeGB"
    source = "AKS use-system-pools, concepts-storage"

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of GPU sizes, and those whose size can't be read."""
        return may(view.pools, lambda pool: pool.size.is_gpu)

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """Its mode and disk."""
        if not subject.size.is_gpu:
            return
        # An agent pool of its own is a user pool unless stated; an inline one has to state it (AKS agentPools API).
        mode = subject.properties.text("mode") or ("User" if subject.index is None else "System")
        if mode.casefold() != "user":
            yield Objection(message=f"{subject.name} has GPUs and is a {mode.lower()} pool")
        if not subject.properties.integer("osDiskSizeGB"):
            yield Objection(
                message=f"{subject.name} has GPUs and leaves the size of its OS disk to AKS", setting=("osDiskGiB",)
            )
