"""`gpufleet stacks`: the environments of this checkout and what the backend knows about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json
from gpufleet.cli.run_options import SandboxOption
from gpufleet.cli.table import aligned
from gpufleet.plural import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gpufleet.engine.backend import BackendStack

app = typer.Typer()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One environment.

    Attributes:
        environment_class: ephemeral, standard or production; "" when the file has mistakes.
        regions: Azure regions it uses, in the order of the file.
        mistakes: number of errors in the stack file.
        backend: what the backend holds, None when it has no such stack or was not reached.
    """

    name: str
    environment_class: str
    regions: tuple[str, ...]
    mistakes: int
    backend: BackendStack | None


@app.command()
def stacks(
    sandbox: SandboxOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """List the environments in stacks/, and what of each exists."""
    from gpufleet.engine.project import ROOT, stack_files

    known = _backend(sandbox=sandbox)
    rows = [_row(name, path, known) for name, path in stack_files(ROOT).items()]
    if form is Format.JSON:
        emit_json("stacks", {"sandbox": sandbox, "stacks": [_json(row) for row in rows]}, output)
    else:
        emit(_table(rows), output)


def _backend(*, sandbox: bool) -> Mapping[str, BackendStack]:
    from gpufleet.cli.output import people
    from gpufleet.engine.backend import backend_stacks
    from gpufleet.engine.errors import BackendError
    from gpufleet.engine.install import ensure_engine
    from gpufleet.engine.project import ROOT

    try:
        return backend_stacks(ROOT, ensure_engine(), sandbox=sandbox)
    except BackendError as error:
        # What stands in the checkout is worth showing even where nobody has logged in yet.
        people().print(f"note: {error}", markup=False)
        return {}


def _row(name: str, path: Path, known: Mapping[str, BackendStack]) -> Row:
    from gpufleet.spec import Severity, SpecError, load_environment

    backend = known.get(name)
    try:
        environment = load_environment(path)
    except SpecError as error:
        mistakes = sum(problem.severity is Severity.ERROR for problem in error.problems)
        return Row(name=name, environment_class="", regions=(), mistakes=mistakes, backend=backend)
    used = [fabric.region for fabric in environment.training]
    used += [region.name for region in environment.inference.regions] if environment.inference else []
    return Row(
        name=name,
        environment_class=environment.environment_class.value,
        regions=tuple(dict.fromkeys(used)),
        mistakes=0,
        backend=backend,
    )


def _json(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "class": row.environment_class or None,
        "regions": list(row.regions),
        "mistakes": row.mistakes,
        "resources": row.backend.resources if row.backend else None,
        "lastUpdate": (row.backend.last_update or None) if row.backend else None,
    }


def _table(rows: Sequence[Row]) -> str:
    cells = [("ENVIRONMENT", "CLASS", "RESOURCES", "LAST UPDATE", "REGIONS")]
    for row in rows:
        mistakes = f"{plural(row.mistakes, 'mistake')} in the stack file"
        cells.append(
            (
                row.name,
                row.environment_class or "?",
                str(row.backend.resources) if row.backend else "-",
                (row.backend.last_update[:19] if row.backend else "") or "never",
                ", ".join(row.regions) or mistakes,
            )
        )
    return aligned(cells)
