"""Sentences that the forms of a report share."""

from __future__ import annotations

from gpufleet.check.finding import Level
from gpufleet.check.report import Report
from gpufleet.cost import CostDifference
from gpufleet.cost.difference import Change
from gpufleet.cost.render.words import signed, usd
from gpufleet.plural import plural
from gpufleet.report.groups import Groups
from policies.waivers import Waiver


def sentence(text: str) -> str:
    """A text with its full stop."""
    return text if text.endswith(("?", ".", "!")) or not text else f"{text}."


def one_line(text: str) -> str:
    """On one line and without what a terminal or a pipeline would obey: names and keys are the stack file's.

    Azure Pipelines looks for commands anywhere in a line (microsoft/azure-pipelines-agent: Command.TryParse).
    """
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown.replace("##vso[", "## vso[")


def tally(groups: Groups) -> list[str]:
    """`2 errors`, `1 warning`, `3 existing`, `1 waived`, `2 fixed`; what there is none of is left out."""
    levels = [(level, sum(finding.level is level for finding in groups.active)) for level in Level]
    others = (("existing", groups.existing), ("waived", groups.waived), ("fixed", groups.fixed))
    return [plural(number, level.value) for level, number in levels if number] + [
        f"{len(found):,} {name}" for name, found in others if found
    ]


def summary(report: Report) -> str:
    """`2 errors, 1 waived, 40 rules passed`; `nothing was checked` of a report without any of it."""
    passed = [f"{plural(len(report.passed), 'rule')} passed"] if report.passed else []
    return ", ".join([*tally(Groups.of(report)), *passed]) or "nothing was checked"


def limits_of(report: Report) -> str:
    """That the rules had their defaults; "" where the environment has a configuration, or no rule was asked."""
    if not report.configuration or report.inputs.get(report.configuration):
        return ""
    return f"The rules have their default limits: there is no {one_line(report.configuration)}."


def waived_by(waiver: Waiver) -> str:
    """Why a finding may pass, who says so, and until when."""
    bound = "" if waiver.bound is None else f" up to {waiver.bound:f}"
    return (
        f"Waived{bound} until {waiver.expires}: {sentence(waiver.reason)} Owner {waiver.owner}, {waiver.ticket},"
        f" approved by {waiver.approved_by}."
    )


def change_of_cost(difference: CostDifference) -> str:
    """`$1.00 → $2.00 a month at the ceiling (+$1.00)`, at the bound that the gate holds."""
    gate = difference.after.gate
    before, after = (one.total.monthly.at(gate) for one in (difference.before, difference.after))
    if before == after:
        return f"{usd(after)} a month at the {gate.value}, as before"
    return f"{usd(before)} → {usd(after)} a month at the {gate.value} ({signed(after - before)})"


def delta_of(change: Change, difference: CostDifference) -> str:
    """`+$1.00`, of one component in a month, at the bound that the gate holds."""
    return signed(change.delta.monthly.at(difference.after.gate))


def largest_first(difference: CostDifference) -> list[Change]:
    """The components whose cost changes most, up or down, before the others."""
    gate = difference.after.gate
    return sorted(difference.changes, key=lambda change: -abs(change.delta.monthly.at(gate)))
