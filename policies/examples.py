"""Examples of every rule: a sample environment, a small change of it, and the verdict. Documentation that is run.

They stand beside the rule, in a YAML file of its name. A change is made in the stack file (`stack`), so that the real
program makes its resources, or, where the program would never do such a thing, in the resources themselves.
"""

from __future__ import annotations

import copy
import fnmatch
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gpufleet.catalog.type_tokens import ENVIRONMENT, plain_type
from gpufleet.graph import UNKNOWN, Graph, Node, offline
from gpufleet.spec import Environment, StackFile, parse_environment
from policies.configuration import LEVEL, configured
from policies.evaluate import Result, Verdict, evaluate
from policies.rule import AnyRule
from policies.view import View

SAMPLES: Final = Path(__file__).parent / "samples"
_PART: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

_KeyPath = tuple[str | int, ...]


def _parsed(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(int(index) if index else name for name, index in _PART.findall(text))


KeyPath = Annotated[_KeyPath, BeforeValidator(_parsed)]
"""Of text such as `training[0].pools[0].nodes.max`."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Edit(_Model):
    """What happens to the resources of a type whose logical name matches."""

    type: str
    """Type token without a version."""
    name: str = "*"
    """Shell pattern for the logical name."""
    set: dict[KeyPath, Any] = {}
    """Properties to set, by path."""
    unknown: list[KeyPath] = []
    """Properties that become outputs of something that is not made yet."""
    remove: list[KeyPath] = []
    retype: str = ""
    """Another type token."""
    protect: bool | None = None
    delete: bool = False


class Addition(_Model):
    """A resource that the program does not make."""

    type: str
    name: str
    parent: str = ""
    """Logical name of its parent; "" for the environment."""
    properties: dict[str, Any] = {}


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


class Example(_Model):
    """One case."""

    title: str
    base: Literal["training", "inference"]
    """The sample environment it starts from: `policies/samples`."""
    stack: dict[KeyPath, Any] = {}
    """Keys of its stack file to set; None takes one away; an index at the end of a list appends."""
    resource: Annotated[list[Edit], BeforeValidator(_as_list)] = []
    add: Annotated[list[Addition], BeforeValidator(_as_list)] = []
    before: Annotated[list[Edit], BeforeValidator(_as_list)] = []
    """For rules that compare: what of the resources was different before. None is compared without it."""
    settings: dict[str, Any] = {}
    verdict: Annotated[Verdict, Field(strict=False)]
    key: str = ""
    """Where in the stack file the finding points."""
    amount: int | float | None = None
    message: str = ""
    """A part of the finding's message."""


def of(rule: AnyRule) -> tuple[Example, ...]:
    """The examples of a rule.

    Raises:
        FileNotFoundError: it has none.
        pydantic.ValidationError: they are malformed.
    """
    return tuple(Example.model_validate(case) for case in written(rule))


@cache
def written(rule: AnyRule) -> list[dict[str, Any]]:
    """The examples of a rule as they stand in its file. Raises FileNotFoundError when it has none."""
    path = Path(inspect.getfile(type(rule))).with_suffix(".yaml")
    cases: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return cases


def run(rule: AnyRule, example: Example) -> Result:
    """What a rule says of an example."""
    entry = configured(rule, {**example.settings, LEVEL: rule.enforcement}, None, example.title)
    (result,) = evaluate(view(example), [rule], {rule.id: entry})
    return result


def view(example: Example) -> View:
    """The stack that an example makes."""
    environment = _environment(example)
    graph = _graph(environment.model_dump_json(by_alias=True), "production" if example.base == "inference" else "lab")
    added = [_added(addition, graph) for addition in example.add]
    nodes = [node for old in (*graph, *added) for node in _edited(old, example.resource)]
    before = Graph(node for old in graph for node in _edited(old, example.before)) if example.before else None
    return View(graph=Graph(nodes), base=before)


def _environment(example: Example) -> Environment:
    content = copy.deepcopy(_sample(example.base))
    for path, value in example.stack.items():
        _put(content, path, value)
    return parse_environment(content)


@cache
def _sample(base: str) -> object:
    return StackFile.read(SAMPLES / f"{base}.yaml").environment


@cache
def _graph(environment: str, stack: str) -> Graph:
    return offline.plan(stack, Environment.model_validate_json(environment))


def _edited(node: Node, edits: list[Edit]) -> Iterator[Node]:
    for edit in edits:
        if plain_type(node.type) != edit.type or not fnmatch.fnmatchcase(node.name, edit.name):
            continue
        if edit.delete:
            return
        properties: Any = copy.deepcopy(dict(node.properties))
        for path, value in [*edit.set.items(), *((path, UNKNOWN) for path in edit.unknown)]:
            _put(properties, path, value)
        for path in edit.remove:
            _put(properties, path, None)
        changed: Mapping[str, Any] = {
            "properties": properties,
            "type": edit.retype or node.type,
            "protect": node.protect if edit.protect is None else edit.protect,
        }
        node = Node(**{**vars(node), **changed})
    yield node


def _added(addition: Addition, graph: Graph) -> Node:
    parent = next(
        node for node in graph if (node.name == addition.parent if addition.parent else node.type == ENVIRONMENT)
    )
    return Node(
        urn=f"{parent.urn.rsplit('::', 1)[0]}${addition.type}::{addition.name}",
        type=addition.type,
        name=addition.name,
        parent=parent.urn,
        custom=True,
        properties=addition.properties,
    )


def _put(content: Any, path: _KeyPath, value: object) -> None:  # noqa: ANN401 plain YAML
    *above, last = path
    for part in above:
        content = content.setdefault(part, {}) if isinstance(content, dict) else content[part]
    if value is None:
        del content[last]
    elif isinstance(content, list) and last == len(content):
        content.append(value)
    else:
        content[last] = value
