from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpufleet.errors import ConfigurationError
from gpufleet.graph import SECRET, UNKNOWN, Graph, Node, cached, offline, standin
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.spec import Environment, load, parse_environment
from tests.spec.environments import changed
from tests.spec.environments import environment as plain_environment

ROOT = Path(__file__).parents[2]
GRAPH = Graph(
    [
        Node(urn="s", type="pulumi:pulumi:Stack", name="s", parent="", custom=False),
        Node(
            urn="p",
            type="t",
            name="p",
            parent="s",
            custom=True,
            properties={"a": [1, 2.5, True, None, {"b": UNKNOWN}], "c": SECRET, "d": "[unknown]"},
            property_dependencies={"a": ("x", "y")},
            dependencies=("x", "y"),
            provider="q",
            protect=True,
            retain_on_delete=True,
            deleted_with="x",
        ),
    ]
)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stacks that were planned anew, with the SDKs."""
    stacks: list[str] = []

    def refuse(*_: object, **__: object) -> Graph:
        raise NotStoodInError("a test")

    def plan(stack: str, environment: Environment, *, subscription_id: str | None = None) -> Graph:
        if stack == "bad":
            raise ConfigurationError("no")
        stacks.append(stack)
        return GRAPH

    monkeypatch.setattr(standin, "plan", refuse)
    monkeypatch.setattr(offline, "plan", plan)
    return stacks


def _environment(**changes: object) -> Environment:
    return parse_environment(changed({(key,): value for key, value in changes.items()}, plain_environment()))


def test_a_plan_is_made_once(tmp_path: Path, made: list[str]) -> None:
    folder = tmp_path / "not" / "yet"
    assert cached.plan("dev", _environment(), folder) == GRAPH
    assert cached.plan("dev", _environment(), folder) == GRAPH
    assert made == ["dev"]
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_real_one_comes_back_as_it_was(tmp_path: Path) -> None:
    environment = load(ROOT / "stacks" / "Pulumi.dev.yaml").environment
    first = cached.plan("dev", environment, tmp_path)
    again = cached.plan("dev", environment, tmp_path)
    assert first == again == offline.plan("dev", environment)
    assert first is not again
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"sdk"}


def test_whatever_the_plan_depends_on_makes_another_one(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cached.plan("dev", _environment(), tmp_path)
    cached.plan("other", _environment(), tmp_path)
    cached.plan("dev", _environment(), tmp_path, subscription_id="1")
    cached.plan("dev", _environment(owner="another"), tmp_path)
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    cached.plan("dev", _environment(), tmp_path)
    monkeypatch.setattr(cached, "_program", lambda: "another program")
    cached.plan("dev", _environment(), tmp_path)
    assert made == ["dev", "other", "dev", "dev", "dev", "dev"]


def test_the_sdks_are_asked_only_where_stand_ins_do_not_know(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    folders: list[Path | None] = []

    def plan(
        stack: str, environment: Environment, folder: Path | None = None, *, subscription_id: str | None = None
    ) -> Graph:
        folders.append(folder)
        return GRAPH

    def sdk(*_: object, **__: object) -> Graph:
        raise AssertionError("the SDKs were asked")

    monkeypatch.setattr(standin, "plan", plan)
    monkeypatch.setattr(offline, "plan", sdk)
    assert cached.plan("dev", _environment(), tmp_path) == GRAPH
    assert cached.plan("dev", _environment(), None) == GRAPH
    assert folders == [tmp_path / "sdk", None]


def test_the_programs_sources_are_part_of_the_key() -> None:
    names = {file.relative_to(ROOT).as_posix() for file in cached._sources()}
    assert {"components/gpu_pool.py", "gpufleet/spec/pool.py", "gpufleet/catalog/data/regions.csv"} <= names
    assert {"gpufleet/graph/monitor.py", "gpufleet/errors.py"} <= names


def test_a_damaged_one_is_made_anew(tmp_path: Path, made: list[str]) -> None:
    cached.plan("dev", _environment(), tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_text()
    signed = [f"{cached._digest(body)}\n{body}" for body in ("{", "[1]", '[{"urn": "s"}]', "null")]
    damaged = ["", "[]", "{}", "\n[]", whole[:-1], f"{whole}x", whole.replace("2.5", "2.6"), whole.replace("\n", " ")]
    for content in signed + damaged:
        file.write_text(content)
        assert cached.plan("dev", _environment(), tmp_path) == GRAPH
        assert file.read_text() == whole
    assert made == ["dev"] * 13


def test_a_folder_that_cannot_be_used_costs_time_alone(tmp_path: Path, made: list[str]) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        assert cached.plan("dev", _environment(), tmp_path / "file") == GRAPH
    assert made == ["dev", "dev"]


def test_errors_are_not_kept(tmp_path: Path, made: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            cached.plan("bad", _environment(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_longest_unused_go(tmp_path: Path, made: list[str]) -> None:
    for number in range(70):
        old = tmp_path / f"{number}.json"
        old.touch()
        os.utime(old, (number, number))
    cached.plan("dev", _environment(), tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 64
    assert {f"{number}.json" for number in range(7, 70)} <= left
