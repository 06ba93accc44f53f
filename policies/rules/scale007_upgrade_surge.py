"""SCALE007: how upgrades go through a pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import all_of
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class UpgradeSurge(Rule[Pool, Settings]):
    """ND pools upgrade without surge, and no pool has upgrade settings that AKS refuses or can't follow.

    An upgrade with surge asks for a spare node first. Spare ND nodes of 8 GPUs hardly ever exist, and quota for them is
    seldom granted, so the upgrade waits and fails: ND pools have maxSurge 0 and a maxUnavailable of 1 or more. AKS's
    own default is a surge of 10 %. With both at 0 no node could ever be upgraded; spot pools take neither setting, and
    system pools no maxUnavailable.
    """

    id = "SCALE007"
    pack = Pack.SCALING
    severity = Severity.MEDIUM
    scope = Scope.RESOURCE
    fix = "Set `upgrade: { maxSurge: 0, maxUnavailable: 1 }`"
    source = "AKS upgrade-aks-node-pools-rolling, spot-node-pool; Azure/AKS#4818"

    def subjects(self, view: View) -> Iterable[Pool]:
        """All pools."""
        return view.pools

    def judge(self, subject: Pool, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether AKS takes its settings, and an ND pool surges."""
        if subject.spot:
            yield from all_of(*(_on_spot(subject, key) for key in ("maxSurge", "maxUnavailable")))
        else:
            yield from all_of(_gives_way(subject), _spares_nd(subject))


def _on_spot(pool: Pool, key: str) -> Iterator[Objection]:
    value = pool.upgrade(key)
    if value is not None:
        yield Objection(
            message=f"{pool.name} is a spot pool and has {key} {value}, which AKS refuses",
            fix="Leave `upgrade` out: spot nodes are replaced as they are evicted",
            setting=("upgrade", key),
        )


def _gives_way(pool: Pool) -> Iterator[Objection]:
    """Unless stated there is 10 % of surge, and no node is unavailable."""
    unavailable = pool.upgrade("maxUnavailable")
    at_all = not _is_zero(unavailable or "0")
    if pool.system and at_all:
        yield Objection(
            message=f"{pool.name} is a system pool and has maxUnavailable {unavailable}, which AKS refuses",
            fix="Leave maxUnavailable out",
            setting=("upgrade", "maxUnavailable"),
        )
    elif not at_all and _is_zero(pool.upgrade("maxSurge") or "10%"):
        yield Objection(
            message=f"{pool.name} has neither maxSurge nor maxUnavailable, so no node could be upgraded",
            fix="Set maxUnavailable to 1",
            setting=("upgrade", "maxUnavailable"),
        )


def _spares_nd(pool: Pool) -> Iterator[Objection]:
    surge = pool.upgrade("maxSurge")
    if pool.size.is_nd and not _is_zero(surge or "10%"):
        yield Objection(
            message=f"{pool.name} has maxSurge {surge or '10% by default'}, and a spare "
            f"{pool.size.name} hardly ever exists",
            setting=("upgrade", "maxSurge"),
        )


def _is_zero(setting: str) -> bool:
    return int(setting.removesuffix("%")) == 0
