"""From YAML nodes to plain values, with the position of each.

Anchors, aliases and merge keys are followed. A plain scalar is what Pulumi's Go reader makes of it (yaml_scalars.py);
where that is not what a person means by it, or where the two readers differ, it is a problem.
"""

from __future__ import annotations

import re
from types import NoneType
from typing import Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.tag import Tag

from gpufleet.spec.base import Path
from gpufleet.spec.problem import Problem, SpecError, quoted
from gpufleet.spec.yaml_scalars import MERGE, plain_value

Position = tuple[int, int]
"""Line and column, both from 1."""

DEEPEST: Final = 40
MOST_VALUES: Final = 100_000
"""Aliases of aliases can unfold a small file into billions of values."""

PLAIN: Final = Tag(suffix="plain")
"""The tag, compared by identity, of a scalar without quotes and without a tag of its own."""
UNTAGGED: Final = Tag(suffix="untagged")
"""That of a quoted scalar, a mapping or a sequence without a tag of its own."""

_LEADING_ZERO: Final = re.compile(r"^[-+]?0[0-9_]+$")
_KINDS: Final = {bool: "true or false", int: "a number", float: "a number", NoneType: "nothing"}


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
        self._told: set[tuple[int, int, str]] = set()

    def build(self, entry: tuple[Node, Node]) -> object:
        """The value of a key and its node; positions are relative to it. SpecError when it unfolds without end."""
        return self._value(entry[1], (), position_of(entry[0]))

    def _value(self, node: Node, path: Path, key: Position) -> object:
        self.positions[path] = (key, position_of(node))
        self._counted(path)
        if len(path) > DEEPEST:
            raise SpecError([self._problem(path[:DEEPEST], "is nested too deeply", "")])
        if node.ctag is not PLAIN and node.ctag is not UNTAGGED:
            message = f"has the YAML tag {quoted(str(node.tag))}, which a stack file has no use for"
            self._add(path, message, "Remove the tag", node)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise SpecError([self._problem(path, "is an alias that contains itself", "Write the value out")])
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self._value(item, (*path, index), position_of(item)) for index, item in enumerate(node.value)]
            return self._mapping(node, path) if isinstance(node, MappingNode) else None
        finally:
            self._open.discard(id(node))

    def _counted(self, path: Path) -> None:
        self._count += 1
        if self._count > MOST_VALUES:
            raise SpecError([self._problem(path, f"unfolds to more than {MOST_VALUES:,} values", "Use fewer aliases")])

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        entries = self._entries(node, path)
        if set(entries) == {"secure"}:
            fix = "Write it in plain text: an environment holds no secret, and checks must be able to read it"
            self._add(path, "is an encrypted value (`secure:`)", fix, entries["secure"][0])
        return {name: self._value(value, (*path, name), position_of(key)) for name, (key, value) in entries.items()}

    def _entries(self, node: MappingNode, path: Path) -> dict[str, tuple[Node, Node]]:
        """The keys and values of a block, its own before merged ones."""
        self._counted(path)
        own: dict[str, tuple[Node, Node]] = {}
        merged: dict[str, tuple[Node, Node]] = {}
        merges = 0
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._add(path, "has a key that is not plain text", "Write keys as words", key)
            elif key.value == MERGE:
                if key.ctag is not PLAIN or merges:  # to yaml.v3 a quoted one merges too, and a second is a duplicate
                    self._add(path, "has a second or a quoted merge key (`<<`)", "Keep one, without quotes", key)
                merges += 1
                self._merge(value, merged, path)
            elif key.value in own:
                first = position_of(own[key.value][0])[0]
                self._add((*path, key.value), f"stands twice; the first is on line {first}", "Keep one", key)
            elif self._is_name(key, path):
                own[key.value] = (key, value)
        return {**merged, **own}

    def _is_name(self, key: ScalarNode, path: Path) -> bool:
        """Whether Pulumi reads a key as the text that stands there; else a problem."""
        if key.ctag is not PLAIN and key.ctag is not UNTAGGED:
            self._add(path, f"has the YAML tag {quoted(str(key.tag))} on a key", "Remove the tag", key)
            return False
        if key.ctag is not PLAIN or isinstance(value := _plain(key.value), str):
            return True
        kind = _KINDS.get(type(value), "a date")
        self._add(path, f"has the key {quoted(key.value)}, which YAML reads as {kind}", "Put the key in quotes", key)
        return False

    def _merge(self, node: Node, into: dict[str, tuple[Node, Node]], path: Path) -> None:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                self._add(path, "merges (`<<`) something that is not a block of keys", "Point it at one", node)
                continue
            if id(source) in self._open:
                raise SpecError([self._problem(path, "is an alias that contains itself", "Write the value out")])
            self._open.add(id(source))
            for name, entry in self._entries(source, path).items():
                into.setdefault(name, entry)
            self._open.discard(id(source))

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        text = str(node.value)
        if node.ctag is not PLAIN:
            return text
        if _LEADING_ZERO.match(text):
            message = f"{quoted(text)} has a leading zero, which Pulumi reads as octal"
            self._add(path, message, "Leave the zero out, or put it in quotes if it is text", node)
        try:
            return plain_value(text)
        except ValueError:
            self._add(path, f"{quoted(text)} is not a valid date", "", node)
            return None

    def _add(self, path: Path, message: str, fix: str, node: Node) -> None:
        line, column = position_of(node)
        if (line, column, message) in self._told:  # an alias leads to the same place again
            return
        self._told.add((line, column, message))
        self.problems.append(Problem(path=path, message=message, fix=fix, file=self._file, line=line, column=column))

    def _problem(self, path: Path, message: str, fix: str) -> Problem:
        line, column = self.positions.get(path, ((1, 1), (1, 1)))[1]
        return Problem(path=path, message=message, fix=fix, file=self._file, line=line, column=column)


def _plain(text: str) -> object:
    try:
        return plain_value(text)
    except ValueError:
        return None
