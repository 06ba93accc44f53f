"""`offline.plan` without the SDKs, for programs that ask of them no more than the stand-ins know."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from gpufleet.graph.model import Graph
from gpufleet.graph.standin.program import Program
from gpufleet.graph.standin.resources import Run
from gpufleet.graph.standin.shapes import Shapes
from gpufleet.spec import Environment

PROJECT: Final = "gpufleet"

_SDKS: Final = ("pulumi", "pulumi-azure-native", "pulumi-kubernetes")


def plan(
    stack: str, environment: Environment, folder: Path | None = None, *, subscription_id: str | None = None
) -> Graph:
    """The graph that `offline.plan` makes.

    Args:
        stack: see `offline.plan`.
        environment: see `offline.plan`.
        folder: where shapes of the SDKs' classes are kept; None to read them out of the SDKs' sources anew.
        subscription_id: see `offline.plan`.

    Raises:
        NotStoodInError: the program asks for more than the stand-ins know.
        Exception: of any kind, for the same reason or because the program is wrong. `offline.plan` tells.
    """
    shapes = Shapes.read(None if folder is None else folder / _file_name(_SDKS))
    build = Program(shapes).module("components.program").build
    with Run(stack, PROJECT, subscription_id) as run:
        build(stack, environment)
        graph = run.graph()
    shapes.write()
    return graph


def _file_name(packages: Sequence[str]) -> str:
    return "-".join(metadata.version(name) for name in packages) + ".json"
