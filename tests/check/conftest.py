from __future__ import annotations

from pathlib import Path

import pytest

from tests.check.stacks import Stacks


@pytest.fixture
def stacks(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Stack files in a folder of the test, with plans that all tests share."""
    return Stacks(tmp_path, tmp_path_factory.getbasetemp() / "plans")
