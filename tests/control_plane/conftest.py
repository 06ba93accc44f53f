"""Control planes to ask. What they are made of must be there: a missing program is an error, never a skip."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.control_plane.cluster import Cluster
from tests.control_plane.manifests import Manifest, known_definitions, plain
from tests.control_plane.server import control_plane
from tests.sandbox.kubernetes.mutations import subjects
from tools.control_plane import build
from tools.control_plane.build import Programs

Start: TypeAlias = Callable[[Collection[str]], contextlib.AbstractContextManager[Cluster]]
"""Takes the custom kinds to define, as `known_definitions` has them."""


@pytest.fixture(scope="session")
def programs() -> Programs:
    return build.find()


@pytest.fixture(scope="session")
def start(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start a cluster; it ends with the `with`."""

    @contextlib.contextmanager
    def started(kinds: Collection[str]) -> Iterator[Cluster]:
        # Only what is needed: a definition that holds whole pods takes the server seconds.
        wanted = [body for kind, body in known_definitions().items() if kind in kinds]
        with (
            control_plane(programs, tmp_path_factory.mktemp("control-plane")) as kubeconfig,
            contextlib.closing(Cluster(kubeconfig)) as cluster,
        ):
            cluster.prepare(wanted)
            yield cluster

    return started


@pytest.fixture(scope="session")
def cluster(start: Start) -> Iterator[Cluster]:
    """One cluster for all dry runs that leave nothing behind, with what the sandbox's mutations are made in."""
    manifests = [Manifest(origin=token, body=plain(body)) for token, body in subjects()]
    with start({manifest.group_kind for manifest in manifests}) as one:
        one.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        for namespace in (manifest.body for manifest in manifests if manifest.body.get("kind") == "Namespace"):
            one.make(namespace)
        one.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "team"}})
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of the test's own."""
    place = tmp_path / "plane"
    place.mkdir()
    return place
