from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import ConfigurationError
from gpufleet.rollout.journal import Stage, read
from tests.rollout.platforms import BEGAN, journal


def test_a_journal_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made = journal("eastus", "swedencentral").at("eastus", Stage.BAKING, now=BEGAN, ttft_ms=200)
    file = tmp_path / "prod.json"
    file.write_text(made.text, encoding="utf-8")
    assert read(file) == made
    assert made.at("eastus", Stage.DONE, now=BEGAN).region("eastus").ttft_ms == 200


def test_there_may_be_none(tmp_path: Path) -> None:
    assert read(tmp_path / "prod.json") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schemaVersion": 2}'])
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prod.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"prod\.json is not the journal of a roll-out") as raised:
        read(file)
    assert "Move it away" in raised.value.hint
