from __future__ import annotations

import datetime as dt
import math
import os
import pathlib

import pytest

from gpufleet.spec import SpecError, StackFile
from gpufleet.spec.stack_file import LARGEST_FILE


def _read(body: str) -> StackFile:
    """A stack file whose environment is `body`, indented by four."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return StackFile.from_text(f"config:\n  gpufleet:environment:\n{lines}", name="s.yaml")


def _refused(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        StackFile.from_text(text, name="s.yaml")
    assert len(caught.value.problems) == 1
    return str(caught.value.problems[0])


def test_values_are_what_pulumi_reads() -> None:
    body = (
        'a: [1, "2", 1.5, .inf, true, yes, ~, 0x1F, 0o17, 1_000, -3, 1e3, 2026-12-01, "2026-12-01"]\nb: |\n  x\n  y\nc:'
    )
    assert _read(body).environment == {
        "a": [1, "2", 1.5, math.inf, True, "yes", None, 31, 15, 1000, -3, 1000.0, dt.date(2026, 12, 1), "2026-12-01"],
        "b": "x\ny\n",
        "c": None,
    }


def test_a_number_that_is_none() -> None:
    value = _read("a: .nan").environment
    assert isinstance(value, dict)
    assert math.isnan(value["a"])


def test_every_value_has_its_position() -> None:
    file = _read("a:\n  - {b: 1}\n  - c")
    assert file.positions == {
        (): ((2, 3), (3, 5)),
        ("a",): ((3, 5), (4, 7)),
        ("a", 0): ((4, 9), (4, 9)),
        ("a", 0, "b"): ((4, 10), (4, 13)),
        ("a", 1): ((5, 9), (5, 9)),
    }
    assert file.position(("a", 0, "b")) == (4, 13)
    assert file.position(("a", 0, "b"), of_key=True) == (4, 10)
    # What is missing is looked for at the key that should hold it.
    assert file.position(("a", "x", "y")) == (3, 5)


def test_aliases_and_merges_point_at_what_they_repeat() -> None:
    file = _read("a: &a {x: 1, y: 2}\nb: *a\nc:\n  <<: *a\n  y: 3")
    assert file.environment == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}}
    assert file.position(("b", "x")) == (3, 15)
    assert file.position(("c", "x")) == (3, 15)
    assert file.position(("c", "y")) == (7, 10)
    assert file.problems == ()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "s.yaml:5:5: error: a: stands twice; the first is on line 3. Keep one."),
        (
            "a: 010",
            (
                's.yaml:3:8: error: a: "010" has a leading zero, which Pulumi reads as octal. Leave the zero out, or '
                "put it in quotes if it is text."
            ),
        ),
        (
            "a: {secure: AAABAA}",
            (
                "s.yaml:3:9: error: a: is an encrypted value (`secure:`). Write it in plain text: an "
                "environment holds no "
                "secret, and checks must be able to read it."
            ),
        ),
        (
            "a: !!python/name:os.system x",
            (
                's.yaml:3:8: error: a: has the YAML tag "tag:yaml.org,2002:python/name:os.system", which a '
                "stack file has no use for. Remove the tag."
            ),
        ),
        (
            "a: !x {b: 1}",
            's.yaml:3:8: error: a: has the YAML tag "!x", which a stack file has no use for. Remove the tag.',
        ),
        ("? [a]\n: 1", "s.yaml:3:7: error: has a key that is not plain text. Write keys as words."),
        ("a: 0000-01-01", 's.yaml:3:8: error: a: "0000-01-01" is not a valid date.'),
        ("a: {1: x}", 's.yaml:3:9: error: a: has the key "1", which YAML reads as a number. Put the key in quotes.'),
        (
            "a: {null: x}",
            's.yaml:3:9: error: a: has the key "null", which YAML reads as nothing. Put the key in quotes.',
        ),
        (
            "a: {<<: {1: x}}",
            's.yaml:3:14: error: a: has the key "1", which YAML reads as a number. Put the key in quotes.',
        ),
        ("a: {<<: {b: 1, b: 2}}", "s.yaml:3:20: error: a.b: stands twice; the first is on line 3. Keep one."),
        (
            "a: &a {1: x}\nb: *a",
            's.yaml:3:12: error: a: has the key "1", which YAML reads as a number. Put the key in quotes.',
        ),
        ("a: {!x b: 1}", 's.yaml:3:9: error: a: has the YAML tag "!x" on a key. Remove the tag.'),
        (
            'a: {"<<": {b: 1}}',
            "s.yaml:3:9: error: a: has a second or a quoted merge key (`<<`). Keep one, without quotes.",
        ),
        (
            "a: {<<: {b: 1}, <<: {c: 1}}",
            "s.yaml:3:21: error: a: has a second or a quoted merge key (`<<`). Keep one, without quotes.",
        ),
        ("a: {<<: 1}", "s.yaml:3:13: error: a: merges (`<<`) something that is not a block of keys. Point it at one."),
    ],
)
def test_what_is_read_and_reported(body: str, problem: str) -> None:
    assert [str(found) for found in _read(body).problems] == [problem]


def test_keys_of_the_file_itself() -> None:
    text = (
        "conf: 1\nconfig:\n  azure-native:location: eastus\n  gpufleet:environment: {}\nencryptionsalt: "
        "x\nencryptionsalt: y\n"
    )
    assert [str(problem) for problem in StackFile.from_text(text, name="s.yaml").problems] == [
        's.yaml:1:1: error: "conf" is not a key of a Pulumi stack file. Did you mean `config`?',
        's.yaml:6:1: error: "encryptionsalt" stands twice. Keep one.',
    ]


@pytest.mark.parametrize(
    ("others", "problem"),
    [
        ("  a:b: {c: 1, c: 2}\n", 's.yaml:3:15: error: "c" stands twice. Keep one.'),
        (
            "  gpufleet:config:environment: {}\n",
            's.yaml:3:3: error: "gpufleet:config:environment" is the same to Pulumi as the key on line 2. Keep one.',
        ),
        (
            "? &a [*a]\n: 1\n",
            (
                's.yaml:3:3: error: "a list or a block" is not a key of a Pulumi stack file. A stack file has '
                "secretsprovider, encryptedkey, encryptionsalt, config, environment."
            ),
        ),
        ("  plain: 1\n", 's.yaml:3:3: error: "plain" is not a configuration key. Write it as `namespace:name`.'),
        ("encryptionsalt: [x]\n", "s.yaml:3:17: error: `encryptionsalt` must be text."),
    ],
)
def test_what_stands_beside_the_environment(others: str, problem: str) -> None:
    file = StackFile.from_text(f"config:\n  gpufleet:environment: {{a: 1}}\n{others}", name="s.yaml")
    assert [str(found) for found in file.problems] == [problem]
    assert file.environment == {"a": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "s.yaml:1:1: error: the file is empty. Give it `config:` with `gpufleet:environment:` below."),
        ("# nothing\n", "s.yaml:1:1: error: the file is empty. Give it `config:` with `gpufleet:environment:` below."),
        (
            "- a\n",
            (
                "s.yaml:1:1: error: the file must be a block of keys. Start it with `config:` and "
                "`gpufleet:environment:` below."
            ),
        ),
        (
            "encryptionsalt: x\n",
            "s.yaml:1:1: error: `config` is missing. Give the file `config:` with `gpufleet:environment:` below.",
        ),
        ("config: 3\n", "s.yaml:1:1: error: `config` must be a block of keys. Put `gpufleet:environment:` below it."),
        (
            "config:\n  a:b: 1\n",
            "s.yaml:1:1: error: `config` has no `gpufleet:environment`. Put `gpufleet:environment:` below `config:`.",
        ),
        (
            "config:\n  gpufleet:enviroment: {}\n",
            "s.yaml:2:3: error: `config` has no `gpufleet:environment`. Did you mean that with `gpufleet:enviroment`?",
        ),
        (
            "config:\n  environment: {}\n",
            "s.yaml:2:3: error: `config` has no `gpufleet:environment`. Did you mean that with `environment`?",
        ),
        (
            "config:\n  gpufleet:environment: {secure: x}\n",
            (
                "s.yaml:2:3: error: `gpufleet:environment` is encrypted. Write it in plain text: it holds no "
                "secret, and checks must "
                "be able to read it."
            ),
        ),
        ("config:\n\ta: 1\n", "s.yaml:2:1: error: a tab where YAML wants spaces. Indent with spaces."),
        (
            "a: 1\n---\nb: 2\n",
            "s.yaml:2:1: error: several YAML documents in one file. Keep one: remove the `---` between them.",
        ),
        ("a: *b\n", "s.yaml:1:4: error: not valid YAML: found undefined alias 'b'."),
        (
            "config: {a\n",
            (
                "s.yaml:2:1: error: not valid YAML: expected ',' or '}', but got '<stream end>' (while parsing a "
                "flow mapping)."
            ),
        ),
        ("a: \x01\n", "s.yaml:1:4: error: holds the character U+0001, which YAML does not allow. Remove it."),
        (
            'config:\n  gpufleet:environment: {a: "\\ud800"}\n',
            "s.yaml:2:29: error: holds half of a surrogate pair, which is no character. Write the character itself.",
        ),
        (
            "config:\n  # a\u2028b: 1\n",
            "s.yaml:2:6: error: holds the character U+2028, which some readers take for the end of a line. Remove it.",
        ),
        ("[" * 500, "s.yaml:1:61: error: is nested too deeply to be a stack file."),
        (
            "config:\n  gpufleet:environment: &a {b: *a}\n",
            "s.yaml:2:25: error: b: is an alias that contains itself. Write the value out.",
        ),
        (
            "config:\n  gpufleet:environment: &a {<<: *a}\n",
            "s.yaml:2:25: error: is an alias that contains itself. Write the value out.",
        ),
        (
            "config:\n  gpufleet:environment: " + "{a: " * 60 + "1" + "}" * 60,
            "s.yaml:2:254: error: is nested too deeply to be a stack file.",
        ),
    ],
)
def test_what_cannot_be_read(text: str, problem: str) -> None:
    assert _refused(text) == problem


def test_aliases_of_aliases_do_not_unfold_without_end() -> None:
    levels = ["    l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"    l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    text = "config:\n  gpufleet:environment:\n" + "\n".join(levels) + "\n"
    assert _refused(text).endswith("unfolds to more than 100,000 values. Use fewer aliases.")


def test_merges_of_merges_do_not_unfold_without_end() -> None:
    levels = ["    l0: &l0 {x: 1}"]
    levels += [f"    l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 10)}]}}" for n in range(1, 9)]
    text = "config:\n  gpufleet:environment:\n" + "\n".join(levels) + "\n"
    assert _refused(text).endswith("unfolds to more than 100,000 values. Use fewer aliases.")


def test_files(tmp_path: pathlib.Path) -> None:
    good = tmp_path / "Pulumi.dev.yaml"
    good.write_bytes(b"\xef\xbb\xbfconfig:\r\n  gpufleet:environment: {a: 1}\r\n")
    assert StackFile.read(good).environment == {"a": 1}
    assert StackFile.read(good, name="stacks/x").name == "stacks/x"

    broken = tmp_path / "Pulumi.latin.yaml"
    broken.write_bytes(b"config:\n  a: \xe9\n")
    large = tmp_path / "Pulumi.large.yaml"
    large.write_bytes(b"#" * (LARGEST_FILE + 1))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def refused(path: pathlib.Path | str) -> str:
        with pytest.raises(SpecError) as caught:
            StackFile.read(path, name="s.yaml")
        return str(caught.value)

    assert refused(tmp_path / "Pulumi.prd.yaml") == (
        "s.yaml: error: there is no such file. Environments there: dev, large, latin.\n1 error"
    )
    assert refused(tmp_path) == "s.yaml: error: is a directory, not a stack file. Name the file in it.\n1 error"
    assert refused(pipe) == "s.yaml: error: is not a regular file.\n1 error"
    assert refused(broken) == "s.yaml:2:6: error: is not UTF-8 text. Save the file as UTF-8.\n1 error"
    assert refused(large) == "s.yaml:1:1: error: is 262,145 bytes large. A stack file has at most 262,144.\n1 error"
    assert refused("x\0y") == "s.yaml: error: cannot be read: embedded null byte.\n1 error"
    assert refused(tmp_path / ("x" * 300)) == "s.yaml: error: cannot be read: File name too long.\n1 error"
