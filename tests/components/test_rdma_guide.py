"""docs/guides/training-rdma.md has every value that the manifests set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.components.gpu_stacks import GOLDEN

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "training-rdma.md"
Row = tuple[str, tuple[str, ...], str]


def _rows() -> list[Row]:
    """What it is of, the settings, the value."""
    table = GUIDE.read_text(encoding="utf-8").partition("| of | setting |")[2].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table if line.startswith("|")]
    return [(of, tuple(re.findall(r"`([^`]+)`", settings)), value) for of, settings, value, _, _ in cells]


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{path}[]" if isinstance(item, dict) else path)
    else:
        yield path, value


def _settings(name: str) -> Iterator[tuple[str, str, str]]:
    """What, setting, value."""
    for document in yaml.safe_load_all((GOLDEN / name).read_text(encoding="utf-8")):
        settings = document.get("values") or document.get("spec")
        if settings is None:
            continue
        kind = document["type"].rpartition(":")[2]
        of = document.get("chart") or (f"{kind} {document['metadata']['name']}" if kind == "DaemonSet" else kind)
        for path, value in _leaves(settings):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield of, path, "tolerations" if "olerations[]" in path else text


def _covers(settings: tuple[str, ...], path: str) -> bool:
    return any(
        path.startswith(one.removesuffix("*")) if one.endswith("*") else path == one or path.startswith(f"{one}.")
        for one in settings
    )


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("*.yaml")))
def test_every_value_stands_in_the_guide(name: str) -> None:
    rows = _rows()
    missing = [
        (of, path, value)
        for of, path, value in _settings(name)
        if not any(
            row_of == of and _covers(settings, path) and (cell.startswith("[") or value in re.split(r", ", cell))
            for row_of, settings, cell in rows
        )
    ]
    assert missing == []


def test_every_row_is_of_something() -> None:
    found = {(of, path) for file in GOLDEN.glob("*.yaml") for of, path, _ in _settings(file.name)}
    stale = [
        (of, one)
        for of, settings, _ in _rows()
        for one in settings
        if not any(of == what and _covers((one,), path) for what, path in found)
    ]
    assert stale == []
