"""SCALE006: the GPUs of an environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gpufleet.catalog.type_tokens import ENVIRONMENT, plain_type
from gpufleet.graph.model import STACK_TYPE
from gpufleet.spec.base import Path
from policies.reading import total
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View


class GpuCapSettings(Settings):
    """What SCALE006 allows."""

    max_gpus: int = 800
    """GPUs of all pools together. Unless an environment states its own: one full InfiniBand domain, 100 nodes of 8."""


@dataclass(frozen=True)
class Fleet:
    """All pools of a stack, whoever made them."""

    urn: str
    label: str = "environment"

    def path(self, *_: str | int) -> Path:
        """Nowhere: it is the sum that is too much."""
        return ()


class GpuCap(Rule[Fleet, GpuCapSettings]):
    """All pools together have at most as many GPUs as the environment may have.

    A cap that the pull request can't raise along with the pools: it stands in `policies/config/<environment>.json`,
    and whoever owns that file has agreed to the number. Nodes count at their maximum and with the surge of an upgrade,
    spot ones too.
    """

    id = "SCALE006"
    pack = Pack.SCALING
    severity = Severity.HIGH
    scope = Scope.STACK
    measure = "maxGpus"
    fix = "Lower the pools' maxima, or have maxGpus raised in policies/config/<environment>.json"
    source = ""
    settings = GpuCapSettings

    def subjects(self, view: View) -> Iterable[Fleet]:
        """The stack, when it has pools."""
        tops = [
            node.urn for type_ in (ENVIRONMENT, STACK_TYPE) for node in view.graph if plain_type(node.type) == type_
        ]
        return [Fleet(tops[0] if tops else "")] if view.pools else []

    def judge(self, subject: Fleet, view: View, settings: GpuCapSettings) -> Iterator[Objection]:
        """Whether the GPUs of all pools are within the cap."""
        gpus = total(view.pools, _gpus)
        if gpus.known > settings.max_gpus:
            # Several domains of one declared pool have one label.
            parts: dict[str, list[Pool]] = {}
            for pool in view.pools:
                parts.setdefault(pool.label, []).append(pool)
            label, largest = max(parts.items(), key=lambda part: total(part[1], _gpus).known)
            yield Objection(
                message=f"all pools together may have {gpus.known:,} GPUs, and {settings.max_gpus:,} are allowed; most "
                f"of them, {total(largest, _gpus).known:,}, are in {label}",
                at=largest[0].path("nodes"),
                amount=gpus.known,
            )
        gpus.settle()


def _gpus(pool: Pool) -> int:
    gpus = pool.size.gpus
    return gpus * pool.peak if gpus else 0
