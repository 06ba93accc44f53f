"""YAML text to a node tree, or one problem with the line and column where reading it had to stop.

ruamel.yaml's composer rather than a loader: the tree keeps the position of every key and value, shows duplicate keys,
and leaves to us what a scalar means.
"""

from __future__ import annotations

import re
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tag import Tag

from gpufleet.spec.problem import Problem, SpecError
from gpufleet.spec.yaml_values import PLAIN, UNTAGGED

_DEEPEST: Final = 60
"""Levels of blocks and lists; a real file has about ten."""

# libyaml and yaml.v3 end a line there, and a comment with it; editors and most people don't see them.
_HIDDEN_BREAKS: Final = re.compile("[\x85\u2028\u2029]")
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


class _Resolver(VersionedResolver):
    """Says of a scalar without a tag only whether it was quoted."""

    def resolve(self, kind: type[Node], value: object, implicit: tuple[bool, bool]) -> Tag:
        del value
        return PLAIN if kind is ScalarNode and implicit[0] else UNTAGGED


class _Scanner(Scanner):
    # `\\/` is YAML 1.2; to yaml.v3 it is an unknown escape.
    ESCAPE_REPLACEMENTS = {key: value for key, value in Scanner.ESCAPE_REPLACEMENTS.items() if key != "/"}


def compose(text: str, name: str) -> Node | None:
    """The root of a file's only YAML document, None when it has none.

    Every node's `ctag` is PLAIN or UNTAGGED (by identity), else a tag that stands in the file.

    Raises:
        SpecError: with one problem, in the file `name`.
    """
    if (found := _HIDDEN_BREAKS.search(text)) is not None:
        raise _hidden_character(text, found.start(), name, "some readers take for the end of a line")
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver, yaml.Scanner, yaml.max_depth = _Resolver, _Scanner, _DEEPEST
    yaml.composer.warn_double_anchors = False
    try:
        root: Node | None = yaml.compose(text)
    except MaxDepthExceededError as error:
        raise _stop(name, "is nested too deeply to be a stack file", "", error) from None
    except MarkedYAMLError as error:
        cause, fix = _cause(error, text)
        raise _stop(name, cause, fix, error, last_line=text.count("\n") + 1) from None
    except ReaderError as error:
        raise _hidden_character(text, error.position, name, "YAML does not allow") from None
    except (
        YAMLError,
        ValueError,
        AttributeError,
        TypeError,
        KeyError,
        IndexError,
        RecursionError,
        NotImplementedError,
        AssertionError,
    ) as error:
        # ruamel.yaml lets such errors out on malformed input (found by the property tests); none of them is the user's
        # to decipher.
        raise _stop(name, f"is not valid YAML ({type(error).__name__})", "") from None
    _refuse_half_pairs(root, name)
    return root


def _cause(error: MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.problem_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or (mark and line[mark.column : mark.column + 1] == "\t"):
        return "a tab where YAML wants spaces", "Indent with spaces"
    problem = (error.problem or "").strip() or "cannot be parsed"
    if "expected a single document" in str(error) or "but found another document" in str(error):
        return "several YAML documents in one file", "Keep one: remove the `---` between them"
    context = f" ({error.context.strip()})" if error.context else ""
    return f"not valid YAML: {problem}{context}", ""


def _stop(
    name: str, message: str, fix: str, error: MarkedYAMLError | None = None, *, last_line: int | None = None
) -> SpecError:
    mark = (error.problem_mark or error.context_mark) if error else None
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if last_line is not None and line > last_line:
        line, column = last_line, 1
    return SpecError([Problem(path=(), message=message, fix=fix, file=name, line=line, column=column)])


def _hidden_character(text: str, position: int, name: str, which: str) -> SpecError:
    before = text[:position]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = f"holds the character U+{ord(text[position]):04X}, which {which}"
    return SpecError([Problem(path=(), message=message, fix="Remove it", file=name, line=line, column=column)])


def _refuse_half_pairs(root: Node | None, name: str) -> None:
    waiting, known = [root] if root is not None else [], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in known:
            continue
        known.add(id(node))
        if isinstance(node, ScalarNode):
            if _HALF_PAIR.search(node.value):
                message, fix = "holds half of a surrogate pair, which is no character", "Write the character itself"
                place = node.start_mark.line + 1, node.start_mark.column + 1
                raise SpecError([Problem(path=(), message=message, fix=fix, file=name, line=place[0], column=place[1])])
            continue
        for item in node.value:
            waiting += item if isinstance(item, tuple) else (item,)
