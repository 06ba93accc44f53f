"""Plans at the least cost: kept between runs, and made without the SDKs where that is certain to be the same.

The program comes to the same graph for the same environment, so it need not run again. A plan is found again by
everything that it is made from: the environment, the program's own sources and data, the versions of the SDKs and of
Python, the variables that the SDKs read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gpufleet.graph.model import Graph, Hidden, Node, Value

if TYPE_CHECKING:
    from gpufleet.spec import Environment

_FORM: Final = 2
"""Of the files; another one makes all that were written before worthless."""
_MOST: Final = 64
"""Plans to keep; the ones that were not used for longest go."""

_SOURCES: Final = ("components", "gpufleet/catalog", "gpufleet/graph", "gpufleet/spec", "gpufleet/errors.py")
_PACKAGES: Final = ("pulumi", "pulumi-azure-native", "pulumi-kubernetes", "pydantic")
_VARIABLES: Final = ("PULUMI_K8S_", "PULUMI_ERROR_OUTPUT_STRING")
"""Beginnings of the names of what the SDKs read from the environment."""
_SUFFIXES: Final = (".py", ".csv", ".yaml", ".json")
_ROOT: Final = Path(__file__).parents[2]
_MASK: Final = "\0"
"""Before the name of a `Hidden` value; no text of a YAML file can hold it."""


def plan(stack: str, environment: Environment, folder: Path | None, *, subscription_id: str | None = None) -> Graph:
    """`offline.plan`, from `folder` when it was made before.

    Args:
        stack: see `offline.plan`.
        environment: see `offline.plan`.
        folder: where plans are kept; made when missing. One that can't be used costs time and nothing else. None to
            plan anew.
        subscription_id: see `offline.plan`.

    Raises:
        GpufleetError: see `offline.plan`.
    """
    file = None if folder is None else folder / f"{_key(stack, environment, subscription_id)}.json"
    if file is None or (graph := _read(file)) is None:
        graph = _made(stack, environment, folder, subscription_id)
        if file is not None:
            _write(file, graph)
    return graph


def _made(stack: str, environment: Environment, folder: Path | None, subscription_id: str | None) -> Graph:
    # A plan that is found needs none of it.
    from gpufleet.graph import standin  # noqa: PLC0415
    from gpufleet.graph.standin.refusal import NotStoodInError  # noqa: PLC0415

    shapes = None if folder is None else folder / "sdk"
    try:
        return standin.plan(stack, environment, shapes, subscription_id=subscription_id)
    except (Exception, NotStoodInError):  # noqa: BLE001 whatever it is: the SDKs know, and say it in their words
        from gpufleet.graph import offline  # noqa: PLC0415 seconds of imports

        return offline.plan(stack, environment, subscription_id=subscription_id)


def _key(stack: str, environment: Environment, subscription_id: str | None) -> str:
    variables = sorted(item for item in os.environ.items() if item[0].startswith(_VARIABLES))
    said = [stack, subscription_id, environment.model_dump(mode="json", by_alias=True), variables]
    return _digest(f"{_program()}\n{json.dumps(said)}")


@cache
def _program() -> str:
    """A digest of all that turns an environment into a graph."""
    digest = hashlib.sha256(f"{_FORM} {sys.version} {[metadata.version(name) for name in _PACKAGES]}".encode())
    for file in _sources():
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(_ROOT)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for name in _SOURCES:
        path = _ROOT / name
        # os.walk, for pathlib's globs take ten times as long, and every check looks here.
        found = [os.path.join(folder, file) for folder, _, files in os.walk(path) for file in files]  # noqa: PTH118
        for file in sorted(found) or [str(path)]:
            if file.endswith(_SUFFIXES):
                yield Path(file)


def _read(file: Path) -> Graph | None:
    try:
        digest, _, text = file.read_text(encoding="utf-8").partition("\n")
        if digest != _digest(text):
            return None  # damaged: half a graph would be half a price
        graph = Graph(
            Node(**{**node, "properties": _shown(node["properties"]), **_tuples(node)}) for node in json.loads(text)
        )
        os.utime(file)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return graph


def _tuples(node: dict[str, dict[str, list[str]] | list[str]]) -> dict[str, object]:
    by_property = node["property_dependencies"]
    assert isinstance(by_property, dict)
    return {
        "property_dependencies": {key: tuple(urns) for key, urns in by_property.items()},
        "dependencies": tuple(node["dependencies"]),
    }


def _write(file: Path, graph: Graph) -> None:
    text = json.dumps([vars(node) | {"properties": node.properties} for node in graph], default=_hidden)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in sorted(file.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)[: 1 - _MOST]:
            old.unlink(missing_ok=True)
        # Whole or not at all, and for its owner's eyes: it says what an environment consists of. The folder goes with
        # all that is left in it when the disk is full.
        with tempfile.TemporaryDirectory(dir=file.parent) as beside:
            new = Path(beside) / file.name
            new.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
            new.chmod(0o600)
            new.replace(file)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hidden(value: object) -> str:
    if isinstance(value, Hidden):
        return f"{_MASK}{value.name}"
    raise TypeError(type(value).__name__)


def _shown(value: Value) -> Value:
    match value:
        case str() if value.startswith(_MASK):
            return Hidden[value[1:]]
        case dict():
            return {key: _shown(item) for key, item in value.items()}
        case list():
            return [_shown(item) for item in value]
    return value
