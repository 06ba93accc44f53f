"""`gpufleet explain TOPIC`: where a number or a verdict comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json
from gpufleet.cli.run_options import complete_environment
from gpufleet.cli.stack_source import StackFileOption, current

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpufleet.sizing.advice import Advice

app = typer.Typer()

_TOPICS = ("sizing",)


def _complete_topic(incomplete: str) -> list[str]:
    return [topic for topic in _TOPICS if topic.startswith(incomplete)]


@app.command()
def explain(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="What to explain: sizing.", autocompletion=_complete_topic)
    ],
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV", help="With the figures of this environment.", autocompletion=complete_environment
        ),
    ] = None,
    stack_file: StackFileOption = None,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Explain where figures come from: formula, inputs with their sources, and what is left out.

    `gpufleet explain sizing prod` does so for an environment, `gpufleet explain sizing` with published numbers.
    """
    from gpufleet.catalog.nearest import nearest_name
    from gpufleet.errors import ConfigurationError

    if topic not in _TOPICS:
        near = nearest_name(topic, _TOPICS)
        raise ConfigurationError(
            f"nothing to explain is called {topic}",
            hint=f"Did you mean {near}?" if near else f"Topics: {', '.join(_TOPICS)}.",
        )
    name, advice = _sizing(environment, stack_file)
    if form is Format.JSON:
        body = {"topic": topic, "environment": name, "parts": [one.as_dict() for one in advice]}
        emit_json("explain", body, output)
    else:
        emit("\n".join(_text(advice)).strip("\n"), output)


def _sizing(environment: str | None, stack_file: Path | None) -> tuple[str | None, Sequence[Advice]]:
    """The environment's name and its advice; no name and the worked examples when none is meant."""
    if environment is None and stack_file is None:
        from gpufleet.sizing.examples import examples

        return None, examples()
    from gpufleet.sizing.proposal import advise
    from gpufleet.spec import load

    source = current(environment, stack_file)
    return source.environment, advise(load(source.file).environment)


def _text(advice: Sequence[Advice]) -> Iterator[str]:
    from gpufleet.sizing.explanation import shown

    for one in advice:
        yield from ("", one.title, "=" * len(one.title))
        for figure in one.figures:
            yield ""
            yield f"{figure.name}: {shown(figure.value)} {figure.unit}".rstrip()
            yield f"  = {figure.formula}  [{figure.source}]"
            for given in figure.inputs:
                mark = "assumed: " if given.assumed else ""
                yield f"    {given.name} = {shown(given.value)} {given.unit}".rstrip() + f"  [{mark}{given.source}]"
            if figure.note:
                yield f"  {figure.note}"
