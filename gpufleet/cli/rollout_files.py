"""Where the journal of a roll-out is kept, and that there is one roll-out at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gpufleet.errors import ConfigurationError, GpufleetError

if TYPE_CHECKING:
    from gpufleet.rollout.journal import Journal


def journal_file(environment: str, *, root: Path, sandbox: bool, named: Path | None) -> Path:
    """As `--journal` names it; else in the sandbox's home, or below `$XDG_STATE_HOME` (freedesktop.org).

    Raises:
        ConfigurationError: there is no home folder.
    """
    from gpufleet.engine.sandbox_home import sandbox_home

    if named is not None:
        return named.absolute()
    if sandbox:
        return sandbox_home(root) / "rollouts" / f"{environment}.json"
    if (state := os.environ.get("XDG_STATE_HOME")) and Path(state).is_absolute():
        return Path(state) / "gpufleet" / "rollouts" / f"{environment}.json"
    try:
        return Path.home() / ".local" / "state" / "gpufleet" / "rollouts" / f"{environment}.json"
    except RuntimeError:
        raise ConfigurationError(
            "there is no home folder to keep the journal of the roll-out in", hint="Name a file with --journal PATH."
        ) from None


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """Inside, no other roll-out uses the same journal on this machine; a kill ends that too.

    Raises:
        GpufleetError: another one does now.
        ConfigurationError: the folder cannot be written.
    """
    from gpufleet.engine.files import locked

    def refuse() -> None:
        raise GpufleetError(
            f"another roll-out is at work: it holds {file.name}.lock", hint="Wait for it, or stop it with Ctrl-C there."
        )

    try:
        with locked(file.with_name(f"{file.name}.lock"), refuse):
            yield
    except PermissionError as error:
        raise ConfigurationError(
            f"cannot write {error.filename}: {error.strerror}", hint="Name another file with --journal PATH."
        ) from None


def keeper(file: Path) -> Callable[[Journal], None]:
    """What writes the journal, each time whole; before the step that it speaks of."""
    from gpufleet.engine.files import write_if_different

    def keep(journal: Journal) -> None:
        try:
            write_if_different(file, journal.text, mode=0o600)
        except OSError as error:
            raise GpufleetError(
                f"the journal {file} cannot be written: {error.strerror}",
                hint="Without it nobody could go on after a kill, so nothing more was changed.",
            ) from None

    return keep
