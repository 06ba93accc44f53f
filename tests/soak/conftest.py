"""Homes to kill in: one with dev in it, made once a worker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from tests.soak.kills import Home


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What undisturbed runs leave.

    Attributes:
        up: a home in which dev stands.
        fresh: a home in which it never did.
        empty: what the cloud of the latter holds.
        made: transactions of the cloud's journal that `up` takes; `destroy` takes about as many.
    """

    up: Home
    fresh: Home
    empty: Counter[tuple[str, str]]
    made: int


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
