"""The program's own modules once more, importing stand-ins where they import SDKs."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from gpufleet.graph.standin import outputs, resources
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.graph.standin.sdk import PACKAGES, Package, Untyped
from gpufleet.graph.standin.shapes import Shapes

_PROGRAM: Final = "components"
_FOLDER: Final = Path(__file__).parents[3] / _PROGRAM
_PREFIX: Final = "gpufleet.graph.standin.program"
"""Of the copies' names. They must be among the loaded modules: dataclasses and pydantic look names up there."""


class Program:
    """The package `components`, loaded apart from the one that the engine runs.

    Import statements in it go through a function of its own, so nothing outside of it ever sees a stand-in.

    Args:
        shapes: of the SDKs' classes.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._modules: dict[str, ModuleType] = {"pulumi": _pulumi()}
        self._modules |= {name: Package(name, shapes) for name in PACKAGES}
        # What the real one does when it is imported is about the SDKs.
        self._modules[_PROGRAM] = ModuleType(f"{_PREFIX}.{_PROGRAM}")
        self._builtins = {**vars(builtins), "__import__": self._import}

    def module(self, name: str) -> ModuleType:
        """A module of the program by its full name, `components.program`."""
        if name not in self._modules:
            self._modules[name] = self._load(name)
        return self._modules[name]

    def _load(self, name: str) -> ModuleType:
        file = Path(_FOLDER, *name.split(".")[1:]).with_suffix(".py")
        module = ModuleType(f"{_PREFIX}.{name}")
        module.__file__ = str(file)
        vars(module)["__builtins__"] = self._builtins
        sys.modules[module.__name__] = self._modules[name] = module
        code = SourceFileLoader(name, str(file)).get_code(name)
        if code is None:
            raise NotStoodInError(f"{name} has no code")
        exec(code, vars(module))  # noqa: S102 the program's own code
        return module

    def _import(
        self,
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:  # noqa: ANN401 as builtins.__import__
        if level:
            raise NotStoodInError(f"a relative import of {name!r}")
        root = name.partition(".")[0]
        if root == _PROGRAM:
            for inner in (fromlist or ()) if name == _PROGRAM else ():
                setattr(self.module(_PROGRAM), inner, self.module(f"{_PROGRAM}.{inner}"))
            return self.module(name)
        if root in self._modules:
            if name != root:
                raise NotStoodInError(f"an import of {name}")
            return self._modules[name]
        return builtins.__import__(name, globals_, locals_, fromlist or (), level)


def _pulumi() -> ModuleType:
    module = ModuleType("pulumi")
    for kind in (
        outputs.Output,
        resources.Alias,
        resources.ComponentResource,
        resources.CustomTimeouts,
        resources.InvokeOutputOptions,
        resources.ProviderResource,
        resources.Resource,
        resources.ResourceOptions,
    ):
        setattr(module, kind.__name__, kind)
    vars(module)["CustomResource"] = Untyped
    return module
