"""What runs by tag without a word of PLAT020 is what gpufleet itself runs so, and nothing else."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from policies.rules.plat020_images_by_digest import tagged_images
from tests.components import gateways, idle, storage
from tests.components.graphs import STACKS, stack_graph


def _images(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("image"), str) and "name" in value:
            yield value["image"]
        for item in value.values():
            yield from _images(item)
    elif isinstance(value, list):
        for item in value:
            yield from _images(item)


def test_the_table_is_what_the_program_runs_by_tag() -> None:
    graphs = [*map(stack_graph, STACKS), storage.graph(), idle.graph("lunch"), gateways.graph("two-models")]
    found = {
        image
        for graph in graphs
        for one in graph.resources
        if one.type.startswith(("kubernetes:apps", "kubernetes:batch"))
        for image in _images(one.inputs)
    }
    loose = {image for image in found if not re.search("@sha256:[0-9a-f]{64}$", image)}
    used = {pattern for pattern in tagged_images() for image in loose if fnmatch.fnmatchcase(image, pattern)}
    assert used == set(tagged_images())
    assert [image for image in loose if not any(fnmatch.fnmatchcase(image, one) for one in tagged_images())] == []
