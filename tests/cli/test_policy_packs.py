from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpufleet.cli.policy_packs import configured_packs
from gpufleet.engine.project import ROOT
from gpufleet.errors import ConfigurationError
from policies import configuration

COST = ROOT / "policies" / "cost"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: python\n")
    return tmp_path


def test_packs_of_ours_get_the_environments_configuration_and_others_none(foreign: Path) -> None:
    packs, configs = configured_packs("prod", [COST, foreign], None)
    assert packs == (str(COST), str(foreign))
    assert configs == (str(configuration.FOLDER / "prod.json"), os.devnull)


def test_a_run_without_packs_has_no_configuration() -> None:
    assert configured_packs("prod", None, None) == ((), ())


def test_what_is_given_goes_to_the_pack_in_the_same_place(foreign: Path, tmp_path: Path) -> None:
    given = tmp_path / "mine.json"
    given.write_text("{}")
    assert configured_packs("prod", [foreign], [given])[1] == (str(given),)


@pytest.mark.parametrize(
    ("configs", "message"),
    [(["a.json", "b.json"], "1 --policy-pack and 2 --policy-pack-config"), (["a.json"], "there is no such file")],
)
def test_configurations_that_do_not_fit_are_an_error(configs: list[str], message: str, foreign: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configured_packs("prod", [foreign], [foreign / name for name in configs])


def test_a_wrong_configuration_ends_the_command_before_the_engine_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prod.json").write_text('{"SCALE02": "disabled"}')
    monkeypatch.setattr(configuration, "FOLDER", tmp_path)
    with pytest.raises(ConfigurationError, match="there is no rule SCALE02"):
        configured_packs("prod", [COST], None)
