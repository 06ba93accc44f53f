"""A constructor of an SDK's class, understood statement by statement."""

from __future__ import annotations

import ast
from typing import Final

from gpufleet.graph.standin.shapes import Constant

_OPTIONS: Final = frozenset({"opts", "alias_opts", "replace_on_changes", "secret_opts"})
"""Of no effect on what a plan holds: aliases, versions, which changes replace, what the engine is to keep secret."""
_FROM_ENVIRONMENT: Final = frozenset({"_utilities.get_env", "_utilities.get_env_bool"})
_AS_JSON: Final = "pulumi.Output.from_input({0}).apply(pulumi.runtime.to_json) if {0} is not None else None"
_AS_SECRET: Final = "None if {0} is None else pulumi.Output.secret({0})"  # noqa: S105 code of the SDK
_NOT_PARAMETERS: Final = frozenset({"__self__", "resource_name", "opts", "__props__"})


class Constructor:
    """What `__init__` of a class of arguments, or `_internal_init` of a class of resources, does.

    Attributes:
        arguments: of a resource: the class that its properties are named by.
        token: of a resource: the type token.
        parameters: names, but for those that every resource has.
        required: those that may not be None.
        properties: the property that a parameter becomes, where it becomes one.
        constants: properties that are always sent.
        defaults: what stands in for None.
        replaced: what is sent in place of what is given.
        as_json: parameters that are sent as JSON text.
        secret: parameters that are made secrets.
        environment: variables that a parameter's value comes from when it is None.
        refused: parameters that do something else too, and what.

    Raises:
        ValueError: a statement is not of a form that is known.
    """

    def __init__(self, tree: ast.FunctionDef) -> None:
        self.arguments = ""
        self.token = ""
        self.required: set[str] = set()
        self.properties: dict[str, str] = {}
        self.constants: dict[str, Constant] = {}
        self.defaults: dict[str, Constant] = {}
        self.replaced: dict[str, Constant] = {}
        self.as_json: set[str] = set()
        self.secret: set[str] = set()
        self.environment: dict[str, list[str]] = {}
        self.refused: dict[str, str] = {}
        every = [*tree.args.args, *tree.args.kwonlyargs]
        self.parameters = [argument.arg for argument in every if argument.arg not in _NOT_PARAMETERS]
        for argument, default in zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True):
            if default is None:
                self.required.add(argument.arg)
        for statement in tree.body:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Expr(value=ast.Constant()):
                pass  # documentation
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="__init__"), args=[token, *_])):
                self.token = _token(token)
            case ast.Expr(value=ast.Call() as call):
                self._set(call, None)
            case ast.If(test=test, body=body, orelse=[]):
                self._condition(ast.unparse(test), body)
            case ast.Assign(targets=[ast.Name(id=name)]) if name in _OPTIONS:
                pass
            case ast.Assign(targets=[target], value=value):
                self._assignment(target, value)
            case _:
                raise _unknown(statement)

    def _condition(self, test: str, body: list[ast.stmt]) -> None:
        name, _, rest = test.partition(" ")
        if test in {"opts is None", "opts.version is None", "not isinstance(opts, pulumi.ResourceOptions)"}:
            return
        if test == "opts.id is None":
            for statement in body:
                self._statement(statement)
        elif name == "__props__" and isinstance(body[0], ast.Raise):
            pass
        elif name in self.parameters and rest == "is None and (not opts.urn)" and isinstance(body[0], ast.Raise):
            self.required.add(name)
        elif name in self.parameters and rest == "is None" and len(body) == 1:
            self._default(name, body[0])
        elif name in self.parameters and rest == "is not None":
            self._given(name, body)
        else:
            raise ValueError(f"`if {test}` is not of a form that is known")

    def _default(self, name: str, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Constant(value=value)) if target == name:
                self.defaults[name] = _constant(value)
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call(func=function, args=args, keywords=[])) if (
                target == name and ast.unparse(function) in _FROM_ENVIRONMENT
            ):
                self.environment[name] = [str(ast.literal_eval(argument)) for argument in args]
            case _:
                raise _unknown(statement)

    def _given(self, name: str, body: list[ast.stmt]) -> None:
        match body:
            case [ast.Expr(value=ast.Call() as call)] if ast.unparse(call.func) == "pulumi.set":
                self._set(call, name)
            case _:
                self.refused[name] = "the SDK warns of it"

    def _set(self, call: ast.Call, condition: str | None) -> None:
        """`pulumi.set(__self__, "name", name)`."""
        match call:
            case ast.Call(args=[ast.Name(id="__self__"), ast.Constant(value=str(key)), ast.Name(id=name)]) if (
                ast.unparse(call.func) == "pulumi.set" and key in self.parameters and name == key
            ):
                pass
            case ast.Call(args=[ast.Name(id="__self__"), ast.Constant(value=str(key)), ast.Constant(value=value)]) if (
                ast.unparse(call.func) == "pulumi.set" and condition in {None, key}
            ):
                self.replaced[key] = _constant(value)
            case _:
                raise _unknown(call)

    def _assignment(self, target: ast.expr, value: ast.expr) -> None:
        """`__props__.__dict__["name"] = name`, with what may be done to the value."""
        if ast.unparse(target) == "__props__":
            self.arguments = ast.unparse(value).partition(".")[0]
            return
        match target:
            case ast.Subscript(value=ast.Attribute(attr="__dict__"), slice=ast.Constant(value=str(key))):
                self._property(key, value)
            case _:
                raise _unknown(target)

    def _property(self, key: str, value: ast.expr) -> None:
        text = ast.unparse(value)
        match value:
            case ast.Constant(value=None):
                return  # an output
            case ast.Constant(value=constant):
                self.constants[key] = _constant(constant)
                return
            case ast.Name(id=name):
                pass
            case ast.IfExp(test=ast.Compare(left=ast.Name(id=name))):
                if text == _AS_JSON.format(name):
                    self.as_json.add(name)
                elif text == _AS_SECRET.format(name):
                    self.secret.add(name)
                else:
                    raise _unknown(value)
            case _:
                raise _unknown(value)
        if name not in self.parameters:
            raise _unknown(value)
        self.properties[name] = key


def _constant(value: object) -> Constant:
    if isinstance(value, str | int | float):
        return value
    raise ValueError(f"{value!r} is no constant that is known")


def _token(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(token)):
            return token
        case ast.JoinedStr(values=values):
            return "".join(_token_part(value) for value in values)
    raise _unknown(node)


def _token_part(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None):
            return f"{{{name}}}"
    raise _unknown(node)


def _unknown(node: ast.AST) -> ValueError:
    return ValueError(f"`{ast.unparse(node)[:80]}` is not of a form that is known")
