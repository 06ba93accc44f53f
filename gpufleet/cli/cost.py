"""`gpufleet cost ENV`: what an environment will cost, before anything is created."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from gpufleet.cli.output import OutputOption, columns, emit, emit_json, people, wants_colour
from gpufleet.cli.run_options import complete_environment
from gpufleet.cli.stack_source import Source, StackFileOption, current, other
from gpufleet.errors import ExitCode, GpufleetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gpufleet.cost import CostDifference, Estimate, SpotSaving, UnitCost
    from gpufleet.cost.allocated import Allocated
    from gpufleet.cost.token_cost import TokenCost
    from gpufleet.spec import Environment

app = typer.Typer()


class CostFormat(StrEnum):
    """Form of the report."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    CSV = "csv"


class _Parts(TypedDict):
    """What a report shows beside the estimate."""

    units: Sequence[UnitCost]
    tokens: Sequence[TokenCost]
    allocations: Sequence[Allocated]
    savings: Sequence[SpotSaving]
    difference: CostDifference | None


class CostGateError(GpufleetError):
    """The budget's gate, or `--strict`, says no; the report has been written."""

    exit_code = ExitCode.POLICY


@app.command()
def cost(
    *,
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV", help="Environment, as in stacks/Pulumi.ENV.yaml.", autocompletion=complete_environment
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="REF|FILE", help="Compare with a git version, or another file.")
    ] = None,
    stack_file: StackFileOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Anything without a price is an error (exit code 5).")
    ] = False,
    form: Annotated[CostFormat, typer.Option("--format", help="Form of the report.")] = CostFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """What an environment costs: floor, expected use and ceiling, held against its budget.

    Needs no cloud, no login and no engine. Exit code 5 when the budget's gate is exceeded.
    """
    from gpufleet.cost import compare, spot_savings, unit_costs
    from gpufleet.outlook import allocated, outlook, token_costs

    source = current(environment, stack_file)
    base = other(against, source) if against is not None else None
    spec, found = _estimate(source)
    difference = None if base is None else compare(_estimate(base), (spec, found), base=base.label)
    ahead = outlook(spec)
    parts: _Parts = {
        "units": unit_costs(spec, found),
        "tokens": token_costs(ahead, found) if ahead else [],
        "allocations": allocated(spec, found),
        "savings": spot_savings(spec, found),
        "difference": difference,
    }
    _write(form, output, found, parts)
    _gate(found, strict=strict)


def _estimate(source: Source) -> tuple[Environment, Estimate]:
    from gpufleet.cost import estimate
    from gpufleet.engine.cache import plans_folder
    from gpufleet.graph.cached import plan
    from gpufleet.spec import load

    loaded = load(source.file)
    for warning in loaded.warnings:
        people().print(str(warning), markup=False)
    graph = plan(source.environment, loaded.environment, plans_folder())
    return loaded.environment, estimate(loaded.environment, graph, name=source.environment)


def _write(form: CostFormat, output: Path | None, found: Estimate, parts: _Parts) -> None:
    match form:
        case CostFormat.TABLE:
            from gpufleet.cost.render.table import table

            colour = output is None and wants_colour(sys.stdout)
            emit(table(found, **parts, width=columns(), colour=colour), output)
        case CostFormat.JSON:
            from gpufleet.cost.render.document import document

            emit_json("cost", document(found, **parts), output)
        case CostFormat.MARKDOWN:
            from gpufleet.cost.render.markdown import markdown

            emit(markdown(found, **parts), output)
        case CostFormat.HTML:
            from gpufleet.cost.render.page import page

            emit(page(found, **parts), output)
        case CostFormat.CSV:
            from gpufleet.cost.render.sheet import sheet

            emit(sheet(found), output)


def _gate(found: Estimate, *, strict: bool) -> None:
    """Raise CostGateError unless the estimate passes."""
    from gpufleet.cost import Verdict
    from gpufleet.cost.render.words import usd
    from gpufleet.plural import plural

    reasons, hints = [], []
    if found.verdict is Verdict.OVER:
        reasons.append(
            f"{found.environment} is over its budget: the {found.gate.value} costs {usd(found.held)} in the longest"
            f" month, the budget is {usd(found.budget)}"
        )
        hints.append("Lower a pool's maximum, raise budget.monthlyUsd, or hold another bound with budget.gate.")
    if strict and found.unpriced:
        number = len(found.unpriced)
        reasons.append(f"{plural(number, 'charge')} of {found.environment} {'has' if number == 1 else 'have'} no price")
        hints.append("The report says for each what to declare; prices.assumed takes planning prices.")
    if reasons:
        raise CostGateError("; ".join(reasons), hint=" ".join(hints))
