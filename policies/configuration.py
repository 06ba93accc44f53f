"""What the rules allow in one environment: `policies/config/<environment>.json`.

The file has the form of Pulumi's `--policy-pack-config`, so the same one goes to the engine: by rule id, `advisory`,
`mandatory` or `disabled`, or a mapping with `enforcementLevel` and the rule's settings; `all` sets the level of every
rule. It holds for all three packs, and for what they have beside their rules (`policies.own`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from gpufleet.catalog.nearest import nearest_name
from gpufleet.errors import ConfigurationError
from policies import own
from policies.evaluate import Configured, defaults
from policies.rule import AnyRule, Enforcement

FOLDER: Final = Path(__file__).parent / "config"
LEVEL: Final = "enforcementLevel"
ALL: Final = "all"
OWN: Final = frozenset(policy.name for policy in own.OWN)
"""Policies of the packs that are no rules."""
_FORM: Final = "It is a JSON object by rule id."
_LEVELS: Final = "Use advisory, mandatory or disabled; remediate for a rule that can mend tags."


def load(environment: str, rules: Iterable[AnyRule], folder: Path = FOLDER) -> dict[str, Configured]:
    """The configuration of every rule in an environment; the rules' defaults when it has no file.

    Raises:
        ConfigurationError: the file can't be read, or names a rule or a setting that doesn't exist.
    """
    return from_text(text_of(environment, folder), rules, name_of(environment))


def name_of(environment: str) -> str:
    """What messages call an environment's file."""
    return f"policies/config/{environment}.json"


def text_of(environment: str, folder: Path = FOLDER) -> str:
    """The text of an environment's file, "" when it has none. Raises ConfigurationError when it can't be read."""
    path = folder / f"{environment}.json"
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{name_of(environment)} can't be read: {error}", hint=_FORM) from None


def from_text(text: str, rules: Iterable[AnyRule], name: str) -> dict[str, Configured]:
    """The same of a file's text. See `load`; `name` is what messages call it."""
    try:
        content = json.loads(text, object_pairs_hook=_distinct) if text else {}
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name} can't be read: {error}", hint=_FORM) from None
    return parse(content, rules, name)


def parse(content: object, rules: Iterable[AnyRule], name: str) -> dict[str, Configured]:
    """The same of a file's content. See `load`; `name` is what messages call it."""
    if not isinstance(content, Mapping):
        raise ConfigurationError(f"{name} is no JSON object", hint=_FORM)
    known = {rule.id: rule for rule in rules}
    for key in content:
        if key not in known and key != ALL and key not in OWN:
            near = nearest_name(str(key), [*known, ALL, *OWN])
            raise ConfigurationError(
                f"{name}: there is no rule {key}",
                hint=f"Did you mean {near}?" if near else "`gpufleet explain rules` lists them.",
            )
        entry = content[key]
        if not isinstance(entry, str | Mapping):
            raise ConfigurationError(f"{name}: {key} is neither a level nor a mapping", hint=_LEVELS)
        if isinstance(entry, Mapping) and entry.get(LEVEL) is None:
            raise ConfigurationError(
                f"{name}: {key} has no {LEVEL}",
                hint="Every pack gets the whole file, and Pulumi refuses an entry without a level in a pack that has "
                "no such rule.",
            )
        if key not in known and isinstance(entry, Mapping) and (others := [one for one in entry if one != LEVEL]):
            raise ConfigurationError(
                f"{name}: {key}.{others[0]}: there is no such key", hint=f"It has a {LEVEL} alone."
            )
    level = _level(content.get(ALL), f"{name}: {ALL}")
    if level is Enforcement.REMEDIATE:
        raise ConfigurationError(f"{name}: {ALL}: most rules can't remediate", hint=_LEVELS)
    for policy in own.OWN:
        _level(content.get(policy.name), f"{name}: {policy.name}")
    return {id_: configured(rule, content.get(id_), level, f"{name}: {id_}") for id_, rule in known.items()}


def configured(rule: AnyRule, value: object, level: Enforcement | None, name: str) -> Configured:
    """What a rule's entry says; `level` is that of all rules.

    Raises:
        ConfigurationError: it is no entry for this rule.
    """
    settings = {key: item for key, item in value.items() if key != LEVEL} if isinstance(value, Mapping) else {}
    try:
        found = rule.settings.model_validate(settings) if settings else defaults(rule).settings
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        allowed = [field.alias or key for key, field in rule.settings.model_fields.items()]
        raise ConfigurationError(
            f"{name}.{where}: {first['msg']}",
            hint=f"Its settings are {', '.join(allowed)}." if allowed else "This rule has no settings.",
        ) from None
    own = _level(value, name)
    if own is Enforcement.REMEDIATE:
        if not rule.remediates:
            raise ConfigurationError(f"{name}: this rule can't remediate", hint=_LEVELS)
        return Configured(settings=found, enforcement=Enforcement.MANDATORY, remediate=True)
    return Configured(settings=found, enforcement=own or level or rule.enforcement)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)} is there twice")
    return found


def _level(value: object, name: str) -> Enforcement | None:
    given = value.get(LEVEL) if isinstance(value, Mapping) else value
    if given is None:
        return None
    try:
        return Enforcement(str(given))
    except ValueError:
        raise ConfigurationError(f"{name}: {given!r} is no enforcement level", hint=_LEVELS) from None
