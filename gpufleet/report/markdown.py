"""The report for a pull request: verdict, budget and cost of the change first, then what is wrong, the rest folded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gpufleet.check.finding import Finding, Level, Since, Verdict
from gpufleet.check.report import Report
from gpufleet.cost import CostDifference, Estimate
from gpufleet.cost.render import view, words
from gpufleet.cost.render.markdown import escaped
from gpufleet.cost.token_cost import HEAD as TOKENS_HEAD
from gpufleet.cost.token_cost import rows as token_rows
from gpufleet.errors import ExitCode
from gpufleet.outlook import words as outlook_words
from gpufleet.report.blocks import Block, fitted
from gpufleet.report.form import MARKDOWN_BYTES
from gpufleet.report.groups import Groups
from gpufleet.report.mermaid import flowchart
from gpufleet.report.rule_texts import Outcome, outcomes
from gpufleet.report.tools import tool_versions
from gpufleet.report.topology import topology
from gpufleet.report.words import (
    change_of_cost,
    delta_of,
    largest_first,
    limits_of,
    one_line,
    sentence,
    summary,
    tally,
    waived_by,
)

_MARKS: Final = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.UNDECIDED: "❔"}
_LEVELS: Final = {Level.ERROR: "❌", Level.WARNING: "⚠️", Level.NOTE: "ℹ️"}
_LONGEST_NAME: Final = 60


def markdown(reports: Sequence[Report], *, max_bytes: int = MARKDOWN_BYTES) -> str:
    """The reports in one comment of GitHub's markdown; text of the stack file in it is escaped.

    Its first line is a comment that nobody sees, by which a pipeline finds the comment that it wrote before:
    `<!-- gpufleet:check:prod -->`, or `<!-- gpufleet:check:several -->` for more than one environment.

    Args:
        reports: at least one.
        max_bytes: the most it may take, in UTF-8: at least `LEAST_MARKDOWN_BYTES`.
    """
    alone = len(reports) == 1
    if alone:
        blocks = [Block(name="summary", head=_head(reports) + _verdict(reports[0]))]
    else:
        rows = tuple(_overview_row(report) for report in reports)
        blocks = [
            Block(name="summary", head=_head(reports)),
            Block(name="overview", head=_OVERVIEW, items=rows, tail="\n"),
        ]
    for report in reports:
        if not alone:
            name = f"verdict of {_text(_short(report.environment))}"
            blocks.append(Block(name=name, head=f"### {_title(report)}\n\n{_verdict(report)}"))
        blocks += _visible(report)
    for report in reports:
        blocks += _folded(report, prefix="" if alone else f"{_text(_short(report.environment))}: ")
    names = " ".join(report.environment for report in reports) if alone else "ENV…"
    return fitted(
        blocks,
        _foot(reports),
        advice=f"`gpufleet check {_code(_short(names))} --format html --output report.html` shows everything.",
        max_bytes=max_bytes,
    )


_OVERVIEW: Final = "| environment | verdict | findings | a month | change |\n|---|---|---|---:|---:|\n"


def _head(reports: Sequence[Report]) -> str:
    name = reports[0].environment if len(reports) == 1 else "several"
    marker = f"<!-- gpufleet:check:{re.sub(r'[^A-Za-z0-9._]|-(?=-)', '_', name)} -->"
    if len(reports) > 1:
        bad = sum(report.exit_code is not ExitCode.OK for report in reports)
        mark = "❌" if bad else "✅"
        said = (
            f"{bad:,} of {len(reports):,} environments don't pass" if bad else f"all {len(reports):,} environments pass"
        )
        return f"{marker}\n## {mark} gpufleet check: {said}\n\n"
    (report,) = reports
    return f"{marker}\n## {_title(report)}\n\n"


def _title(report: Report) -> str:
    return f"{_MARKS[report.verdict]} {_text(_short(report.environment))}: {report.verdict.name} ({summary(report)})"


def _overview_row(report: Report) -> str:
    cost, difference = report.estimate, _difference(report)
    cells = (
        _text(_short(report.environment)),
        f"{_MARKS[report.verdict]} {report.verdict.value}",
        ", ".join(tally(Groups.of(report))) or "none",
        "not known" if cost is None else words.usd(cost.total.monthly.at(cost.gate)),
        "" if difference is None else words.signed(difference.delta.monthly.at(difference.after.gate)),
    )
    return f"| {' | '.join(cells)} |\n"


def _verdict(report: Report) -> str:
    """What decides: the budget, what has no price, and what the change costs."""
    lines = []
    if report.estimate is not None:
        mark = "✅" if report.estimate.held <= report.estimate.budget else "❌"
        lines += [f"{mark} **{_text(words.verdict(report.estimate))}**", ""]
        if gap := words.gaps(report.estimate):
            lines += [f"⚠️ **{gap}**", ""]
    if report.comparison is not None:
        difference, base = report.comparison.cost, _text(_short(report.comparison.base))
        said = "no cost to compare" if difference is None else f"**{change_of_cost(difference)}**"
        lines += [f"Against {base}: {said}", ""]
    if limits := limits_of(report):
        lines += [f"ℹ️ {_text(limits)}", ""]
    return "".join(f"{line}\n" for line in lines)


def _visible(report: Report) -> Iterator[Block]:
    name, difference = _text(_short(report.environment)), _difference(report)
    if report.comparison is not None and report.comparison.problem:
        yield Block(name=f"the base of {name}", head=f"⚠️ {_text(sentence(report.comparison.problem))}\n\n")
    if difference is not None and difference.changes:
        yield Block(
            name=f"cost changes of {name}",
            head="| component | before | after | change | why |\n|---|---:|---:|---:|---|\n",
            items=tuple(_changes(difference)),
            tail="\n",
        )
    groups = Groups.of(report)
    if groups.active:
        yield Block(name=f"findings of {name}", items=tuple(_item(finding) for finding in groups.active), tail="\n")


def _changes(difference: CostDifference) -> Iterator[str]:
    gate = difference.after.gate
    for change in largest_first(difference):
        amounts = (words.usd(one.monthly.at(gate)) for one in (change.before, change.after))
        reasons = "<br>".join(_text(reason) for reason in change.reasons)
        yield f"| {_text(change.component)} | {' | '.join(amounts)} | {delta_of(change, difference)} | {reasons} |\n"


def _item(finding: Finding, mark: str = "") -> str:
    rule = f"**{_text(finding.rule)}**" + (f" {finding.severity.value}" if finding.severity else "")
    since = f" *{finding.since.value}*" if finding.since in {Since.NEW, Since.WORSENED} else ""
    expired = " *waiver expired*" if finding.expired else ""
    open_ = " *undecided*" if finding.verdict is Verdict.UNDECIDED else ""
    place = f" `{_code(str(finding.place))}`" if finding.place else ""
    fix = f"<br>→ {_text(sentence(finding.fix))}" if finding.fix else ""
    waiver = f"<br>{_text(waived_by(finding.waiver))}" if finding.waiver else ""
    head = f"- {mark or _LEVELS[finding.level]} {rule}{since}{expired}{open_}{place}"
    return f"{head}<br>{_text(sentence(finding.said))}{fix}{waiver}\n"


def _folded(report: Report, *, prefix: str) -> Iterator[Block]:
    groups = Groups.of(report)
    found = (
        ("existing findings, in the base too", groups.existing, ""),
        ("waived findings", groups.waived, "⏳"),
        ("fixed findings", groups.fixed, "✅"),
    )
    for title, findings, mark in found:
        if findings:
            yield _details(f"{prefix}{title}", [_item(finding, mark) for finding in findings], count=len(findings))
    if report.graph is not None and (regions := topology(report.graph)):
        yield Block(
            name=f"{prefix}topology",
            head=f"<details><summary>{prefix}topology</summary>\n\n"
            f"```mermaid\n{flowchart(regions)}\n```\n\n</details>\n\n",
        )
    if report.estimate is not None:
        yield _details(f"{prefix}where the money goes", _money(report.estimate), head=_MONEY)
    yield from _ahead(report, prefix)
    rules = outcomes(report)
    for outcome, title in (
        (Outcome.PASS, "passed rules"),
        (Outcome.NOT_APPLICABLE, "rules with nothing to judge"),
        (Outcome.DISABLED, "disabled rules"),
    ):
        if some := [one.rule for one in rules if one.outcome is outcome]:
            lines = [f"- {_text(rule.id)}: {_text(sentence(rule.title))}\n" for rule in some]
            yield _details(f"{prefix}{title}", lines, count=len(lines))


def _ahead(report: Report, prefix: str) -> Iterator[Block]:
    """What is left with a part lost, the day, and what tokens cost."""
    if (ahead := report.outlook) is None:
        return
    tables = (
        ("with a region or spot lost", outlook_words.LOSS_HEAD, outlook_words.loss_rows(ahead)),
        ("where users go then", outlook_words.MOVED_HEAD, outlook_words.moved_rows(ahead)),
        ("a day of demand", outlook_words.DAY_HEAD, outlook_words.day_rows(ahead)),
        ("USD for a million output tokens", TOKENS_HEAD, token_rows(report.token_costs)),
    )
    said = "".join(
        f"{_text(sentence(line))}\n\n" for line in (outlook_words.day_line(ahead), *outlook_words.remarks(ahead))
    )
    for number, (title, head, rows) in enumerate(tables):
        lines = [f"| {' | '.join(map(_text, row))} |\n" for row in rows]
        if lines:
            top = f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
            yield _details(f"{prefix}{title}", lines, head=("" if number else said) + top)


_MONEY: Final = "| USD a month (730 h) | floor | expected | ceiling |\n|---|---:|---:|---:|\n"


def _money(estimate: Estimate) -> Iterator[str]:
    total = estimate.total.monthly
    yield f"| **all** | {total.floor:,.2f} | {total.expected:,.2f} | {total.ceiling:,.2f} |\n"
    for row in view.rows(estimate, compact=True):
        label = _text(row.label + (f": {row.what}" if row.what else ""))
        label = f"&emsp;{label}" if row.level else f"**{label}** ({_text(row.region)})"
        marks = (" *assumed in part*" if row.assumed else "") + (f" ⚠️ {row.gaps} not priced" if row.gaps else "")
        cells = ["no price"] * 3
        if row.amount is not None:
            bounds = row.amount.monthly
            cells = [f"{one:,.2f}" for one in (bounds.floor, bounds.expected, bounds.ceiling)]
        yield f"| {label}{marks} | {' | '.join(cells)} |\n"


def _details(name: str, items: Iterable[str], *, head: str = "", count: int | None = None) -> Block:
    number = "" if count is None else f" ({count:,})"
    return Block(
        name=name,
        head=f"<details><summary>{name}{number}</summary>\n\n{head}",
        items=tuple(items),
        tail="\n</details>\n\n",
    )


def _foot(reports: Sequence[Report]) -> str:
    dates = sorted(date for report in reports if report.estimate for date in report.estimate.dates() if date)
    prices = f"List prices of {dates[0]} to {dates[-1]}; a month has 730 h. " if dates else ""
    strict = "Strict. " if all(report.strict for report in reports) else ""
    return f"<sub>{prices}{strict}gpufleet {tool_versions()['gpufleet']}</sub>\n"


def _difference(report: Report) -> CostDifference | None:
    return None if report.comparison is None else report.comparison.cost


def _text(text: str) -> str:
    return escaped(one_line(text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _code(text: str) -> str:
    """For between two backticks: without one, and on one line."""
    return " ".join(one_line(text).replace("`", "'").split())
