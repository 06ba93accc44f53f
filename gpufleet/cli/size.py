"""`gpufleet size ENV`: what an environment needs to carry what it declares, as a patch to its stack file and why."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import OutputOption, emit, emit_json
from gpufleet.cli.quotas import QuotaOption, quotas_of
from gpufleet.cli.run_options import complete_environment
from gpufleet.cli.stack_source import StackFileOption, current
from gpufleet.plural import plural

if TYPE_CHECKING:
    from gpufleet.sizing.proposal import Proposal

app = typer.Typer()


class SizeFormat(StrEnum):
    """Form of the proposal."""

    TEXT = "text"
    JSON = "json"
    PATCH = "patch"


@app.command()
def size(
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV", help="Environment, as in stacks/Pulumi.ENV.yaml.", autocompletion=complete_environment
        ),
    ] = None,
    *,
    stack_file: StackFileOption = None,
    days: Annotated[
        float | None, typer.Option("--days", help="Also find the nodes that finish each training run in so many days.")
    ] = None,
    any_size: Annotated[
        bool, typer.Option("--any-size", help="Place on every GPU size with a price, not only those in the file.")
    ] = False,
    quota: QuotaOption = None,
    spot_share: Annotated[
        float, typer.Option("--spot-share", help="Percent of a model's capacity that may be spot.")
    ] = 0.0,
    max_regions: Annotated[int | None, typer.Option("--max-regions", min=1, help="Serve from so many at most.")] = None,
    survive_loss: Annotated[
        bool | None,
        typer.Option(
            "--survive-loss/--no-survive-loss",
            help="Meet the demand with any one region lost; by default where several serve.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="Time to search for a cheaper placement.")] = 20.0,
    form: Annotated[SizeFormat, typer.Option("--format", help="Form of the result on stdout.")] = SizeFormat.TEXT,
    output: OutputOption = None,
) -> None:
    """Propose nodes, storage and places as a patch to the stack file.

    `gpufleet size prod --format patch | git apply` takes the proposal over. Exit code 2 when nothing meets the demand;
    the message says which limit would have to give way, and by how much.
    """
    from gpufleet.errors import ConfigurationError
    from gpufleet.sizing.numbers import not_negative, positive
    from gpufleet.sizing.proposal import propose
    from gpufleet.sizing.serving_advice import Limits

    source = current(environment, stack_file)
    limits = Limits(
        quotas=quotas_of(quota),
        spot_share=not_negative("--spot-share", spot_share, at_most=100) / 100,
        any_size=any_size,
        max_regions=max_regions,
        survive_loss=survive_loss,
        seconds=positive("--seconds", seconds, at_most=86_400),
    )
    if days is not None:
        positive("--days", days, at_most=1e6)
    try:
        text = source.path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"cannot read {source.label}: {error.strerror or error}") from None
    found = propose(text, name=source.label, limits=limits, within_days=days)
    match form:
        case SizeFormat.TEXT:
            emit("\n".join(_text(source.environment, found)), output)
        case SizeFormat.PATCH:
            emit(found.patch, output) if found.patch or output else None
        case SizeFormat.JSON:
            body = {
                "environment": source.environment,
                "advice": [one.as_dict() for one in found.advice],
                "patch": found.patch,
            }
            emit_json("size", body, output)


def _text(environment: str, found: Proposal) -> Iterator[str]:
    from gpufleet.sizing.explanation import shown
    from gpufleet.spec.problem import key_text

    objections, changes = found.objections, found.changes
    if not objections and not changes:
        yield f"{environment}: what is declared carries what is asked; nothing to change."
    else:
        yield f"{environment}: {plural(len(objections), 'objection')}, {plural(len(changes), 'change')} proposed."
    for objection in objections:
        yield f"  {'!' if objection.decided else '?'} {key_text(objection.path)}: {objection.message}. {objection.fix}."
    for change in changes:
        value = "added" if isinstance(change.value, dict) else str(change.value)
        yield f"  > {key_text(change.path)}: {value}: {change.why}."
    for one in found.advice:
        yield ""
        yield one.title
        width = max((len(figure.name) for figure in one.figures), default=0)
        for figure in one.figures:
            yield (
                f"  {figure.name.ljust(width)}  {shown(figure.value)} {figure.unit}".rstrip()
                + ("  (rests on an assumption)" if figure.assumed else "")
            )
    if found.patch:
        yield ""
        yield found.patch.rstrip("\n")
    yield ""
    yield f"Formulas, inputs and sources: gpufleet explain sizing {environment}"
