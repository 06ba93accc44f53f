"""Shapes read out of the SDKs' own source files, which are generated and so all of one form.

Read, not imported: a package of the SDK takes longer to import than a plan may take. A constructor is understood
statement by statement; one with a statement of any other form is refused, never guessed at.
"""

from __future__ import annotations

import ast
import re
import textwrap
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from components.lazy_sdk import likely_first, star_imports
from gpufleet.graph.standin.constructors import Constructor
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.graph.standin.shapes import (
    ANY,
    ArgumentsType,
    Enumeration,
    Function,
    Parameter,
    ResourceType,
    Shape,
    SubPackage,
)
from gpufleet.graph.standin.types import parsed

_GETTER: Final = re.compile(
    r"@pulumi\.getter(?:\(name=\"(?P<wire>\w+)\"\))?\n"
    r"(?:(?!    def ).*\n)*?"  # other decorators
    r"    def (?P<python>\w+)\(self\)(?: -> (?P<type>.*))?:\n"
)
_RESULT: Final = re.compile(r"typ=(\w+)")
_TOP_LEVEL: Final = re.compile(r"^(?=\S)", re.MULTILINE)


def read(package: str, name: str) -> Shape:
    """The shape of a name in a package.

    Raises:
        NotStoodInError: there is none, or it is not of a form that is understood.
    """
    if (_folder(f"{package}.{name}") / "__init__.py").is_file():
        return SubPackage()
    try:
        defined = _definition(package, name)
    except OSError:
        defined = None
    if defined is None:
        raise NotStoodInError(f"{package}.{name}: not found in the SDK's sources")
    text, content = defined
    try:
        return _shape(text, content)
    except (SyntaxError, ValueError, LookupError, AttributeError) as error:
        raise NotStoodInError(f"{package}.{name}: {error}") from None


def _shape(text: str, content: str) -> Shape:
    if text.startswith("def "):
        return _function(text, content)
    bases = text.partition(":")[0]
    if "Enum)" in bases:
        return _enumeration(text)
    if "(pulumi.CustomResource)" in bases or "(pulumi.ProviderResource)" in bases:
        return _resource(text, content, provider="ProviderResource" in bases)
    if "(" in bases:
        raise ValueError(f"`{bases}` is neither arguments, a resource nor an enumeration")
    return _arguments(text)


def _arguments(text: str) -> ArgumentsType:
    wires = _getters(text)
    constructor = Constructor(_method(text, "__init__"))
    return ArgumentsType(
        parameters={name: _parameter(constructor, name, wires) for name in constructor.parameters if name in wires}
    )


def _resource(text: str, content: str, *, provider: bool) -> ResourceType:
    constructor = Constructor(_method(text, "_internal_init"))
    arguments = _top_level(content, f"class {constructor.arguments}:")
    wires = _getters(arguments)
    outputs = {python: wire for python, (wire, _) in _getters(text).items()}
    return ResourceType(
        token=constructor.token,
        provider=provider,
        parameters={
            name: _parameter(constructor, name, wires)
            for name in constructor.parameters
            if name in constructor.properties
        },
        constants={
            wires[name][0] if name in wires else outputs[name]: value for name, value in constructor.constants.items()
        },
        outputs=outputs,
    )


def _parameter(constructor: Constructor, name: str, wires: dict[str, tuple[str, str]]) -> Parameter:
    wire, annotation = wires[constructor.properties.get(name, name)]
    return Parameter(
        wire=wire,
        type=parsed(annotation) if annotation else ANY,
        required=name in constructor.required,
        default=constructor.defaults.get(name),
        constant=constructor.replaced.get(name),
        as_json=name in constructor.as_json,
        secret=name in constructor.secret,
        environment=tuple(constructor.environment.get(name, ())),
        refused=constructor.refused.get(name, ""),
    )


def _function(text: str, content: str) -> Function:
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.FunctionDef)
    tokens = re.findall(r"pulumi\.runtime\.invoke_output\('([^']+)'", text)
    result = _RESULT.search(text)
    if len(tokens) != 1 or result is None:
        raise ValueError("it is not a call of a provider's function")
    return Function(
        token=tokens[0],
        parameters=[argument.arg for argument in tree.args.args if argument.arg != "opts"],
        results={python: wire for python, (wire, _) in _getters(_top_level(content, f"class {result[1]}:")).items()},
    )


def _enumeration(text: str) -> Enumeration:
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.ClassDef)
    if not ast.unparse(tree.bases[0]).endswith("str"):
        raise ValueError("its values are not text")
    members: dict[str, str] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(value))):
                members[name] = value
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                raise ValueError(f"line {statement.lineno} is no member")
    return Enumeration(members=members)


def _getters(text: str) -> dict[str, tuple[str, str]]:
    """The provider's name and the annotation of each property, by its name in Python."""
    return {
        found["python"]: (found["wire"] or found["python"], found["type"] or "") for found in _GETTER.finditer(text)
    }


def _method(text: str, name: str) -> ast.FunctionDef:
    start = text.index(f"    def {name}(")
    # A method ends where the next one, or its decorator, begins.
    end = re.compile(r"^    (?:@|def )", re.MULTILINE).search(text, start + 4)
    tree = ast.parse(textwrap.dedent(text[start : end.start() if end else None])).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _definition(package: str, name: str) -> tuple[str, str] | None:
    """The text that defines a name, and that of its whole module."""
    for module in likely_first(_modules(package), name):
        content = _text(_folder(package) / f"{module}.py")
        for start in (f"class {name}:", f"class {name}(", f"def {name}("):
            if f"\n{start}" in content:
                return _top_level(content, start), content
    return None


def _top_level(content: str, start: str) -> str:
    """The class or function that starts with a text."""
    at = content.rindex(f"\n{start}") + 1  # the last one holds
    first_line = content.index("\n", at)
    end = _TOP_LEVEL.search(content, first_line + 1)
    return content[at : end.start() if end else None]


@cache
def _modules(package: str) -> list[str]:
    return star_imports(_text(_folder(package) / "__init__.py"))


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def _folder(name: str) -> Path:
    root, *rest = name.split(".")
    spec = PathFinder.find_spec(root)
    if spec is None or not spec.submodule_search_locations:
        raise NotStoodInError(f"{root} is not installed")
    return Path(spec.submodule_search_locations[0], *rest)
