"""All rules there are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from policies import rules as _rules
from policies.rule import AnyRule, Rule


@cache
def rules() -> tuple[AnyRule, ...]:
    """One of each rule in `policies/rules`, by id.

    Raises:
        TypeError: a module there defines no rule or several, or two rules have one id.
    """
    found: dict[str, AnyRule] = {}
    for module in pkgutil.iter_modules(_rules.__path__, f"{_rules.__name__}."):
        rule = _rule_of(module.name)
        if (other := found.setdefault(rule.id, rule)) is not rule:
            raise TypeError(f"{type(other).__module__} and {module.name} are both {rule.id}")
    return tuple(found[id_] for id_ in sorted(found))


def rule(id_: str) -> AnyRule | None:
    """The rule of an id in any case, or None."""
    return next((one for one in rules() if one.id.casefold() == id_.casefold()), None)


def _rule_of(name: str) -> AnyRule:
    module = importlib.import_module(name)
    classes = [
        one
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Rule) and one.__module__ == name and not inspect.isabstract(one)
    ]
    if len(classes) != 1:
        raise TypeError(f"{name} defines {len(classes)} rules, not one")
    made: AnyRule = classes[0]()
    return made
