"""From a stack file to a report: read, plan, price, size, ask the rules, and hold it all against a base."""

from __future__ import annotations

import datetime as dt
import hashlib
import pathlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from gpufleet.catalog.table import CatalogError
from gpufleet.check.base import Base, beside
from gpufleet.check.finding import Finding, Level, Place, Verdict
from gpufleet.check.report import Comparison, FailOn, Report, ordered
from gpufleet.check.rule_findings import Judged, judged
from gpufleet.check.subject import Subject
from gpufleet.cost import CostDifference, compare, estimate
from gpufleet.errors import ExitCode, GpufleetError
from gpufleet.graph import Graph
from gpufleet.graph.cached import plan
from gpufleet.sizing.proposal import advise
from gpufleet.spec import Environment, Problem, SpecError, StackFile, load
from gpufleet.spec.stack_file import file_text
from policies import configuration as configuring
from policies import evaluate as policies
from policies import waivers_file
from policies.catalogue import rules
from policies.waivers import Waivers

if TYPE_CHECKING:
    from gpufleet.cost.token_cost import TokenCost
    from gpufleet.outlook import Outlook

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
    waivers: Waivers | None = None,
    configuration: pathlib.Path | None = None,
    base: Base | None = None,
    fail_on: frozenset[FailOn] = frozenset(),
) -> Report:
    """Check one stack file. Whatever is wrong with it, or with the program, is a finding.

    Args:
        path: the file.
        environment: name of the environment.
        label: what messages call the file.
        strict: whether what is unpriced or undecided is an error.
        plans: where plans are kept between runs; None to plan anew.
        today: see `gpufleet.spec.load`.
        waivers: of the checkout; None for none.
        configuration: the folder with `<environment>.json`; None for `policies/config`.
        base: what the change is held against; None to compare with nothing.
        fail_on: what fails the check beyond the default.

    Raises:
        CatalogError: a table of prices or facts is damaged, so nothing can be said about any environment.
    """
    job = _Job(environment=environment, strict=strict, plans=plans, today=today)
    held = waivers or Waivers(today=today or dt.datetime.now(dt.UTC).date())
    try:
        before = None if base is None else _before(job, base, label, held.today)
        problem = ""
    except _UnjudgedError as error:
        before, problem = None, str(error)
    now = job.run(
        label,
        text=lambda: file_text(path, label),
        configuration=lambda: configuring.text_of(environment, configuration or configuring.FOLDER),
        waivers=held,
        base=before.report.graph if before else None,
    )
    report = replace(now.report, fail_on=fail_on)
    if base is None:
        return report
    found, fixed = beside(report.findings, before.report.findings if before else ())
    return replace(
        report,
        findings=ordered(found),
        comparison=Comparison(
            base=base.name,
            fixed=ordered(fixed if report.judged else ()),
            cost=_difference(before, now, base.name),
            problem=problem,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """A report, and what it is about; None when there is no valid environment."""

    report: Report
    subject: Subject | None = None


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What is the same for a change and for its base."""

    environment: str
    strict: bool
    plans: pathlib.Path | None
    today: dt.date | None

    def run(
        self,
        label: str,
        *,
        text: Callable[[], str],
        configuration: Callable[[], str],
        waivers: Waivers,
        base: Graph | None = None,
    ) -> _Outcome:
        """Check one version of the files."""
        inputs = {waivers_file.NAME: waivers.digest}
        try:
            content = text()
            inputs[label] = _digest(content)
            file = StackFile.from_text(content, name=label)
            loaded = load(file, today=self.today)
        except SpecError as error:
            found = [Finding.of_problem(problem) for problem in error.problems]
            return _Outcome(report=self._report(label, ordered(found), inputs=inputs))
        attempts = _Attempts(label)
        attempts.findings += [Finding.of_problem(problem) for problem in loaded.warnings]
        subject = self._subject(file, loaded.environment, attempts)
        ahead, tokens = attempts.run("outlook", lambda: _ahead(subject)) or (None, ())
        results = attempts.run("rules", lambda: self._judged(subject, configuration, inputs, waivers, base)) or Judged()
        attempts.findings += results.findings
        steps = {"spec", "plan"} - {finding.rule for finding in attempts.findings if finding.level is not Level.NOTE}
        report = replace(
            self._report(label, ordered(attempts.findings), inputs=inputs),
            passed=tuple(sorted(steps | {*results.ids(policies.Verdict.PASS)})),
            not_applicable=results.ids(policies.Verdict.NOT_APPLICABLE),
            disabled=results.disabled,
            waivers=results.waivers,
            estimate=subject.estimate,
            advice=subject.advice,
            outlook=ahead,
            token_costs=tokens,
            graph=subject.graph,
            configuration=configuring.name_of(self.environment),
        )
        return _Outcome(report=report, subject=subject)

    def _report(self, label: str, found: tuple[Finding, ...], *, inputs: dict[str, str]) -> Report:
        return Report(
            environment=self.environment, file=label, strict=self.strict, findings=found, passed=(), inputs=inputs
        )

    def _subject(self, file: StackFile, spec: Environment, attempts: _Attempts) -> Subject:
        graph = attempts.run("plan", lambda: plan(self.environment, spec, self.plans))
        return Subject(
            file=file,
            name=self.environment,
            environment=spec,
            strict=self.strict,
            graph=graph,
            estimate=None
            if graph is None
            else attempts.run("cost", lambda: estimate(spec, graph, name=self.environment)),
            advice=attempts.run("sizing", lambda: advise(spec)),
        )

    def _judged(
        self,
        subject: Subject,
        configuration: Callable[[], str],
        inputs: dict[str, str],
        waivers: Waivers,
        base: Graph | None,
    ) -> Judged:
        name = configuring.name_of(self.environment)
        text = configuration()
        inputs[name] = _digest(text) if text else ""
        return judged(subject, configuring.from_text(text, rules(), name), waivers, base)


class _UnjudgedError(Exception):
    """The base can't be judged; the text says why, without a full stop."""


def _before(job: _Job, base: Base, label: str, today: dt.date) -> _Outcome:
    """The base, judged by the rules of now.

    Raises:
        _UnjudgedError: its files don't allow that. Then every finding is new, for whatever the base had is not known.
    """
    if (stack := base.stack) is None:
        raise _UnjudgedError(f"{base.name} has no {label}")
    try:
        waivers = waivers_file.parse(base.waivers, today=today, rules=rules(), environments=None)
    except SpecError as error:
        raise _UnjudgedError(f"the waivers of {base.name} are malformed: {_of(error.problems[0])}") from None
    found = job.run(label, text=lambda: stack, configuration=lambda: base.configuration, waivers=waivers)
    if not found.report.judged:
        first = next(one for one in found.report.findings if one.level is Level.ERROR)
        raise _UnjudgedError(f"{label} of {base.name} can't be judged: {_of(first)}")
    return found


def _ahead(subject: Subject) -> tuple[Outlook | None, tuple[TokenCost, ...]]:
    if subject.environment.inference is None:
        return None, ()
    from gpufleet.outlook import outlook, token_costs  # noqa: PLC0415 most environments train and serve nothing

    found = outlook(subject.environment)
    return found, tuple(token_costs(found, subject.estimate)) if found and subject.estimate else ()


def _of(wrong: Finding | Problem) -> str:
    return ": ".join(part for part in (wrong.key, wrong.message) if part)


def _difference(before: _Outcome | None, now: _Outcome, name: str) -> CostDifference | None:
    pair = [
        (one.subject.environment, one.subject.estimate)
        for one in (before, now)
        if one and one.subject and one.subject.estimate
    ]
    return compare(pair[0], pair[1], base=name) if len(pair) == 2 else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


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
