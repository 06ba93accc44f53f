"""The topology as a Mermaid flowchart, which GitHub, GitLab and Azure DevOps draw in markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from gpufleet.report.topology import Cluster, NodePool, Region
from gpufleet.report.words import one_line

_PLAIN: Final = re.compile(r"[^A-Za-z0-9 .,/+×·_-]")


def flowchart(regions: Sequence[Region]) -> str:
    """Regions that hold clusters that hold pools; the InfiniBand domains of a pool are one number in it."""
    return "\n".join(["flowchart LR", *_regions(regions)])


def _regions(regions: Sequence[Region]) -> Iterator[str]:
    for number, region in enumerate(regions):
        yield f'  subgraph r{number}["{_text(region.name)}"]'
        for place, cluster in enumerate(region.clusters):
            yield from _cluster(f"r{number}c{place}", cluster)
        yield "  end"


def _cluster(id_: str, cluster: Cluster) -> Iterator[str]:
    yield f'    subgraph {id_}["{_text(cluster.label)}"]'
    for number, pool in enumerate(cluster.pools):
        # A hexagon is spot, what stands on InfiniBand a stadium, everything else a box.
        left, right = ("{{", "}}") if pool.spot else ("([", "])") if pool.domains else ("[", "]")
        yield f'      {id_}p{number}{left}"{_pool(pool)}"{right}'
    yield "    end"


def _pool(pool: NodePool) -> str:
    kind = {True: ", spot", None: ", perhaps spot", False: ""}[pool.spot]
    lines = (_text(pool.name), f"{_text(pool.size)}{kind}", _text(pool.nodes), _text(pool.fabric))
    return "<br/>".join(line for line in lines if line)


def _text(text: str) -> str:
    """Nothing in it is syntax: Mermaid's own form of a character's number stands for all that might be."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", one_line(text))
