"""Changes to a stack file as a patch that touches nothing else: comments, spacing and anchors stay as they are."""

from __future__ import annotations

import copy
import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gpufleet.sizing.advice import Change
from gpufleet.sizing.numbers import SizingError
from gpufleet.spec.problem import key_text
from gpufleet.spec.stack_file import ENVIRONMENT_KEY, StackFile

_PLAIN = re.compile(r"^[A-Za-z][A-Za-z0-9_-]*$")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True)
class _Edit:
    """Text from `start` to `end` (offsets) becomes `text`."""

    start: int
    end: int
    text: str


def patched(text: str, changes: Sequence[Change], *, name: str) -> str:
    """A stack file's text with the changes made.

    Args:
        text: the file.
        changes: values to set; an index equal to a list's length appends to it.
        name: the file as messages show it.

    Raises:
        SizingError: a change can't be written without touching another value (an anchor, a merge key) or in this layout
            (a list on one line); the text says what to do by hand.
        SpecError: the text is not a stack file.
    """
    before = StackFile.from_text(text, name=name).environment
    # What follows a `\r\n` must keep it; ruamel's positions count characters of the text as it is.
    root = YAML(typ="rt").compose(text)
    edits = [_edit(text, _environment(root), change) for change in changes]
    result = text
    # Appends to one list share a place: the last one goes in first.
    for _, edit in sorted(enumerate(edits), key=lambda one: (one[1].start, one[0]), reverse=True):
        result = result[: edit.start] + edit.text + result[edit.end :]
    after = StackFile.from_text(result, name=name)
    if after.environment != _expected(before, changes):
        raise SizingError(
            f"{name}: the changes can't be made without others: an anchor or a merge key shares a value",
            hint="Make them by hand:\n" + "\n".join(_by_hand(changes)),
        )
    return result


def unified(before: str, after: str, *, name: str) -> str:
    """The difference as a unified diff that `git apply` and `patch -p1` take; empty when there is none."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _environment(root: Node | None) -> Node:
    node = root
    for key in ("config", ENVIRONMENT_KEY):
        node = _member(node, key)
    if node is None:  # pragma: no cover - StackFile has read it already
        raise SizingError("the file has no environment")
    return node


def _member(node: Node | None, key: str | int) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(key, int):
        return node.value[key] if key < len(node.value) else None
    if isinstance(node, MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


def _edit(text: str, environment: Node, change: Change) -> _Edit:
    node: Node | None = environment
    for key in change.path[:-1]:
        node = _member(node, key)
    target = _member(node, change.path[-1])
    if isinstance(target, ScalarNode):
        return _Edit(target.start_mark.index, target.end_mark.index, _flow(change.value))
    if target is None and isinstance(node, SequenceNode) and isinstance(change.path[-1], int):
        return _append(text, node, change)
    raise SizingError(f"{key_text(change.path)} can't be set in place in this file", hint="\n".join(_by_hand([change])))


def _append(text: str, node: SequenceNode, change: Change) -> _Edit:
    if node.flow_style or not node.value:
        raise SizingError(
            f"{key_text(change.path[:-1])} is a list on one line, to which nothing can be added in place",
            hint="Write it with one item a line, or add by hand:\n" + "\n".join(_by_hand([change])),
        )
    end = _last(node)
    # After the last value's own line, with whatever comment stands there.
    newline = text.find("\n", end)
    at = len(text) if newline < 0 else newline + 1
    ending = "\r\n" if newline > 0 and text[newline - 1] == "\r" else "\n"
    lines = _block(change.value, node.start_mark.column)
    lead = ending if newline < 0 else ""
    return _Edit(at, at, lead + "".join(line + ending for line in lines))


def _last(node: Node) -> int:
    """Offset of the end of a node's last scalar: a block's own end mark lies after comments that follow it."""
    if isinstance(node, ScalarNode) or getattr(node, "flow_style", False) or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _last(last[1] if isinstance(last, tuple) else last)


def _block(value: object, column: int) -> Iterator[str]:
    """A list item in block form: `- key: value`, inner mappings on one line."""
    pad = " " * column
    if not isinstance(value, dict) or not any(isinstance(inner, list) and inner for inner in value.values()):
        yield f"{pad}- {_flow(value)}"
        return
    first = True
    for key, inner in value.items():
        lead = f"{pad}- " if first else f"{pad}  "
        first = False
        if isinstance(inner, list) and inner:
            yield f"{lead}{key}:"
            for item in inner:
                yield f"{pad}    - {_flow(item)}"
        else:
            yield f"{lead}{key}: {_flow(inner)}"


def _flow(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + " }"
        case list():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case str():
            return value if _PLAIN.match(value) and value.casefold() not in _WORDS else json.dumps(value)
    return json.dumps(value)


def _expected(before: object, changes: Sequence[Change]) -> object:
    after = copy.deepcopy(before)
    for change in changes:
        inner: Any = after
        for key in change.path[:-1]:
            inner = inner[key]
        if isinstance(inner, list) and change.path[-1] == len(inner):
            inner.append(change.value)
        else:
            inner[change.path[-1]] = change.value
    return after


def _by_hand(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        yield f"  {key_text(change.path)}: {_flow(change.value)}"
