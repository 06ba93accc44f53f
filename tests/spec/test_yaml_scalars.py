"""One file, two readers: what the specification makes of YAML's traps is what the Pulumi engine makes of them."""

from __future__ import annotations

import datetime as dt
import json
import math
import subprocess
from pathlib import Path

import pytest

from gpufleet.engine.install import ensure_engine
from gpufleet.engine.sandbox_home import SALT, prepare_home, prepare_stacks, sandbox_environment
from gpufleet.spec import SpecError, StackFile
from gpufleet.spec.yaml_scalars import plain_value

# Every one of these is read alike, by the test against the engine below.
_WORDS = (Path(__file__).parent / "plain_scalars.txt").read_text(encoding="utf-8").split()
_TEXTS = [
    "2026-12-01 00:00:00",
    "2026-12-01 00:00:00Z",
    "2026-12-01 00:00:00 +0000 UTC",
    "'1'",
    '"1e3"',
    '"no"',
    '"2026-12-01"',
    '"\\u0041\\x41\\e\\N\\_\\U0001F600"',
    '"a\\\n        b"',
    "|\n      a\n      b",
    ">\n      a\n      b",
    "|+\n      a\n\n",
    ">-\n      a\n\n      b\n",
    "a #b",
    "a#b",
    "a\n      b\n\n      c",
    "'it''s'",
    "1\xa0",
    "{}",
    "[]",
    "[1, ]",
    "{a: }",
    "{a}",
    "[a: 1]",
    '{"a":1}',
    "{a:1}",
    "[&y {q: 1}, *y]",
    "{<<: {a: 1}, a: 2}",
    "{a: 2, <<: {a: 1}}",
    "{<<: [{a: 1}, {a: 2, b: 3}]}",
    "{<<: {<<: {z: 1}, y: 2}, x: 3}",
    "{yes: 1, No: 2, no: 3}",
    '{"": 1, "1": 2, "null": 3}',
]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("off", "off"),
        ("TRUE", True),
        ("~", None),
        ("", None),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0O17", 15),
        ("-0b-1", "-0b-1"),
        ("0b-1", -1),
        ("1e3", 1000.0),
        (".5e1", 5.0),
        ("1e400", "1e400"),
        ("12:30", "12:30"),
        ("2026-1-2", dt.date(2026, 1, 2)),
        ("2026-12-01T00:00:00Z", dt.date(2026, 12, 1)),
        ("2026-12-01 00:00:00", dt.date(2026, 12, 1)),
        ("2026-12-01 12:30:00.5", dt.datetime(2026, 12, 1, 12, 30, 0, 500000, tzinfo=dt.UTC)),
        ("2026-02-30", "2026-02-30"),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("-9223372036854775809", -9223372036854775809.0),
        ("0xfffffffffffffffff", "0xfffffffffffffffff"),
        ("1" * 500, "1" * 500),
        ("-.INF", -math.inf),
        ("+.NaN", "+.NaN"),
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    found = plain_value(text)
    assert (found, type(found)) == (value, type(value))


def test_a_time_with_a_zone_keeps_it() -> None:
    found = plain_value("2026-12-01T00:00:00-02:30")
    assert isinstance(found, dt.datetime)
    assert found.isoformat() == "2026-12-01T00:00:00-02:30"


def test_the_year_0_is_no_year_to_python() -> None:
    with pytest.raises(ValueError, match="year 0"):
        plain_value("0000-01-01")


def _file(values: list[str]) -> str:
    body = "".join(f"    t{index}: {value}\n" for index, value in enumerate(values))
    return f"encryptionsalt: {SALT}\nconfig:\n  gpufleet:environment:\n{body}"


def _in_json(value: object) -> object:
    """A value as the engine's JSON has it: times as Go prints them, integers beyond 2^53 no better than floats."""
    match value:
        case dict():
            return {key: _in_json(item) for key, item in value.items()}
        case list():
            return [_in_json(item) for item in value]
        case dt.datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
        case dt.date():
            return f"{value.isoformat()} 00:00:00 +0000 UTC"
        case int() if not isinstance(value, bool) and abs(value) >= 2**53:
            return float(value)
    return value


@pytest.mark.engine
def test_the_engine_reads_every_one_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = [*_WORDS, *_TEXTS]
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: gpufleet\nruntime: python\nstackConfigDir: stacks\n")
    path = tmp_path / "stacks" / "Pulumi.dev.yaml"
    path.write_text(_file(values), encoding="utf-8")
    monkeypatch.setenv("GPUFLEET_SANDBOX_HOME", str(tmp_path / "home"))
    engine = ensure_engine()
    prepare_home(tmp_path)
    prepare_stacks(tmp_path, ("dev",), engine)
    command = [
        str(engine.pulumi),
        "config",
        "get",
        "gpufleet:environment",
        "--json",
        "--stack",
        "dev",
        "--non-interactive",
    ]
    shell = sandbox_environment(tmp_path, engine).applied()
    answer = subprocess.run(command, cwd=tmp_path, env=shell, capture_output=True, text=True, check=True)
    told = json.loads(json.loads(answer.stdout)["value"])
    file = StackFile.read(path)
    assert file.problems == ()
    assert isinstance(file.environment, dict)
    assert told.keys() == file.environment.keys()
    different = [
        (value, ours, told[key])
        for value, (key, ours) in zip(values, file.environment.items(), strict=True)
        if _in_json(ours) != _in_json(told[key])
    ]
    assert not different, "\n".join(map(repr, different))


@pytest.mark.parametrize(
    "value",
    [
        "010",
        "0_7",
        "!!str 1",
        "!!bool yes",
        "!x 1",
        "{1: a}",
        "{1e3: a}",
        "{null: a}",
        "{2026-12-01: a}",
        '{"<<": {a: 1}}',
        '"\\/"',
    ],
)
def test_what_the_engine_reads_otherwise_than_people_is_refused(value: str) -> None:
    try:
        problems = StackFile.from_text(_file([value]), name="s.yaml").problems
    except SpecError as error:
        problems = error.problems
    assert [problem.line for problem in problems] == [4]
