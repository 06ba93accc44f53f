"""What `gpufleet check --base` holds a change against: the files at the merge base, or another stack file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gpufleet.cli import git
from gpufleet.cli.stack_source import Named, is_file
from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    from gpufleet.check import Base

_OPTION = "--base"


def base_of(given: str, source: Named) -> Base:
    """The base of one environment.

    Args:
        given: a stack file, beside which the waivers and the rules' configuration are those of now; else a git version,
            of which everything is as it was where HEAD and that version parted.
        source: the environment's stack file.

    Raises:
        ConfigurationError: it is neither, or git can't read it.
        SpecError: the file can't be read.
    """
    from gpufleet.check import Base
    from gpufleet.engine.project import ROOT
    from gpufleet.spec.stack_file import file_text
    from policies import configuration, waivers_file

    waivers, rules = ROOT / waivers_file.NAME, configuration.FOLDER / f"{source.environment}.json"
    if is_file(given):
        return Base(
            name=given,
            stack=file_text(Path(given), given),
            waivers=_text(waivers),
            configuration=configuration.text_of(source.environment, configuration.FOLDER),
        )
    if Path(given).suffix in {".yaml", ".yml"}:
        raise ConfigurationError(f"{_OPTION} {given}: there is no such file", hint="Name a file, or a git version.")
    stack = source.path.resolve()
    found = git.merge_base(stack.parent, given, option=_OPTION)
    option = f"{_OPTION} {given}"
    return Base(
        name=_name(given, found),
        stack=found.text(stack, option=option),
        waivers=(found.text(waivers, option=option) or "") if found.holds(waivers) else _text(waivers),
        configuration=(found.text(rules, option=option) or "")
        if found.holds(rules)
        else configuration.text_of(source.environment, configuration.FOLDER),
    )


def _name(given: str, base: git.Version) -> str:
    if base.commit.startswith(given):
        return base.short
    same = git.version(base.top, given, option=_OPTION).commit == base.commit
    return f"{given} ({base.short})" if same else f"the merge base with {given} ({base.short})"


def _text(path: Path) -> str:
    """Of a file that has been read before, for it was well-formed."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""
