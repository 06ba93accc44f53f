"""Homes to kill in: one with dev in it, made once a worker."""

from __future__ import annotations

import pytest

from tests.soak.kills import Home, Reference


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    fresh = Home(tmp_path_factory.mktemp("fresh") / "home")
    assert fresh.run("preview", "dev", "--sandbox").returncode == 0
    empty = fresh.cloud()
    up = fresh.copy(tmp_path_factory.mktemp("up") / "home")
    begin = up.transactions
    done = up.run("up", "dev", "--sandbox", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stderr
    assert sum(up.state().values()) > 70
    return Reference(up=up, fresh=fresh, empty=empty, made=up.transactions - begin)
