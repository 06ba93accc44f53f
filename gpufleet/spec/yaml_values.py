"""From YAML nodes to plain values, with the position of each.

Anchors, aliases and merge keys are followed; what Pulumi's Go reader would read otherwise than a person does is a
problem.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gpufleet.spec.base import Path
from gpufleet.spec.problem import Problem, SpecError, quoted

Position = tuple[int, int]
"""Line and column, both from 1."""

DEEPEST: Final = 40
MOST_VALUES: Final = 100_000
"""Aliases of aliases can unfold a small file into billions of values."""

_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = (f"{_TAG}map", f"{_TAG}seq")
_SCALAR_TAGS: Final = frozenset({"str", "merge", "null", "bool", "int", "float", "timestamp"})
_DATE: Final = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_LEADING_ZERO: Final = re.compile(r"^[-+]?0[0-9_]+$")


def position_of(node: Node) -> Position:
    """Where a node starts."""
    return node.start_mark.line + 1, node.start_mark.column + 1


class Values:
    """Builds plain values and remembers where they stood."""

    def __init__(self, file: str) -> None:
        self.positions: dict[Path, tuple[Position, Position]] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._count = 0
        self._open: set[int] = set()

    def build(self, entry: tuple[Node, Node]) -> object:
        """The value of a key and its node; positions are relative to it. SpecError when it unfolds without end."""
        return self._value(entry[1], (), position_of(entry[0]))

    def _value(self, node: Node, path: Path, key: Position) -> object:
        self.positions[path] = (key, position_of(node))
        self._count += 1
        if self._count > MOST_VALUES:
            raise SpecError([self._problem(path, f"unfolds to more than {MOST_VALUES:,} values", "Use fewer aliases")])
        if len(path) > DEEPEST:
            raise SpecError([self._problem(path[:DEEPEST], "is nested too deeply", "")])
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise SpecError([self._problem(path, "is an alias that contains itself", "Write the value out")])
        self._open.add(id(node))
        if str(node.tag) not in _PLAIN_TAGS:
            self._unknown_tag(node, path)
        try:
            if isinstance(node, SequenceNode):
                return [self._value(item, (*path, index), position_of(item)) for index, item in enumerate(node.value)]
            return self._mapping(node, path) if isinstance(node, MappingNode) else None
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        own: dict[str, tuple[Node, Node]] = {}
        merged: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._add(path, "has a key that is not plain text", "Write keys as words", key)
            elif _tag(key) == "merge":
                self._merge(value, merged, path)
            elif key.value in own:
                first = position_of(own[key.value][0])[0]
                self._add((*path, key.value), f"stands twice; the first is on line {first}", "Keep one", key)
            else:
                own[key.value] = (key, value)
        if set(own) == {"secure"} and not merged:
            fix = "Write it in plain text: an environment holds no secret, and checks must be able to read it"
            self._add(path, "is an encrypted value (`secure:`)", fix, own["secure"][0])
        everything = {**merged, **own}
        return {name: self._value(value, (*path, name), position_of(key)) for name, (key, value) in everything.items()}

    def _merge(self, node: Node, into: dict[str, tuple[Node, Node]], path: Path) -> None:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                self._add(path, "merges (`<<`) something that is not a block of keys", "Point it at one", node)
                continue
            if id(source) in self._open:
                raise SpecError([self._problem(path, "is an alias that contains itself", "Write the value out")])
            for key, value in source.value:
                if isinstance(key, ScalarNode) and _tag(key) == "merge":
                    self._open.add(id(source))
                    self._merge(value, into, path)
                    self._open.discard(id(source))
                elif isinstance(key, ScalarNode):
                    into.setdefault(key.value, (key, value))

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        text, tag = str(node.value), _tag(node)
        if tag not in _SCALAR_TAGS:
            self._unknown_tag(node, path)
            return text
        if tag == "int" and _LEADING_ZERO.match(text):
            message = f"{text} has a leading zero, which Pulumi reads as octal"
            self._add(path, message, "Leave the zero out", node)
        try:
            return _scalar_value(tag, text)
        except ValueError:
            self._add(path, f"{quoted(text)} is not a valid {tag}", "", node)
            return None

    def _unknown_tag(self, node: Node, path: Path) -> None:
        message = f"has the YAML tag {quoted(str(node.tag))}, which a stack file has no use for"
        self._add(path, message, "Remove the tag", node)

    def _add(self, path: Path, message: str, fix: str, node: Node) -> None:
        line, column = position_of(node)
        self.problems.append(Problem(path=path, message=message, fix=fix, file=self._file, line=line, column=column))

    def _problem(self, path: Path, message: str, fix: str) -> Problem:
        line, column = self.positions.get(path, ((1, 1), (1, 1)))[1]
        return Problem(path=path, message=message, fix=fix, file=self._file, line=line, column=column)


def _scalar_value(tag: str, text: str) -> object:
    """The value of a scalar, as yaml.v3 has it. Raises ValueError when the text does not fit the tag."""
    match tag:
        case "null":
            return None
        case "bool":
            return text.casefold() == "true"
        case "int":
            base = {"0x": 16, "0o": 8, "0b": 2}.get(text.lstrip("+-")[:2].casefold(), 10)
            return int(text.replace("_", ""), base)
        case "float":
            return float(text.casefold().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        case "timestamp" if _DATE.match(text):
            # Pulumi hands a date on as a time in UTC; only a plain date is the same day for everyone.
            return dt.date.fromisoformat(text)
    return text


def _tag(node: Node) -> str:
    return str(node.tag).removeprefix(_TAG)
