"""What people read about a rule, out of the rule itself: `gpufleet explain COST002`, and docs/rules.md.

`python -m policies.documentation` writes docs/rules.md anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gpufleet.spec.field_docs import field_docs
from policies import examples
from policies.evaluate import Configured, Verdict, defaults
from policies.rule import AnyRule, Enforcement, Pack, Scope, Settings, Severity

PAGE: Final = Path(__file__).parents[1] / "docs" / "rules.md"

_PACKS: Final = {
    Pack.COST: "Cost",
    Pack.SCALING: "Scaling",
    Pack.PLATFORM: "Platform",
}
_SCOPES: Final = {
    Scope.RESOURCE: "one resource at a time, before it is created",
    Scope.STACK: "the whole stack, and what was declared",
}
_CHANGE: Final = ("stack", "resource", "add", "before", "settings")
_HEAD: Final = """\
# Rules

Made from the rules by `python -m policies.documentation`; `gpufleet explain COST002` shows one of them with its
examples. `gpufleet check` asks all of them without a cloud, and the policy packs ask the same ones in the engine.

A **mandatory** rule fails the check, an **advisory** one warns; `policies/config/<environment>.json` changes that, and
the settings. A rule that lacks a value is **undecided**: under `--strict` (the default in CI) that fails too. A
**waiver** lets one finding pass; where a rule has a measure, the waiver gives a bound in it.
"""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a rule.

    Attributes:
        name: the key in `policies/config/<environment>.json`.
        value: in effect; `default` unless an environment is configured.
        description: in words.
    """

    name: str
    value: object
    default: object
    description: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """One example, which a test runs.

    Attributes:
        base: the sample environment, `policies/samples/<base>.yaml`.
        change: what is different from it: keys of the stack file, resources, settings; {} for nothing.
        verdict: what it comes to.
    """

    title: str
    base: str
    change: Mapping[str, Any]
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Documentation:
    """Everything that people read about a rule.

    Attributes:
        title: what must hold.
        why: paragraphs.
        judges: what it looks at, in words.
        reads: whether it sees one resource or all.
        measure: what a waiver's bound is in; "" without.
        enforcement: in effect.
        fix: a sentence without its full stop, unless a finding says it better.
        source: the documentation behind it; "" when it is arithmetic on what was declared.
    """

    id: str
    title: str
    why: tuple[str, ...]
    judges: str
    reads: str
    pack: Pack
    severity: Severity
    enforcement: Enforcement
    waivable: bool
    measure: str
    fix: str
    source: str
    settings: tuple[Setting, ...]
    examples: tuple[Case, ...]

    @property
    def waivers(self) -> str:
        """Whether a waiver lets its findings pass, in words."""
        if not self.waivable:
            return "no"
        return f"yes, with a bound in {self.measure}" if self.measure else "yes"

    def as_dict(self) -> dict[str, object]:
        """Fields in camelCase, for JSON."""
        return {
            "id": self.id,
            "title": self.title,
            "why": list(self.why),
            "judges": self.judges,
            "reads": self.reads,
            "pack": self.pack.value,
            "severity": self.severity.value,
            "enforcement": self.enforcement.value,
            "waivable": self.waivable,
            "measure": self.measure or None,
            "fix": self.fix,
            "source": self.source or None,
            "settings": [
                {"name": one.name, "value": one.value, "default": one.default, "description": one.description}
                for one in self.settings
            ],
            "examples": [
                {"title": case.title, "base": case.base, "verdict": case.verdict.value, "change": dict(case.change)}
                for case in self.examples
            ],
        }


def documented(rule: AnyRule, configured: Configured | None = None) -> Documentation:
    """A rule's documentation.

    Args:
        rule: the rule.
        configured: its settings and enforcement in an environment; the defaults unless given.

    Raises:
        FileNotFoundError: it has no examples.
    """
    configured = configured or defaults(rule)
    return Documentation(
        id=rule.id,
        title=rule.title(),
        why=_paragraphs(rule.documentation().partition("\n")[2]),
        judges=_paragraphs(type(rule).subjects.__doc__ or "")[0].rstrip("."),
        reads=_SCOPES[rule.scope],
        pack=rule.pack,
        severity=rule.severity,
        enforcement=configured.enforcement,
        waivable=rule.waivable,
        measure=rule.measure,
        fix=rule.fix,
        source=rule.source,
        settings=tuple(_settings(rule, configured.settings)),
        examples=tuple(
            Case(
                title=case["title"],
                base=case["base"],
                change={key: case[key] for key in _CHANGE if key in case},
                verdict=Verdict(case["verdict"]),
            )
            for case in examples.written(rule)
        ),
    )


def page(rules: Iterable[AnyRule]) -> str:
    """docs/rules.md: all rules by pack, in the order of their ids."""
    found = [documented(rule) for rule in rules]
    lines = [_HEAD]
    for pack, name in _PACKS.items():
        of_pack = [one for one in found if one.pack is pack]
        if not of_pack:
            continue
        lines += [f"## {name}", "", "| Rule | | Severity | |", "|---|---|---|---|"]
        lines += [
            f"| [{one.id}](#{one.id.casefold()}) | {one.title} | {one.severity} | {one.enforcement} |"
            for one in of_pack
        ]
        lines.append("")
        for one in of_pack:
            lines += [*_section(one), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(one: Documentation) -> Iterator[str]:
    yield f"### {one.id}"
    yield ""
    yield f"**{one.title}.** {' '.join(one.why[:1])}"
    for paragraph in one.why[1:]:
        yield ""
        yield paragraph
    yield ""
    yield f"- Judges: {one.judges}; it sees {one.reads}."
    yield f"- Fix: {one.fix}."
    if one.source:
        yield f"- Source: {one.source}."
    yield f"- Waivable: {one.waivers}."
    for setting in one.settings:
        yield f"- `{setting.name}` ({plain(setting.default)}): {setting.description}"
    for verdict in Verdict:
        titles = [case.title for case in one.examples if case.verdict is verdict]
        if titles:
            yield f"- Examples that {_said(verdict)}: {'; '.join(titles)}."


def _said(verdict: Verdict) -> str:
    match verdict:
        case Verdict.PASS | Verdict.FAIL:
            return verdict.value
        case Verdict.UNDECIDED:
            return "are undecided"
        case Verdict.NOT_APPLICABLE:
            return "it does not apply to"


def _settings(rule: AnyRule, settings: Settings) -> Iterator[Setting]:
    values, plain = (
        settings.model_dump(mode="json", by_alias=True),
        rule.settings().model_dump(mode="json", by_alias=True),
    )
    docs = field_docs(rule.settings)
    for key, field in rule.settings.model_fields.items():
        name = field.alias or key
        description = " ".join(docs.get(key, "").split())
        yield Setting(name=name, value=values[name], default=plain[name], description=description)


def plain(value: object) -> str:
    """A plain YAML value on one line; a key that an example takes away is `gone`."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {plain(inner)}" for key, inner in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(plain, value)) + "]"
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case None:
            return "gone"
    return str(value)


def _paragraphs(text: str) -> tuple[str, ...]:
    """Paragraphs without their line breaks."""
    return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


if __name__ == "__main__":
    from policies.catalogue import rules

    PAGE.write_text(page(rules()), encoding="utf-8")
