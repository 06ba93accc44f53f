"""From a stack file to a report: read, plan, price, size, then ask every source of findings."""

from __future__ import annotations

import datetime as dt
import pathlib
import traceback
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from gpufleet.catalog.table import CatalogError
from gpufleet.check.finding import Finding, Level, Place, Verdict
from gpufleet.check.report import Report, ordered
from gpufleet.check.rule_findings import findings, judged
from gpufleet.check.sources import SOURCES, Source
from gpufleet.check.subject import Subject
from gpufleet.cost import estimate
from gpufleet.errors import ExitCode, GpufleetError
from gpufleet.graph.cached import plan
from gpufleet.sizing.proposal import advise
from gpufleet.spec import SpecError, StackFile, load
from policies import evaluate as policies

_T = TypeVar("_T")

_ROOT: Final = pathlib.Path(__file__).parents[2]
_BUG: Final = "This is a mistake in the program or in gpufleet; the JSON report has its stack trace"


def check(
    path: pathlib.Path,
    *,
    environment: str,
    label: str,
    strict: bool,
    plans: pathlib.Path | None = None,
    today: dt.date | None = None,
) -> Report:
    """Check one stack file. Whatever is wrong with it, or with the program, is a finding.

    Args:
        path: the file.
        environment: name of the environment.
        label: what messages call the file.
        strict: whether what is unpriced or undecided is an error.
        plans: where plans are kept between runs; None to plan anew.
        today: see `gpufleet.spec.load`.

    Raises:
        CatalogError: a table of prices or facts is damaged, so nothing can be said about any environment.
    """
    try:
        file = StackFile.read(path, name=label)
        loaded = load(file, today=today)
    except SpecError as error:
        found = [Finding.of_problem(problem) for problem in error.problems]
        return Report(environment=environment, file=label, strict=strict, findings=ordered(found), passed=())
    attempts = _Attempts(label)
    attempts.findings += [Finding.of_problem(problem) for problem in loaded.warnings]
    spec = loaded.environment
    graph = attempts.run("plan", lambda: plan(environment, spec, plans))
    subject = Subject(
        file=file,
        name=environment,
        environment=spec,
        strict=strict,
        graph=graph,
        estimate=None if graph is None else attempts.run("cost", lambda: estimate(spec, graph, name=environment)),
        advice=attempts.run("sizing", lambda: advise(spec)),
    )
    asked = {"spec", "plan"}
    results = attempts.run("rules", lambda: judged(subject)) or ()
    for result in results:
        attempts.findings += findings(result, subject)
    for source in SOURCES:
        rules, found = attempts.run(source.name, partial(_ask, source, subject)) or ([], [])
        asked.update(rules)
        attempts.findings += found
    return Report(
        environment=environment,
        file=label,
        strict=strict,
        findings=ordered(attempts.findings),
        passed=tuple(
            sorted(
                (asked - {finding.rule for finding in attempts.findings})
                | {result.rule.id for result in results if result.verdict is policies.Verdict.PASS}
            )
        ),
        not_applicable=tuple(result.rule.id for result in results if result.verdict is policies.Verdict.NOT_APPLICABLE),
        estimate=subject.estimate,
        advice=subject.advice,
        graph=subject.graph,
    )


def _ask(source: Source, subject: Subject) -> tuple[list[str], list[Finding]]:
    return list(source.rules(subject)), list(source.find(subject))


class _Attempts:
    """Runs the steps of a check; one that raises is a finding, so that the rest is still checked."""

    def __init__(self, label: str) -> None:
        self.findings: list[Finding] = []
        self._label = label

    def run(self, rule: str, act: Callable[[], _T]) -> _T | None:
        """What `act` returns, or None when it raised."""
        try:
            return act()
        except CatalogError:
            raise
        except GpufleetError as error:
            self._add(rule, error.message, error.hint, Place(file=self._label), error.exit_code)
        except Exception as error:  # noqa: BLE001 what a rule or the program raises must neither pass nor hide the rest
            trace = "".join(traceback.format_exception(error))
            self._add(
                rule, f"raised {type(error).__name__}: {error}", _BUG, _raised_at(error), ExitCode.ERROR, trace=trace
            )
        return None

    def _add(self, rule: str, message: str, fix: str, place: Place | None, code: ExitCode, *, trace: str = "") -> None:
        self.findings.append(
            Finding(
                rule=rule,
                level=Level.ERROR,
                verdict=Verdict.FAIL,
                message=message.rstrip("."),
                fix=fix.rstrip("."),
                place=place,
                code=code,
                trace=trace,
            )
        )


def _raised_at(error: Exception) -> Place | None:
    """The innermost line of the checkout that the error went through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = pathlib.Path(frame.filename)
        if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
            return Place(file=str(path.relative_to(_ROOT)), line=frame.lineno)
    return None
