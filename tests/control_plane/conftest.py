"""Control planes to ask. What they are made of must be there: a missing program is an error, never a skip."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.control_plane.cluster import Body, Cluster
from tests.control_plane.manifests import known_definitions
from tests.control_plane.server import control_plane
from tools.control_plane import build
from tools.control_plane.build import Programs

Start: TypeAlias = Callable[[], contextlib.AbstractContextManager[Cluster]]


@pytest.fixture(scope="session")
def programs() -> Programs:
    return build.find()


@pytest.fixture(scope="session")
def definitions() -> list[Body]:
    return list(known_definitions().values())


@pytest.fixture(scope="session")
def start(programs: Programs, definitions: list[Body], tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start a cluster with everything defined; it ends with the `with`."""

    @contextlib.contextmanager
    def started() -> Iterator[Cluster]:
        with (
            control_plane(programs, tmp_path_factory.mktemp("control-plane")) as kubeconfig,
            contextlib.closing(Cluster(kubeconfig)) as cluster,
        ):
            cluster.prepare(definitions)
            yield cluster

    return started


@pytest.fixture(scope="session")
def cluster(start: Start) -> Iterator[Cluster]:
    """One cluster for all dry runs that leave nothing behind, with the namespace `team`."""
    with start() as one:
        one.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        one.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "team"}})
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of the test's own."""
    place = tmp_path / "plane"
    place.mkdir()
    return place
