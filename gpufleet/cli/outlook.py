"""`gpufleet outlook ENV`: the day of the inference platform, and what is left when a part of it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import OutputOption, emit, emit_json, people
from gpufleet.cli.quotas import QuotaOption, quotas_of
from gpufleet.cli.run_options import complete_environment
from gpufleet.cli.stack_source import StackFileOption, current
from gpufleet.cli.table import aligned
from gpufleet.errors import ConfigurationError

if TYPE_CHECKING:
    from gpufleet.outlook import Outlook

app = typer.Typer()


class OutlookFormat(StrEnum):
    """Form of the outlook."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.command()
def outlook(
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV", help="Environment, as in stacks/Pulumi.ENV.yaml.", autocompletion=complete_environment
        ),
    ] = None,
    *,
    stack_file: StackFileOption = None,
    quota: QuotaOption = None,
    form: Annotated[
        OutlookFormat, typer.Option("--format", help="Form of the result on stdout; csv is the day by hour.")
    ] = OutlookFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """A day of the declared demand, and what is left with each region lost, or all spot nodes at once.

    Needs no cloud, no login and no engine. `gpufleet check` shows the same without quotas; what must hold is for its
    rules to say.
    """
    from gpufleet import outlook as ahead
    from gpufleet.spec import load

    source = current(environment, stack_file)
    loaded = load(source.file)
    for warning in loaded.warnings:
        people().print(str(warning), markup=False)
    found = ahead.outlook(loaded.environment, quotas_of(quota))
    if found is None:
        raise ConfigurationError(
            f"{source.label}: {source.environment} has no inference.models, so there is nothing to look ahead to",
            hint="Declare inference with models, or name an environment that has them.",
        )
    match form:
        case OutlookFormat.TABLE:
            emit("\n".join(_text(found)), output)
        case OutlookFormat.CSV:
            emit(_csv(found), output)
        case OutlookFormat.JSON:
            from gpufleet.outlook.document import document

            emit_json("outlook", {"environment": source.environment, **document(found)}, output)


def _text(found: Outlook) -> Iterator[str]:
    from gpufleet.outlook import words

    yield f"{words.day_line(found)}."
    tables = (
        ("", words.LOSS_HEAD, words.loss_rows(found)),
        ("Models, tokens a second", words.MODEL_HEAD, words.model_rows(found)),
        ("Where users go, round trips in ms", words.MOVED_HEAD, words.moved_rows(found)),
        ("The day, tokens a second", words.DAY_HEAD, words.day_rows(found)),
        ("Quotas, vCPUs", words.QUOTA_HEAD, words.quota_rows(found)),
    )
    for title, head, rows in tables:
        if lines := list(rows):
            yield from ("", *([title] if title else []), aligned([head, *lines]))
    if remarks := words.remarks(found):
        yield from ("", *(f"- {remark}." for remark in remarks))


def _csv(found: Outlook) -> str:
    import csv
    import io

    from gpufleet.outlook import words

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(words.DAY_HEAD)
    writer.writerows([cell.replace(",", "") for cell in row] for row in words.day_rows(found))
    return text.getvalue()
