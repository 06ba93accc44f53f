"""Stack files with one thing broken each: the four committed ones, changed in every way that people and editors do."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
STACKS = ("dev", "staging", "prod", "frontier")
SECRET = "hunter2-never-show"
SCHEMA: dict[str, Any] = json.loads((ROOT / "stacks" / "schema.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One changed file.

    Attributes:
        name: what was done to which stack.
        content: the file.
        harmless: True when the change says the same, False when it can't be valid, None when that depends (a file cut
            off at a random byte).
    """

    name: str
    content: bytes
    harmless: bool | None = False


def original(stack: str) -> str:
    """A committed stack file, with a secret in all the places that may hold one."""
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    assert text.count("\nencryptionsalt: v1:") == 1
    text = text.replace("\nencryptionsalt: v1:", f"\nencryptionsalt: v1:{SECRET}", 1)
    return text.replace(
        "\nconfig:\n", f"\nconfig:\n  other:token: {{ secure: {SECRET} }}\n  other:plain: {SECRET}\n", 1
    )


def all_broken(stack: str, *, seed: int = 4) -> Iterator[Broken]:
    """The whole campaign for one stack: about 200 files, the same every time."""
    changes = [*_whole_file(stack), *_bytes(stack, random.Random(seed)), *_traps(stack), *_values(stack, seed)]
    for broken in (*changes, *(_heavy(stack) if stack == STACKS[0] else ())):
        yield Broken(name=f"{stack}: {broken.name}", content=broken.content, harmless=broken.harmless)


_HEAD = "config:\n  gpufleet:environment:\n"
_LAUGHS = "".join(
    f"    l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10 if level else ['x'] * 10)}]\n" for level in range(12)
)


def _whole_file(stack: str) -> Iterator[Broken]:
    text = original(stack)
    raw = text.encode()
    yield Broken(name="as it is", content=raw, harmless=True)
    yield Broken(name="byte order mark", content=b"\xef\xbb\xbf" + raw, harmless=True)
    yield Broken(name="CRLF", content=raw.replace(b"\n", b"\r\n"), harmless=True)
    yield Broken(name="CR alone", content=raw.replace(b"\n", b"\r"), harmless=True)
    yield Broken(name="comments at the end", content=raw + b"# x\n\n#y", harmless=True)
    yield Broken(name="one document, marked", content=b"---\n" + raw + b"...\n", harmless=True)
    yield Broken(name="YAML 1.1, said", content=b"%YAML 1.1\n---\n" + raw, harmless=True)
    yield Broken(name="two byte order marks", content=b"\xef\xbb\xbf" * 2 + raw, harmless=None)
    yield Broken(name="UTF-16", content=text.encode("utf-16"))
    yield Broken(name="UTF-32", content=text.encode("utf-32"))
    yield Broken(name="Latin-1", content=re.sub(r"\bowner: ", "owner: ö", text).encode("latin-1"))
    yield Broken(name="empty", content=b"")
    yield Broken(name="blank", content=b"\n  \n\n")
    yield Broken(name="comments alone", content=b"# a\n# b\n")
    yield Broken(name="null", content=b"~\n")
    yield Broken(name="a list", content=b"- a\n- b\n")
    yield Broken(name="a word", content=b"config\n")
    yield Broken(name="NULs", content=b"\0" * 1000)
    yield Broken(name="tabs for indentation", content=raw.replace(b"    ", b"\t"))
    yield Broken(name="two documents", content=raw + b"---\n" + raw)
    yield Broken(name="the file twice", content=raw + raw)
    yield Broken(name="500 unknown keys", content=raw + b"".join(b"    unknown%d: 1\n" % n for n in range(500)))
    yield Broken(name="no config", content=raw.replace(b"\nconfig:", b"\nconfiguration:"))
    yield Broken(name="no environment", content=raw.replace(b"gpufleet:environment", b"gpufleet:enviroment"))
    yield Broken(name="an encrypted environment", content=f"{_HEAD[:-1]} {{secure: {SECRET}}}\n".encode())
    yield Broken(name="a secret as unknown key", content=(text + f"    password: {SECRET}\n").encode())
    yield Broken(
        name="a secret as wrong type", content=(text + f"    password: [{SECRET}, {{x: {SECRET}}}]\n").encode()
    )


def _heavy(stack: str) -> Iterator[Broken]:
    """What takes seconds rather than milliseconds, and is the same for every stack."""
    raw = original(stack).encode()
    yield Broken(name="10 MB of comment", content=raw + b"# filler\n" * 1_200_000)
    yield Broken(name="a line of 200,000", content=raw.replace(b"owner: ", b"owner: " + b"x" * 200_000))
    yield Broken(name="a key of 200,000", content=raw.replace(b"owner:", b"o" * 200_000 + b":"))
    yield Broken(name="10,000 brackets", content=raw + b"x: " + b"[" * 10_000)
    yield Broken(name="10,000 brackets, closed", content=raw + b"x: " + b"[" * 10_000 + b"]" * 10_000)
    yield Broken(name="5,000 blocks", content=raw + b"x: " + b"{a: " * 5_000 + b"}" * 5_000)
    yield Broken(name="10,000 dashes", content=raw + b"x:\n  " + b"- " * 10_000)
    yield Broken(name="a billion laughs", content=(_HEAD + _LAUGHS).encode())
    yield Broken(name="an alias of itself", content=(_HEAD + "    owner: &a [*a]\n").encode())
    yield Broken(name="a merge of itself", content=(_HEAD + "    owner: &a {<<: *a}\n").encode())


def _bytes(stack: str, source: random.Random) -> Iterator[Broken]:
    raw = original(stack).encode()
    start = raw.index(b"gpufleet:environment") + 30
    for _ in range(15):
        end = source.randrange(start, len(raw) - 1)
        yield Broken(name=f"cut off at {end}", content=raw[:end], harmless=None)
    for garbage in (
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\0",
        b"\x07",
        b"\x1b[31m",
        b"\x7f",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\t",
    ):
        place = source.randrange(start, len(raw))
        content = raw[:place] + garbage + raw[place:]
        yield Broken(name=f"{garbage!r} at {place}", content=content, harmless=None)
    for mark in (
        b'"',
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b"&",
        b"*",
        b"!",
        b"|",
        b">",
        b"%",
        b"@",
        b"`",
        b": ",
        b"- ",
        b"? ",
        b"<<: ",
    ):
        places = [match.end() for match in re.finditer(rb"^ {4,}[\w-]+:(?= \w)|^ {6,}- ", raw, re.MULTILINE)]
        place = source.choice(places)
        yield Broken(name=f"{mark!r} at {place}", content=raw[:place] + b" " + mark + raw[place:], harmless=None)
    lines = raw.split(b"\n")
    first = next(number for number, line in enumerate(lines) if b"gpufleet:environment" in line) + 1
    for _ in range(8):
        number = source.randrange(first, len(lines) - 1)
        kind = source.choice((b" ", b"  ", b"   ", b""))
        line = kind + lines[number] if kind else lines[number].lstrip()
        content = b"\n".join([*lines[:number], line, *lines[number + 1 :]])
        yield Broken(name=f"line {number + 1} moved by {kind!r}", content=content, harmless=None)
    for _ in range(5):
        number = source.randrange(first, len(lines) - 1)
        content = b"\n".join([*lines[:number], lines[number], *lines[number:]])
        yield Broken(name=f"line {number + 1} twice", content=content, harmless=None)


_TRAPS = (
    "no",
    "1e3",
    "0x10",
    "010",
    "0o7",
    "1_000",
    "12:30",
    "2026-12-01",
    "2026-12-01T12:00:00+02:00",
    "~",
    "",
    ".inf",
    ".nan",
    "-1",
    "-0",
    "1.5",
    "1e400",
    "9" * 30,
    "9" * 5000,
    "true",
    "[]",
    "{}",
    "[[]]",
    "{secure: x}",
    '"\\u0000"',
    '"\\ud800"',
    '" eastus"',
    "ｅastus",
    "еastus",
    '"east\\u200bus"',
    "!!str 1",
    "!!python/object:os.system x",
    "!!binary aGk=",
    "&a x",
    "*a",
    "<<",
    "=",
    "'",
    "'1'",
    "{1: 2}",
    "{? [a] : b}",
    "{a: 1, a: 2}",
    "${owner}",
    "{{ owner }}",
    "|\n        a",
    ">-\n        a",
    "\u202egnp",
)


def _traps(stack: str) -> Iterator[Broken]:
    """Each trap as a region's name: a plain text field whose every other value is wrong."""
    text = original(stack)
    for trap in _TRAPS:
        place = re.search(r"\bregion: (\w+)", text)
        assert place is not None
        start, end = place.span(1)
        yield Broken(name=f"region {trap[:30]!r}", content=(text[:start] + trap + text[end:]).encode())


def _values(stack: str, seed: int) -> Iterator[Broken]:
    """Every key of the environment dropped where it must be there, renamed, retyped, and out of the schema's bounds."""
    environment = yaml.safe_load(original(stack))["config"]["gpufleet:environment"]
    found = [*_semantic(environment, SCHEMA["$defs"]["Environment"], ())]
    source = random.Random(seed)
    for path, action, value in source.sample(found, min(60, len(found))):
        document = {"config": {"gpufleet:environment": _changed(environment, path, action, value)}}
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None)
        yield Broken(name=f"{action} {'.'.join(map(str, path))} {str(value)[:20]}", content=text.encode())


_Change = tuple[tuple[str | int, ...], str, object]


def _semantic(value: object, schema: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[_Change]:
    options = _options(schema)
    if path:
        types = {option.get("type") for option in options}
        yield from ((path, "retype", wrong) for kind, wrong in _WRONG if not types & kind)
    for option in options:
        if "enum" in option or "const" in option:
            yield path, "wrong enum", "quite-else"
        if len(options) == 1 and path:
            yield from ((path, "out of bounds", wrong) for wrong in _outside(option))
        if isinstance(value, dict):
            yield from _of_keys(value, option, path)
        if isinstance(value, list) and "items" in option:
            for index, item in enumerate(value):
                yield from _semantic(item, option["items"], (*path, index))


def _of_keys(value: dict[str, object], schema: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[_Change]:
    for key in sorted(value.keys() & schema.get("properties", {}).keys()):
        yield (*path, key), "rename", None
        if key in schema.get("required", ()):
            yield (*path, key), "drop", None
        yield from _semantic(value[key], schema["properties"][key], (*path, key))


_WRONG: tuple[tuple[set[str], object], ...] = (
    ({"array"}, [[1]]),
    ({"object"}, {"quite": "else"}),
    ({"boolean"}, True),
    ({"number", "integer"}, 3),
    ({"number"}, 2.5),
    ({"null"}, None),
    ({"string"}, "two words\x01"),
)


def _outside(option: dict[str, Any]) -> Iterator[object]:
    kind = option.get("type")
    if kind in {"number", "integer"}:
        one = 1 if kind == "integer" else 1.0
        bounds = (("minimum", -1), ("exclusiveMinimum", 0), ("maximum", 1), ("exclusiveMaximum", 0))
        yield from (option[bound] + step * one for bound, step in bounds if bound in option)
        if "maximum" in option:
            yield 10**30
    if kind == "string" and "pattern" in option:
        texts = (" ", "x\x07y", " eastus", "eastus ", "ｅastus", "x" * 5000, "")
        yield from (text for text in texts if not re.search(option["pattern"], text))
    if kind == "array" and option.get("minItems"):
        yield []


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        target: Any = SCHEMA
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def _options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    schema = _resolved(schema)
    several = schema.get("anyOf") or schema.get("oneOf")
    return [option for each in several for option in _options(each)] if several else [schema]


def _changed(value: Any, path: tuple[str | int, ...], action: str, new: object) -> Any:  # noqa: ANN401 plain values
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_changed(item, rest, action, new) if index == first else item for index, item in enumerate(value)]
    result = {}
    for key, item in value.items():
        if key != first:
            result[key] = item
        elif rest:
            result[key] = _changed(item, rest, action, new)
        elif action == "rename":
            result[f"{key}x"] = item
        elif action != "drop":
            result[key] = new
    return result
