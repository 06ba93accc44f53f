"""A Pulumi stack file: its environment as plain values, and where in the file each of them stands."""

from __future__ import annotations

import pathlib
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Path
from gpufleet.spec.problem import Problem, SpecError, quoted
from gpufleet.spec.yaml_syntax import compose
from gpufleet.spec.yaml_values import Position, Values, position_of

ENVIRONMENT_KEY: Final = "gpufleet:environment"
LARGEST_FILE: Final = 256 * 1024
"""Bytes. The largest real environment is a few thousand lines; more is a mistake, and takes its time to read."""

# pulumi: sdk/go/common/workspace/project.go, type ProjectStack.
_TEXT_KEYS: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")
_STACK_KEYS: Final = (*_TEXT_KEYS, "config", "environment")
# pulumi: sdk/go/common/resource/config/key.go, ParseKey; the form with `config` in the middle is an old one.
_CONFIG_KEY: Final = re.compile(r"([^:]+):(?:config:)?([^:]+)")


@dataclass(frozen=True)
class StackFile:
    """A stack file as read: whatever it says, right or wrong."""

    name: str
    """As messages show it, such as `stacks/Pulumi.dev.yaml`."""
    environment: object
    """The value of `gpufleet:environment`: mappings, lists, text, numbers, booleans, dates, None."""
    positions: dict[Path, tuple[Position, Position]]
    """Of every value inside the environment: where its key and where the value itself starts."""
    problems: tuple[Problem, ...]
    """What is wrong with the file that the environment's models can't see, such as a key given twice."""

    @classmethod
    def read(cls, path: pathlib.Path | str, *, name: str | None = None) -> StackFile:
        """Read a file. Raises SpecError when there is no file, or no environment in it."""
        path = pathlib.Path(path)
        return cls.from_text(file_text(path, name or str(path)), name=name or str(path))

    @classmethod
    def from_text(cls, text: str, *, name: str) -> StackFile:
        """Read a stack file's text. Raises SpecError when it is not YAML or has no environment."""
        if len(text) > LARGEST_FILE:
            raise _error(name, f"is {len(text):,} characters large", f"A stack file has at most {LARGEST_FILE:,}")
        root = compose(text, name)
        if root is None:
            raise _error(name, "the file is empty", f"Give it `config:` with `{ENVIRONMENT_KEY}:` below")
        if not isinstance(root, MappingNode):
            raise _error(
                name,
                "the file must be a block of keys",
                f"Start it with `config:` and `{ENVIRONMENT_KEY}:` below",
                root,
            )
        top = _members(root)
        entry = _environment_node(name, top)
        problems = [*_of_the_top(name, top), *_duplicates(name, root, but=entry[1])]
        values = Values(name)
        environment = values.build(entry)
        return cls(name, environment, values.positions, tuple(problems + values.problems))

    def position(self, path: Path, *, of_key: bool = False) -> Position | None:
        """Line and column, from 1, of the value at `path`, or of the nearest value around it that exists."""
        for length in range(len(path), -1, -1):
            if (found := self.positions.get(path[:length])) is not None:
                key, value = found
                # A value that is missing is best looked for at the key of what should hold it.
                return key if of_key or length < len(path) else value
        return None


def file_text(path: pathlib.Path, name: str, kind: str = "stack file") -> str:
    """The text of a file that a person wrote; messages call it `name`.

    Raises:
        SpecError: there is none, it is larger than any real one, or it is not UTF-8 text.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _no_file(name, f"is a directory, not a {kind}", "Name the file in it")
        if not stat.S_ISREG(status.st_mode):
            raise _no_file(name, "is not a regular file", "")
        if status.st_size > LARGEST_FILE:
            raise _error(name, f"is {status.st_size:,} bytes large", f"A {kind} has at most {LARGEST_FILE:,}")
        content = path.read_bytes()
    except FileNotFoundError:
        raise _no_file(name, "there is no such file", _other_stacks(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _no_file(name, f"cannot be read: {reason}", "") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        fix = "Save the file as UTF-8"
        raise SpecError(
            [Problem(path=(), message="is not UTF-8 text", fix=fix, file=name, line=line, column=column)]
        ) from None


def _other_stacks(path: pathlib.Path) -> str:
    try:
        names = sorted(other.name[len("Pulumi.") : -len(".yaml")] for other in path.parent.glob("Pulumi.*.yaml"))
    except OSError:
        names = []
    return f"Environments there: {', '.join(names[:20])}" if names else ""


def _members(node: Node) -> dict[str, tuple[Node, Node]]:
    return {_text_of(key): (key, value) for key, value in node.value} if isinstance(node, MappingNode) else {}


def _text_of(key: Node) -> str:
    return str(key.value) if isinstance(key, ScalarNode) else "a list or a block"


def _of_the_top(name: str, top: dict[str, tuple[Node, Node]]) -> Iterator[Problem]:
    for key, (node, value) in top.items():
        if key not in _STACK_KEYS:
            yield _unknown_key(name, key, node)
        elif key in _TEXT_KEYS and not isinstance(value, ScalarNode):
            yield _problem(name, f"`{key}` must be text", "", value)
    names: dict[tuple[str, str], int] = {}
    for key, (node, _) in _members(top["config"][1]).items():
        if (match := _CONFIG_KEY.fullmatch(key)) is None:
            yield _problem(name, f"{quoted(key)} is not a configuration key", "Write it as `namespace:name`", node)
        elif (first := names.setdefault((match[1], match[2]), position_of(node)[0])) != position_of(node)[0]:
            message = f"{quoted(key)} is the same to Pulumi as the key on line {first}"
            yield _problem(name, message, "Keep one", node)


def _duplicates(name: str, root: Node, *, but: Node) -> Iterator[Problem]:
    """Keys that stand twice in one block, anywhere but inside the environment, which looks for its own."""
    waiting, known = [root], {id(but)}
    while waiting:
        node = waiting.pop()
        if id(node) in known:
            continue
        known.add(id(node))
        if isinstance(node, SequenceNode):
            waiting += node.value
        elif isinstance(node, MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if (text := _text_of(key)) in seen:
                    yield _problem(name, f"{quoted(text)} stands twice", "Keep one", key)
                seen.add(text)
                waiting.append(value)


def _environment_node(name: str, top: dict[str, tuple[Node, Node]]) -> tuple[Node, Node]:
    if "config" not in top:
        raise _error(name, "`config` is missing", f"Give the file `config:` with `{ENVIRONMENT_KEY}:` below")
    key, config = top["config"]
    if not isinstance(config, MappingNode):
        raise _error(name, "`config` must be a block of keys", f"Put `{ENVIRONMENT_KEY}:` below it", key)
    members = _members(config)
    if ENVIRONMENT_KEY not in members:
        near = nearest_name(ENVIRONMENT_KEY, members) or ("environment" if "environment" in members else None)
        fix = f"Did you mean that with `{near}`?" if near else f"Put `{ENVIRONMENT_KEY}:` below `config:`"
        raise _error(name, f"`config` has no `{ENVIRONMENT_KEY}`", fix, members[near][0] if near else key)
    found = members[ENVIRONMENT_KEY]
    if set(_members(found[1])) == {"secure"}:
        cause = f"`{ENVIRONMENT_KEY}` is encrypted"
        raise _error(
            name, cause, "Write it in plain text: it holds no secret, and checks must be able to read it", found[0]
        )
    return found


def _unknown_key(name: str, key: str, node: Node) -> Problem:
    near = nearest_name(key, _STACK_KEYS)
    fix = f"Did you mean `{near}`?" if near else f"A stack file has {', '.join(_STACK_KEYS)}"
    return _problem(name, f"{quoted(key)} is not a key of a Pulumi stack file", fix, node)


def _error(name: str, message: str, fix: str, node: Node | None = None) -> SpecError:
    return SpecError([_problem(name, message, fix, node)])


def _problem(name: str, message: str, fix: str, node: Node | None) -> Problem:
    line, column = position_of(node) if node is not None else (1, 1)
    return Problem(path=(), message=message, fix=fix, file=name, line=line, column=column)


def _no_file(name: str, message: str, fix: str) -> SpecError:
    return SpecError([Problem(path=(), message=message, fix=fix, file=name)])
