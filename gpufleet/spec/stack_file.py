"""A Pulumi stack file: its environment as plain values, and where in the file each of them stands.

Read with ruamel.yaml's composer rather than a loader: the node tree keeps the position of every key and value, shows
duplicate keys, and lets this module decide what a scalar means, so that it is what Pulumi's own YAML reader (Go,
yaml.v3) makes of it.
"""

from __future__ import annotations

import pathlib
import stat
from dataclasses import dataclass
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node
from ruamel.yaml.reader import ReaderError

from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Path
from gpufleet.spec.problem import Problem, SpecError, quoted
from gpufleet.spec.yaml_values import Position, Values, position_of

ENVIRONMENT_KEY: Final = "gpufleet:environment"
LARGEST_FILE: Final = 1024 * 1024
"""Bytes. The largest real environment is a few thousand lines; ten times that is a mistake."""

# pulumi: sdk/go/common/workspace/project.go, type ProjectStack.
_STACK_KEYS: Final = ("secretsprovider", "encryptedkey", "encryptionsalt", "config", "environment")


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
        return cls.from_text(_text(path, name or str(path)), name=name or str(path))

    @classmethod
    def from_text(cls, text: str, *, name: str) -> StackFile:
        """Read a stack file's text. Raises SpecError when it is not YAML or has no environment."""
        root = _compose(text, name)
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
        problems = [_unknown_key(name, key, node) for key, (node, _) in top.items() if key not in _STACK_KEYS]
        problems += _duplicates(name, root)
        config = _environment_node(name, top)
        problems += _duplicates(name, top["config"][1])
        values = Values(name)
        environment = values.build(config)
        return cls(name, environment, values.positions, tuple(problems + values.problems))

    def position(self, path: Path, *, of_key: bool = False) -> Position | None:
        """Line and column, from 1, of the value at `path`, or of the nearest value around it that exists."""
        for length in range(len(path), -1, -1):
            if (found := self.positions.get(path[:length])) is not None:
                key, value = found
                # A value that is missing is best looked for at the key of what should hold it.
                return key if of_key or length < len(path) else value
        return None


def _text(path: pathlib.Path, name: str) -> str:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _error(name, "is a directory, not a stack file", "Name the file in it")
        if not stat.S_ISREG(status.st_mode):
            raise _error(name, "is not a regular file", "")
        if status.st_size > LARGEST_FILE:
            raise _error(name, f"is {status.st_size:,} bytes large", f"A stack file has at most {LARGEST_FILE:,}")
        content = path.read_bytes()
    except FileNotFoundError:
        raise _error(name, "there is no such file", _other_stacks(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _error(name, f"cannot be read: {reason}", "") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem(
            path=(), message="is not UTF-8 text", fix="Save the file as UTF-8", file=name, line=line, column=1
        )
        raise SpecError([problem]) from None


def _other_stacks(path: pathlib.Path) -> str:
    try:
        names = sorted(other.name[len("Pulumi.") : -len(".yaml")] for other in path.parent.glob("Pulumi.*.yaml"))
    except OSError:
        names = []
    return f"Environments there: {', '.join(names[:20])}" if names else ""


def _compose(text: str, name: str) -> Node | None:
    if len(text) > LARGEST_FILE:
        raise _error(name, f"is {len(text):,} characters large", f"A stack file has at most {LARGEST_FILE:,}")
    try:
        node: Node | None = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        cause, fix = _syntax(error, text)
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        lines = text.count("\n") + 1
        raise SpecError(
            [
                Problem(
                    path=(), message=cause, fix=fix, file=name, line=min(line, lines) if line else None, column=column
                )
            ]
        ) from None
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        cause = f"holds the character U+{code:04X}, which YAML does not allow"
        raise SpecError(
            [Problem(path=(), message=cause, fix="Remove it", file=name, line=line, column=column)]
        ) from None
    except RecursionError:
        raise _error(name, "is nested too deeply to be a stack file", "") from None
    except (
        YAMLError,
        ValueError,
        AttributeError,
        TypeError,
        KeyError,
        IndexError,
        NotImplementedError,
        AssertionError,
    ) as error:
        # ruamel.yaml lets such errors out on malformed input (found by the property tests); none of them is the user's
        # to decipher.
        raise _error(name, f"is not valid YAML ({type(error).__name__})", "") from None
    return node


def _syntax(error: MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.problem_mark
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or (mark and line[mark.column : mark.column + 1] == "\t"):
        return "a tab where YAML wants spaces", "Indent with spaces"
    problem = (error.problem or "").strip() or "cannot be parsed"
    if "expected a single document" in str(error) or "but found another document" in str(error):
        return "several YAML documents in one file", "Keep one: remove the `---` between them"
    context = f" ({error.context.strip()})" if error.context else ""
    return f"not valid YAML: {problem}{context}", ""


def _members(node: MappingNode) -> dict[str, tuple[Node, Node]]:
    return {str(key.value): (key, value) for key, value in node.value}


def _duplicates(name: str, node: Node) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for key, _ in node.value if isinstance(node, MappingNode) else ():
        if (text := str(key.value)) in seen:
            line, column = position_of(key)
            message = f"{quoted(text)} stands twice"
            problems.append(Problem(path=(), message=message, fix="Keep one", file=name, line=line, column=column))
        seen.add(text)
    return problems


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
    if isinstance(found[1], MappingNode) and set(_members(found[1])) == {"secure"}:
        cause = f"`{ENVIRONMENT_KEY}` is encrypted"
        raise _error(
            name, cause, "Write it in plain text: it holds no secret, and checks must be able to read it", found[0]
        )
    return found


def _unknown_key(name: str, key: str, node: Node) -> Problem:
    near = nearest_name(key, _STACK_KEYS)
    fix = f"Did you mean `{near}`?" if near else f"A stack file has {', '.join(_STACK_KEYS)}"
    line, column = position_of(node)
    return Problem(
        path=(),
        message=f"{quoted(key)} is not a key of a Pulumi stack file",
        fix=fix,
        file=name,
        line=line,
        column=column,
    )


def _error(name: str, message: str, fix: str, node: Node | None = None) -> SpecError:
    line, column = position_of(node) if node is not None else (None, None)
    return SpecError([Problem(path=(), message=message, fix=fix, file=name, line=line, column=column)])
