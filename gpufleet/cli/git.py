"""Reading what git keeps."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import ConfigurationError

_SECONDS = 30
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})
_DEEPEN = (
    "`git fetch --deepen=200` or `--unshallow` brings the history; in GitHub Actions, `fetch-depth: 0` at checkout"
)


@dataclass(frozen=True)
class Version:
    """A commit that someone has named.

    Attributes:
        top: the folder of the work tree.
        commit: its full hash.
    """

    top: Path
    commit: str

    @property
    def short(self) -> str:
        """As people write it."""
        return self.commit[:7]

    def holds(self, path: Path) -> bool:
        """Whether a file is, or would be, in this work tree."""
        return path.resolve().is_relative_to(self.top)

    def text(self, path: Path, *, option: str) -> str | None:
        """A file of this work tree as it was; None when it was not there.

        Raises:
            ConfigurationError: it was there and can't be read.
        """
        name = path.resolve().relative_to(self.top).as_posix()
        if git(self.top, "ls-tree", "--name-only", self.commit, "--", name) == b"":
            return None
        content = git(self.top, "show", f"{self.commit}:{name}")
        if content is None:
            raise ConfigurationError(
                f"{option}: git can't read {name} of commit {self.short}",
                hint="Its objects are missing in this clone, or damaged: `git fsck` tells.",
            )
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigurationError(f"{option}: {name} of commit {self.short} is not UTF-8 text") from None


def version(folder: Path, name: str, *, option: str) -> Version:
    """The commit of a branch, tag or hash.

    Raises:
        ConfigurationError: git knows none of that name there.
    """
    found = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    top = git(folder, "rev-parse", "--show-toplevel")
    if found is None or top is None:
        shallow = f" This clone is shallow: {_DEEPEN}." if _shallow(folder) else ""
        refusal = _run(folder, "rev-parse", "--git-dir").stderr.decode(errors="replace").strip().partition("\n")[0]
        said = f" git says: {refusal}" if refusal else ""
        raise ConfigurationError(
            f"{option} {name}: neither a file nor a version that git knows in {folder}",
            hint="Name a branch, tag or commit (`git fetch` brings those of the remote), or a stack file."
            f"{shallow}{said}",
        )
    return Version(Path(top.decode().rstrip("\n")).resolve(), found.decode().strip())


def merge_base(folder: Path, name: str, *, option: str) -> Version:
    """Where the checked-out branch and another version parted.

    Raises:
        ConfigurationError: there is no such version, or no commit that both come from in this clone.
    """
    other, head = version(folder, name, option=option), version(folder, "HEAD", option=option)
    found = git(folder, "merge-base", other.commit, head.commit)
    if found is None:
        raise ConfigurationError(
            f"{option} {name}: no commit in this clone is behind both {other.short} ({name}) and {head.short} (HEAD)",
            hint=f"This clone is shallow, and where they parted is not in it: {_DEEPEN}."
            if _shallow(folder)
            else "Their histories have nothing in common: name the version that the change goes to, or a stack file.",
        )
    return Version(head.top, found.decode().strip())


def git(folder: Path, *arguments: str) -> bytes | None:
    """Output of a git command that reads; None when git says no."""
    done = _run(folder, *arguments)
    return done.stdout if done.returncode == 0 else None


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # In a hook git names its own repository by these, relative to another folder (githooks(5)).
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=environment,
        )
    except FileNotFoundError:
        raise ConfigurationError("git is not installed", hint="Install it, or compare with a file.") from None
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"git did not answer within {_SECONDS} s", hint="Compare with a file.") from None


def _shallow(folder: Path) -> bool:
    return git(folder, "rev-parse", "--is-shallow-repository") == b"true\n"
