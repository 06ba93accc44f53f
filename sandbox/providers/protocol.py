"""The engine's protocol without the SDK that carries it: a provider's start is paid for in every preview.

The generated gRPC modules are part of the package `pulumi`, whose own import is half of a provider's start-up, and
the engine starts one process for each provider of a stack, one after the other.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

# Constants of the wire form (pulumi/pulumi: sdk/python/lib/pulumi/runtime/rpc.py); a test holds them against the SDK.
SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key of a property value that is no plain object: its value says what it is."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 the mark of a secret, not one
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that is not known yet."""

_PACKAGES = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")


@contextmanager
def _bare_packages() -> Iterator[None]:
    """Packages that only lead to their modules. Gone afterwards, so that a later `import pulumi` gets the real one."""
    found = PathFinder.find_spec("pulumi")
    if found is None or not found.submodule_search_locations or "pulumi" in sys.modules:
        yield
        return
    top = Path(found.submodule_search_locations[0])
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(top.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in _PACKAGES:
            del sys.modules[name]


if TYPE_CHECKING:
    from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
else:
    with _bare_packages():
        plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2 = (
            importlib.import_module(f"pulumi.runtime.proto.{name}")
            for name in ("plugin_pb2", "provider_pb2", "provider_pb2_grpc", "status_pb2")
        )

__all__ = [
    "OUTPUT",
    "SECRET",
    "SIGNATURE",
    "UNKNOWN_TEXT",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "status_pb2",
]
