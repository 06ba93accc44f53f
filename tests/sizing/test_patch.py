from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gpufleet.sizing.advice import Change
from gpufleet.sizing.numbers import SizingError
from gpufleet.sizing.patch import patched, unified

_HEAD = "config:\n  gpufleet:environment:\n"
_TEXT = (
    _HEAD
    + """    # before
    training:
      - name: lab   # odd   spacing
        pools:
          - {name: h100, nodes: { min: 1,   max: 8 } } # on one line
          - name: data
            nodes: {min: 0, max: 4} # last

          # after the pools
    inference:
      regions:
        - name: eastus
          pools:
            - name: nc
              nodes:
                min: 1
                max: 2 # two
        # the end
"""
)


def _change(*path: str | int, value: object) -> Change:
    return Change(path=path, value=value, why="")


def _after(*changes: Change, text: str = _TEXT) -> str:
    return patched(text, changes, name="x.yaml")


def test_a_value_changes_and_nothing_else() -> None:
    after = _after(
        _change("training", 0, "pools", 0, "nodes", "max", value=64),
        _change("inference", "regions", 0, "pools", 0, "nodes", "max", value=12),
    )
    assert after == _TEXT.replace("max: 8", "max: 64").replace("max: 2 # two", "max: 12 # two")


def test_additions_follow_the_last_item() -> None:
    pool = {"name": "p0", "sku": "Standard_X", "nodes": {"min": 0, "max": 3}}
    after = _after(
        _change("training", 0, "pools", 2, value=pool),
        _change("training", 0, "pools", 3, value={**pool, "name": "p1"}),
        _change("inference", "regions", 1, value={"name": "westus", "pools": [pool]}),
    )
    added = "- { name: p0, sku: Standard_X, nodes: { min: 0, max: 3 } }\n"
    assert after == _TEXT.replace(
        "max: 4} # last\n", f"max: 4}} # last\n          {added}          {added.replace('p0', 'p1')}"
    ).replace("max: 2 # two\n", f"max: 2 # two\n        - name: westus\n          pools:\n            {added}")


def test_a_file_without_a_last_newline_and_one_with_carriage_returns() -> None:
    end = _HEAD + "    pools:\n      - a\n      - b"
    assert _after(_change("pools", 2, value="c"), text=end) == end + "\n      - c\n"
    dos = end.replace("\n", "\r\n") + "\r\n"
    assert _after(_change("pools", 2, value="c"), text=dos) == dos + "      - c\r\n"


def test_a_shared_value_is_left_to_people() -> None:
    shared = _HEAD + "    a: &x { max: 1 }\n    b: *x\n"
    with pytest.raises(SizingError, match="an anchor or a merge key shares a value") as caught:
        _after(_change("b", "max", value=2), text=shared)
    assert caught.value.hint == "Make them by hand:\n  b.max: 2"
    merged = _HEAD + "    a: &x { max: 1 }\n    b: { <<: *x, min: 0 }\n"
    with pytest.raises(SizingError, match=r"b\.max can't be set in place"):
        _after(_change("b", "max", value=2), text=merged)


def test_a_list_on_one_line_is_left_to_people() -> None:
    with pytest.raises(SizingError, match="pools is a list on one line"):
        _after(_change("pools", 2, value="c"), text=_HEAD + "    pools: [a, b]\n")


def test_text_that_yaml_would_misread_is_quoted() -> None:
    text = _HEAD + "    a: x\n"
    assert _after(_change("a", value="no"), text=text).endswith('    a: "no"\n')
    assert _after(_change("a", value="1.34"), text=text).endswith('    a: "1.34"\n')
    assert _after(_change("a", value=1.5), text=text).endswith("    a: 1.5\n")


@pytest.mark.parametrize("text", [_TEXT, _TEXT.rstrip("\n")])
def test_git_takes_the_patch(tmp_path: Path, text: str) -> None:
    after = _after(
        _change("training", 0, "pools", 0, "nodes", "max", value=64),
        _change("inference", "regions", 1, value={"name": "westus", "pools": []}),
        text=text,
    )
    (tmp_path / "x.yaml").write_text(text)
    (tmp_path / "x.patch").write_text(unified(text, after, name="x.yaml"))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "x.patch"], cwd=tmp_path, check=True)
    assert (tmp_path / "x.yaml").read_text() == after


def test_no_change_is_no_patch() -> None:
    assert unified(_TEXT, _after(), name="x.yaml") == ""
