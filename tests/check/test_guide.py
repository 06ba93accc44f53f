"""The guide names every kind of rule that a check can name, and no rule that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from policies.catalogue import rules

_GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "check.md").read_text(encoding="utf-8")


def test_every_rule_has_its_row() -> None:
    rows = set(re.findall(r"^\| `([a-z.-]+)` \|", _GUIDE, flags=re.MULTILINE))
    assert rows == {"spec", "plan", "waivers"}


def test_every_kind_of_rule_has_its_row_and_the_rules_it_names_exist() -> None:
    kinds = set(re.findall(r"^\| `([A-Z]+)…` \|", _GUIDE, flags=re.MULTILINE))
    assert {"COST", "SCALE"} <= kinds
    assert set(re.findall(r"\b[A-Z]+\d{3}\b", _GUIDE)) <= {rule.id for rule in rules()}
