"""Everything that gpufleet puts into a cluster, dry-run by a real API server with Pod Security and strict fields."""

from __future__ import annotations

import pytest

from tests.components.graphs import STACKS, stack_graph
from tests.control_plane.conftest import Start
from tests.control_plane.manifests import of_graph
from tests.control_plane.review import Review, exceptions

pytestmark = pytest.mark.control_plane


@pytest.fixture(scope="module")
def review(start: Start) -> Review:
    """One look at everything; each cluster of a stack is an API server of its own."""
    result = Review(expected=exceptions())
    for stack in STACKS:
        for content in of_graph(stack, stack_graph(stack)):
            with start({manifest.group_kind for manifest in content.manifests}) as cluster:
                result.content(cluster, content)
    return result


def test_every_object_and_every_pod_is_taken(review: Review) -> None:
    assert review.problems == []


def test_everything_was_looked_at(review: Review) -> None:
    objects = [
        manifest
        for stack in STACKS
        for content in of_graph(stack, stack_graph(stack))
        for manifest in content.manifests
    ]
    assert len(objects) > 30
    assert review.seen >= len(objects)


def test_what_is_not_looked_at_is_listed_and_nothing_else(review: Review) -> None:
    assert review.unlisted() == []
    assert review.unneeded() == []
