from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tools import set_up
from tools.set_up import SetUpError, check_python, venv_commands


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 14), (4, 0)])
def test_new_enough_pythons_pass(version: tuple[int, int]):
    check_python(version)


def test_an_old_python_names_a_newer_one_that_is_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        shutil, "which", lambda name: f"/usr/bin/{name}" if name in {"python3.11", "python3.12"} else None
    )
    with pytest.raises(SetUpError) as caught:
        check_python((3, 9))
    assert str(caught.value) == (
        "Python 3.9 is too old: gpufleet needs 3.11 or newer.\n"
        "  use the newer one that is here: make PYTHON=python3.12 ..."
    )


def test_an_old_python_alone_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SetUpError, match="apt-get install python3 python3-venv"):
        check_python((3, 10))


Only = Callable[..., None]


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Only:
    """Make only the named modules importable and the named programs found."""

    def choose(*modules: str, programs: tuple[str, ...] = ()) -> None:
        spec = ModuleSpec("x", None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name in modules else None)
        monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in programs else None)

    return choose


VENV = Path("/there/.venv")


def test_the_standard_way(only: Only):
    only("venv", "ensurepip", "pip", "virtualenv", programs=("uv",))
    assert venv_commands(VENV) == [[sys.executable, "-m", "venv", "/there/.venv"]]


def test_without_ensurepip_virtualenv_then_pip_then_the_programs(only: Only):
    only("venv", "pip", "virtualenv", programs=("uv", "virtualenv"))
    assert venv_commands(VENV)[0][:3] == [sys.executable, "-m", "virtualenv"]
    only("venv", "pip", programs=("uv", "virtualenv"))
    assert venv_commands(VENV) == [
        [sys.executable, "-m", "venv", "--without-pip", "/there/.venv"],
        [sys.executable, "-m", "pip", "--quiet", "--python", "/there/.venv/bin/python", "install", "pip"],
    ]
    only("venv", programs=("uv", "virtualenv"))
    assert venv_commands(VENV) == [["/bin/virtualenv", "--quiet", "--python", sys.executable, "/there/.venv"]]
    only("venv", programs=("uv",))
    assert venv_commands(VENV) == [["/bin/uv", "venv", "--quiet", "--seed", "--python", sys.executable, "/there/.venv"]]


def test_with_nothing_it_names_the_debian_package(only: Only):
    only("venv")
    with pytest.raises(SetUpError, match=rf"apt-get install python3\.{sys.version_info[1]}-venv \(or python3-venv\)"):
        venv_commands(VENV)


class Machine:
    """A checkout whose commands are recorded; making the environment puts a working python into it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.ran: list[str] = []
        self.fail = ""
        for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
            (root / name).write_text(f"{name} 1\n")
        monkeypatch.setattr(set_up, "run", self.run)
        monkeypatch.setattr(set_up, "venv_commands", lambda venv: [["make-venv", str(venv)]])

    def run(self, command: list[str], failure: str) -> None:
        what = command[0] if command[0] == "make-venv" else command[-1]
        self.ran.append(what)
        if what == self.fail:
            raise SetUpError(failure)
        if what == "make-venv":
            folder = Path(command[1]) / "bin"
            folder.mkdir(parents=True)
            (folder / "python").symlink_to(sys.executable)

    def set_up(self) -> list[str]:
        self.ran = []
        set_up.set_up(self.root)
        return self.ran


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


ALL = ["make-venv", "requirements-dev.txt", "."]


def test_the_second_run_does_nothing(machine: Machine):
    assert machine.set_up() == ALL
    assert machine.set_up() == []


def test_only_what_changed_is_done_again(machine: Machine):
    machine.set_up()
    (machine.root / "pyproject.toml").write_text("2\n")
    assert machine.set_up() == ["."]
    (machine.root / "requirements.txt").write_text("2\n")
    assert machine.set_up() == ["requirements-dev.txt", "."]
    assert machine.set_up() == []


@pytest.mark.parametrize("step", ["requirements-dev.txt", "."])
def test_a_step_that_was_cut_off_is_made_again_from_nothing(machine: Machine, step: str):
    machine.fail = step
    with pytest.raises(SetUpError, match="could not be installed"):
        machine.set_up()
    (machine.root / ".venv" / "half-installed").touch()
    machine.fail = ""
    assert machine.set_up() == ALL
    assert not (machine.root / ".venv" / "half-installed").exists()


def test_an_environment_that_was_cut_off_or_lost_its_python_is_made_again(machine: Machine):
    (machine.root / ".venv" / "bin").mkdir(parents=True)
    assert machine.set_up() == ALL
    (machine.root / ".venv" / "bin" / "python").unlink()
    (machine.root / ".venv" / "bin" / "python").symlink_to("/gone/python3.11")
    assert machine.set_up() == ALL


def test_a_moved_checkout_is_set_up_again(machine: Machine, tmp_path: Path):
    machine.set_up()
    moved = tmp_path / "moved"
    shutil.copytree(machine.root, moved, symlinks=True, ignore=shutil.ignore_patterns("moved"))
    machine.root = moved
    assert machine.set_up() == ALL


def test_a_failing_command_shows_what_it_said():
    with pytest.raises(SetUpError) as caught:
        set_up.run([sys.executable, "-c", "print('no space'); raise SystemExit(1)"], "it failed")
    assert str(caught.value).startswith("it failed\n  command: ")
    assert str(caught.value).endswith("\nno space")
