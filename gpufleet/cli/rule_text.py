"""A rule for people to read: `gpufleet explain COST002`, and the list of all."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from gpufleet.cli.table import aligned
from policies.documentation import plain  # noqa: TID253 this module is loaded where a rule is explained alone

if TYPE_CHECKING:
    from policies.documentation import Case, Documentation, Setting

_LABEL: Final = 12
_LONGEST: Final = 100
_VERDICT: Final = len("  not-applicable  ")
"""Columns of an example's verdict, the longest one among them."""


def listed(rules: Sequence[Documentation]) -> str:
    """One rule a line."""
    head = ("RULE", "PACK", "SEVERITY", "ENFORCEMENT", "WHAT MUST HOLD")
    return aligned([head, *((one.id, one.pack, one.severity, one.enforcement, one.title) for one in rules)])


def shown(rule: Documentation, width: int, environment: str | None) -> str:
    """A rule with its reason, settings and examples.

    Args:
        rule: what it says of itself.
        width: columns to fill.
        environment: whose settings these are; None for the defaults.
    """
    width = min(width, _LONGEST)
    lines = [*textwrap.wrap(f"{rule.id}: {rule.title}.", width), ""]
    for paragraph in rule.why:
        lines += [*textwrap.wrap(paragraph, width), ""]
    facts = {
        "Judges": f"{rule.judges}; it sees {rule.reads}",
        "Pack": f"{rule.pack}, severity {rule.severity}, {rule.enforcement}"
        + (f" in {environment}" if environment else " unless configured otherwise"),
        "Fix": rule.fix,
        "Source": rule.source or "arithmetic on what was declared",
        "Waivable": rule.waivers,
    }
    for label, text in facts.items():
        lines += textwrap.wrap(text, width, initial_indent=label.ljust(_LABEL), subsequent_indent=" " * _LABEL)
    if rule.settings:
        lines += ["", f"Settings{f' in {environment}' if environment else ''}"]
    for setting in rule.settings:
        lines += _setting(setting, width)
    lines += ["", "Examples"]
    for case in rule.examples:
        lines += _case(case, width)
    return "\n".join(lines)


def _setting(setting: Setting, width: int) -> Iterator[str]:
    default = "" if setting.value == setting.default else f" (default {plain(setting.default)})"
    yield f"  {setting.name} = {plain(setting.value)}{default}"
    yield from textwrap.wrap(setting.description, width, initial_indent="    ", subsequent_indent="    ")


def _case(case: Case, width: int) -> Iterator[str]:
    indent = " " * _VERDICT
    start = f"  {case.verdict.value}".ljust(_VERDICT)
    yield from textwrap.wrap(case.title, width, initial_indent=start, subsequent_indent=indent)
    for kind, change in case.change.items():
        for line in _changes(kind, change):
            yield from textwrap.wrap(line, width, initial_indent=indent, subsequent_indent=f"{indent}  ")


def _changes(kind: str, change: Any) -> Iterator[str]:  # noqa: ANN401 plain YAML
    if isinstance(change, dict) and kind in {"stack", "settings"}:
        for key, value in change.items():
            yield f"{key}: {plain(value)}" if kind == "stack" else f"with {key} = {plain(value)}"
        return
    for one in change if isinstance(change, list) else [change]:
        name = f" {one['name']}" if "name" in one else ""
        word = {"add": "added: ", "before": "before: "}.get(kind, "")
        rest = "; ".join(f"{key} {plain(value)}" for key, value in one.items() if key not in {"type", "name", "parent"})
        yield f"{word}{one['type']}{name}{': ' if rest else ''}{rest}"
