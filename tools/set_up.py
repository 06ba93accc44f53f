"""Make `.venv` with the pinned requirements, or say at once that it is there already.

Runs on the system's Python before anything is installed, so: standard library only, and syntax that a Python older than
the one we need can still read, for it must live long enough to say so.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
EXIT_CONFIGURATION = 2


class SetUpError(Exception):
    """Set-up cannot go on; the text says why and what to do."""


def say(text: str) -> None:
    """Speak to the person: on stderr, at once."""
    sys.stderr.write("[set-up] " + text + "\n")
    sys.stderr.flush()


def check_python(version: tuple[int, int]) -> None:
    """Raise unless this Python is new enough, naming a newer one on PATH if there is one."""
    if version >= OLDEST:
        return
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
    advice = (
        "use the newer one that is here: make PYTHON={} ...".format(newer[0])  # noqa: UP032 read by old Pythons
        if newer
        else "install Python 3.11 or newer (Debian 12 and later: apt-get install python3 python3-venv) "
        "or name one: make PYTHON=/path/to/python3 ..."
    )
    raise SetUpError(f"Python {version[0]}.{version[1]} is too old: gpufleet needs 3.11 or newer.\n  {advice}")


def venv_commands(venv: Path) -> list[list[str]]:
    """Commands that make a virtual environment with pip in it, by the first way this machine offers.

    Debian packages ensurepip apart from Python (package python3-venv), so its absence is common, not an oddity.

    Raises:
        SetUpError: there is no way.
    """
    if importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None:
        return [[sys.executable, "-m", "venv", str(venv)]]
    if importlib.util.find_spec("virtualenv") is not None:
        return [[sys.executable, "-m", "virtualenv", "--quiet", "--python", sys.executable, str(venv)]]
    if importlib.util.find_spec("pip") is not None and importlib.util.find_spec("venv") is not None:
        python = str(venv / "bin" / "python")
        return [
            [sys.executable, "-m", "venv", "--without-pip", str(venv)],
            [sys.executable, "-m", "pip", "--quiet", "--python", python, "install", "pip"],
        ]
    virtualenv = shutil.which("virtualenv")
    if virtualenv:
        return [[virtualenv, "--quiet", "--python", sys.executable, str(venv)]]
    uv = shutil.which("uv")
    if uv:
        return [[uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(venv)]]
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    raise SetUpError(
        f"this Python cannot make virtual environments: ensurepip, pip, virtualenv and uv are all missing.\n"
        f"  On Debian or Ubuntu: apt-get install {package} (or python3-venv)"
    )


def digest(*parts: bytes) -> str:
    """Short hash that tells whether a step has to run again."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def run(command: list[str], failure: str) -> None:
    """Run a step quietly; show what it said only when it fails."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SetUpError(f"{failure}\n  command: {' '.join(command)}\n{done.stdout.rstrip()}")


def works(python: Path) -> bool:
    """Whether the environment's Python starts: it does not after the Python it was made from has gone."""
    try:
        return subprocess.run([str(python), "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def set_up(root: Path) -> None:
    """Bring `root/.venv` to what the requirements say.

    Each step leaves a stamp with the hash of what it was made from, written only after the step is through. What was
    cut off in the middle is made again from nothing, for a half-installed package looks like an installed one.

    Raises:
        SetUpError: a step failed.
    """
    venv = root / ".venv"
    stamps = venv / ".gpufleet"
    python = venv / "bin" / "python"
    requirements = (root / "requirements.txt").read_bytes(), (root / "requirements-dev.txt").read_bytes()
    wanted = {
        "python": digest(sys.version.encode(), str(venv).encode()),
        "requirements": digest(*requirements),
        "project": digest((root / "pyproject.toml").read_bytes(), *requirements),
    }
    found = {name: _read(stamps / name) for name in wanted}
    if found == wanted and works(python):
        return
    begun = time.monotonic()
    if found["python"] != wanted["python"] or (stamps / "installing").exists() or not works(python):
        commands = venv_commands(venv)
        say(f"making .venv with Python {sys.version.split()[0]}")
        shutil.rmtree(venv, ignore_errors=True)
        for command in commands:
            run(command, "the virtual environment could not be made")
        stamps.mkdir(parents=True)
        (stamps / "python").write_text(wanted["python"])
        found = {}
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    no_network = (
        "the pinned packages could not be installed: is a package index within reach (or named in pip's settings)?"
    )
    steps = [
        ("requirements", "installing the pinned packages (about a minute)", [*pip, "-r", "requirements-dev.txt"]),
        ("project", "installing gpufleet itself, editable", [*pip, "--no-deps", "--no-build-isolation", "-e", "."]),
    ]
    for name, text, command in steps:
        if found.get(name) == wanted[name]:
            continue
        say(text)
        (stamps / "installing").touch()
        run(command, no_network)
        (stamps / name).write_text(wanted[name])
        (stamps / "installing").unlink()
    say(f".venv is ready ({time.monotonic() - begun:.0f} s)")


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main() -> int:
    """Run set-up; two at once wait for each other.

    Returns:
        0, or 2 with the reason on stderr.
    """
    try:
        check_python(sys.version_info[:2])
        with Path(__file__).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            set_up(ROOT)
    except SetUpError as error:
        say(f"error: {error}")
        return EXIT_CONFIGURATION
    except OSError as error:
        say(f"error: {error}")
        return EXIT_CONFIGURATION
    except KeyboardInterrupt:
        say("stopped; the next run repairs what was left half done")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
