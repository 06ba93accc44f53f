"""Everything that gpufleet puts into a cluster, dry-run by a real API server with Pod Security and strict fields."""

from __future__ import annotations

import pytest

from tests.components.graphs import ROOT, STACKS, stack_graph
from tests.control_plane.conftest import Start
from tests.control_plane.manifests import ClusterContent, completed, namespaces_of, of_file, of_graph
from tests.control_plane.review import Review, exceptions

pytestmark = [pytest.mark.control_plane, pytest.mark.timeout(600)]

_GOLDEN = ROOT / "tests" / "components" / "golden"
_JOBS = ROOT / "tests" / "jobs" / "golden"
# Bodies for Azure, not for a cluster.
_NOT_KUBERNETES = {
    _GOLDEN / "storage" / "azure.yaml",
    *(_GOLDEN / "pools").glob("*.yaml"),
    *(_GOLDEN / "front").glob("*.yaml"),
    *(_GOLDEN / "api-management").glob("*.yaml"),
}


@pytest.fixture(scope="module")
def contents() -> list[ClusterContent]:
    stacks = [content for stack in STACKS for content in of_graph(stack, stack_graph(stack))]
    files = sorted({*_GOLDEN.rglob("*.yaml"), *_JOBS.glob("*.yaml")} - _NOT_KUBERNETES)
    golden = [of_file(file) for file in files]
    made = namespaces_of(golden)
    return [*stacks, *(completed(content, made) for content in golden)]


@pytest.fixture(scope="module")
def review(start: Start, contents: list[ClusterContent]) -> Review:
    """One look at everything, in one cluster: only namespaces and what pods refer to is made, anew for each content."""
    result = Review(expected=exceptions())
    with start({manifest.group_kind for content in contents for manifest in content.manifests}) as cluster:
        for content in contents:
            result.content(cluster, content)
    return result


def test_every_object_and_every_pod_is_taken(review: Review) -> None:
    assert not review.problems, "\n".join(review.problems)


def test_everything_was_looked_at(review: Review, contents: list[ClusterContent]) -> None:
    assert [content.name for content in contents if not content.manifests and not content.charts] == []
    pods = review.seen - sum(len(content.manifests) for content in contents)
    assert pods > len(list(_JOBS.glob("*.yaml"))) > 20


def test_what_is_not_looked_at_is_listed_and_nothing_else(review: Review) -> None:
    assert not review.unlisted(), "\n".join(review.unlisted())
    assert not review.unneeded(), "\n".join(review.unneeded())
