"""Which stack file a command means: an environment's, any other file, or a version that git keeps."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli import git
from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    from gpufleet.spec import StackFile

StackFileOption = Annotated[
    Path | None,
    typer.Option("--stack-file", metavar="PATH", help="This file instead of stacks/Pulumi.ENV.yaml.", dir_okay=False),
]


@dataclass(frozen=True)
class Source:
    """A stack file as read.

    Attributes:
        environment: name of the environment.
        path: the file, also where it would be for a version out of git.
        label: how a report names it: `main (1a2b3c4)`, a path.
        file: its content.
    """

    environment: str
    path: Path
    label: str
    file: StackFile


@dataclass(frozen=True)
class Named:
    """A stack file that nobody has read yet.

    Attributes:
        environment: name of the environment.
        path: the file.
        label: how messages name it.
    """

    environment: str
    path: Path
    label: str


def named(environment: str | None, stack_file: Path | None) -> Named:
    """Which file is meant: an environment's, or the one that `--stack-file` names.

    Args:
        environment: its name; with a file it may be left out and is then the one of `Pulumi.<name>.yaml`.
        stack_file: the file, anywhere.

    Raises:
        ConfigurationError: neither is given.
        StackMissingError: there is no such environment.
    """
    from gpufleet.engine.project import ROOT
    from gpufleet.engine.project import stack_file as file_of

    if stack_file is not None:
        name = environment or stack_file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        return Named(name, stack_file, str(stack_file))
    if not environment:  # also the empty name of a variable that a script has not set
        raise ConfigurationError(
            "no environment is named", hint="Give its name, or any stack file with --stack-file PATH."
        )
    path = file_of(ROOT, environment)
    return Named(environment, path, str(path.relative_to(ROOT)))


def current(environment: str | None, stack_file: Path | None) -> Source:
    """The stack file of an environment, or the one that `--stack-file` names, read.

    Raises:
        ConfigurationError, StackMissingError: as `named`.
        SpecError: there is no such file, or it is no stack file.
    """
    from gpufleet.spec import StackFile

    found = named(environment, stack_file)
    return Source(found.environment, found.path, found.label, StackFile.read(found.path, name=found.label))


def is_file(name: str) -> bool:
    """Whether a name that may as well be a git version's is a file's; never an error, however long it is."""
    return os.path.isfile(name)  # noqa: PTH113 Path.is_file raises where a name is too long for the file system


def other(version: str, of: Source) -> Source:
    """What to compare with: a file of that name if there is one, else that git version of the same stack file.

    Raises:
        ConfigurationError: it is neither, or the version does not have the file.
        SpecError: it is no stack file.
    """
    from gpufleet.spec import StackFile

    path = Path(version)
    if is_file(version):
        return Source(of.environment, path, version, StackFile.read(path))
    if path.suffix in {".yaml", ".yml"}:
        raise ConfigurationError(f"--against {version}: there is no such file", hint="Name a file, or a git version.")
    stack = of.path.resolve()
    found = git.version(stack.parent, version, option="--against")
    text = found.text(stack, option=f"--against {version}")
    if text is None:
        raise ConfigurationError(
            f"--against {version}: {stack.name} is not in commit {found.short}",
            hint="The environment is new there, so there is nothing to compare with: leave --against out.",
        )
    label = version if found.commit.startswith(version) else f"{version} ({found.short})"
    return Source(of.environment, of.path, label, StackFile.from_text(text, name=f"{found.short}:{stack.name}"))
