"""`gpufleet explain TOPIC`: where a number or a verdict comes from, and what a rule asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, columns, emit, emit_json
from gpufleet.cli.run_options import complete_environment
from gpufleet.cli.stack_source import StackFileOption, current
from gpufleet.engine import project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpufleet.sizing.advice import Advice
    from policies.documentation import Documentation

app = typer.Typer()

_SIZING = "sizing"
_RULES = "rules"
_TOPICS = (_SIZING, _RULES)


def _complete_topic(incomplete: str) -> list[str]:
    # By the names of their files: importing the rules takes longer than a completion may.
    ids = sorted(
        path.name.partition("_")[0].upper() for path in (project.ROOT / "policies" / "rules").glob("[a-z]*.py")
    )
    return [topic for topic in (*_TOPICS, *ids) if topic.casefold().startswith(incomplete.casefold())]


@app.command()
def explain(
    topic: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC",
            help="What to explain: a rule such as COST002, rules (all of them), or sizing.",
            autocompletion=_complete_topic,
        ),
    ],
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV",
            help="With the figures of this environment; of a rule, with its settings there.",
            autocompletion=complete_environment,
        ),
    ] = None,
    stack_file: StackFileOption = None,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Explain a rule, or where figures come from: formula, inputs with their sources, and what is left out.

    `gpufleet explain COST002` says what the rule asks for, why, and shows examples; with an environment, what is
    configured there. `gpufleet explain rules` lists all of them. `gpufleet explain sizing prod` shows the figures of an
    environment, `gpufleet explain sizing` those with published numbers.
    """
    if topic == _SIZING:
        name, advice = _sizing(environment, stack_file)
        if form is Format.JSON:
            body = {"topic": topic, "environment": name, "parts": [one.as_dict() for one in advice]}
            emit_json("explain", body, output)
        else:
            emit("\n".join(_text(advice)).strip("\n"), output)
        return
    name = None if environment is None and stack_file is None else current(environment, stack_file).environment
    found = _documentation(topic, name)
    if form is Format.JSON:
        body = {"topic": topic if topic == _RULES else found[0].id, "environment": name}
        emit_json("explain", {**body, "rules": [one.as_dict() for one in found]}, output)
    else:
        from gpufleet.cli import rule_text

        emit(rule_text.listed(found) if topic == _RULES else rule_text.shown(found[0], columns(), name), output)


def _documentation(topic: str, environment: str | None) -> Sequence[Documentation]:
    """All rules, or the one that is meant, as they are configured in an environment."""
    from gpufleet.catalog.nearest import nearest_name
    from gpufleet.errors import ConfigurationError
    from policies.catalogue import rule, rules
    from policies.configuration import load
    from policies.documentation import documented

    one = rule(topic)
    if one is None and topic != _RULES:
        near = nearest_name(topic, (*_TOPICS, *(known.id for known in rules())))
        raise ConfigurationError(
            f"nothing to explain is called {topic}",
            hint=f"Did you mean {near}?" if near else "`gpufleet explain rules` lists all rules; or sizing.",
        )
    configured = {} if environment is None else load(environment, rules())
    return [documented(known, configured.get(known.id)) for known in (rules() if one is None else (one,))]


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
