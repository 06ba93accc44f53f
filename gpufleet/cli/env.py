"""`gpufleet env`: what a shell needs for plain `pulumi` commands."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import OutputOption, emit
from gpufleet.cli.run_options import EnvironmentArgument, SandboxOption

if TYPE_CHECKING:
    from gpufleet.engine.sandbox_home import Environment

app = typer.Typer()


class ShellFormat(StrEnum):
    """Language of the lines that set the variables."""

    SH = "sh"
    FISH = "fish"
    POWERSHELL = "powershell"
    JSON = "json"


@app.command()
def env(
    environment: EnvironmentArgument,
    sandbox: SandboxOption = False,
    form: Annotated[ShellFormat, typer.Option("--format", help="Language of the lines.")] = ShellFormat.SH,
    output: OutputOption = None,
) -> None:
    """Print the shell lines for plain Pulumi: eval "$(gpufleet env dev --sandbox)", then pulumi up.

    With --sandbox it also makes the sandbox's home and the stacks of all environments. Without it, the lines lead back
    to Azure and to your own backend.
    """
    from gpufleet.engine.shell import shell_environment

    changes, notes = shell_environment(environment, sandbox=sandbox)
    if notes:
        from gpufleet.cli.output import people

        for note in notes:
            people().print(note, markup=False)
    emit(render(changes, form), output)


def render(changes: Environment, form: ShellFormat) -> str:
    """The changes as lines for a shell, every value quoted, or as one JSON object (`{"set": {…}, "unset": […]}`)."""
    if form is ShellFormat.JSON:
        return json.dumps({"set": changes.variables, "unset": list(changes.unset)}, indent=2)
    match form:
        case ShellFormat.SH:
            lines = [f"unset {name}" for name in changes.unset]
            lines += [f"export {name}={shlex.quote(value)}" for name, value in changes.variables.items()]
        case ShellFormat.FISH:
            lines = [f"set --erase {name};" for name in changes.unset]
            lines += [
                f"set --export --global {name} {_fish(name, value)};" for name, value in changes.variables.items()
            ]
        case _:
            lines = [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in changes.unset]
            lines += [
                f"$Env:{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in changes.variables.items()
            ]
    return "\n".join(lines)


def _fish(name: str, value: str) -> str:
    # In fish PATH is a list, and a single-quoted string knows two escapes only.
    parts = value.split(":") if name == "PATH" else [value]
    return " ".join("'" + part.replace("\\", "\\\\").replace("'", "\\'") + "'" for part in parts)
