"""Loads of the provider SDKs only the modules that are used.

Each SDK package, such as `pulumi_azure_native.network`, imports all its modules at once: 290 for its seven types that
we use. That is a fifth of the time of a preview of the largest environment, and of every other run's start. Here the
package's own star imports are put off until a name asks for one of them; what a name resolves to stays the same.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Container, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

# The packages that hold the resource types. Those above them are lazy by the SDK's own means, or small.
_PACKAGES = re.compile(r"pulumi_azure_native\.[a-z]+|pulumi_kubernetes\.[a-z]+\.v\d[a-z0-9]*")
_STAR_IMPORT = re.compile(r"^from \.(\w+) import \*$", re.MULTILINE)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def install() -> None:
    """Make the SDK packages that are imported from now on lazy. Calling it again changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _PACKAGES.fullmatch(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.submodule_search_locations is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        spec.loader = _PutOff(spec.loader)
        return spec


class _PutOff(Loader):
    """Loads a package without its star imports."""

    def __init__(self, loader: SourceFileLoader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        source = self._loader.get_data(self._loader.path).decode()
        vars(module)["_star_imports"] = star_imports(source)
        rest = _STAR_IMPORT.sub("", source)
        exec(compile(rest, self._loader.path, "exec"), vars(module))  # noqa: S102 the package's own code
        # Not at creation: the SDK's own lazy loader turns the module into a plain one before this.
        module.__class__ = _Package


class _Package(ModuleType):
    """A package that imports the module that defines a name when the name is asked for."""

    _star_imports: Sequence[str] = ()

    def __getattr__(self, name: str) -> object:
        if not name.startswith("_"):
            for candidate in likely_first(self._star_imports, name):
                module = importlib.import_module(f"{self.__name__}.{candidate}")
                if name in _exported(module):
                    found: object = getattr(module, name)
                    setattr(self, name, found)
                    return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        # Importing a module binds it to its name in the package, where a star import then puts what is in it under that
        # same name: the function `get_subnet` over the module, the class `Namespace` over the module.
        if isinstance(value, ModuleType) and name in _exported(value):
            value = getattr(value, name)
        super().__setattr__(name, value)


def star_imports(source: str) -> list[str]:
    """The modules that a package of the SDK imports all names of, in order."""
    return _STAR_IMPORT.findall(source)


def likely_first(modules: Sequence[str], name: str) -> Iterator[str]:
    """The star imports of a package, in an order in which the first that has the name is the one that it stands for."""
    # A class and its arguments stand in a module of their name, functions too (`get_x` with `get_x_output`). From
    # the end, for of two star imports of one name the later one holds (`SubnetArgs` of `subnet` and of `_inputs`).
    stem = name.removesuffix("Args").removesuffix("_output")
    likely = {stem, _WORD.sub("_", stem).lower(), "_enums", "_inputs"}
    last_first = modules[::-1]
    yield from (module for module in last_first if module in likely)
    yield from (module for module in last_first if module not in likely)


def _exported(module: ModuleType) -> Container[str]:
    """The names that a star import takes."""
    listed: Container[str] | None = getattr(module, "__all__", None)
    return [name for name in vars(module) if not name.startswith("_")] if listed is None else listed
