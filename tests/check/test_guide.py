"""The guide lists every rule that a check can name."""

from __future__ import annotations

import re
from pathlib import Path

from gpufleet.check import cost_findings
from gpufleet.sizing.advice import SERVING_RULES, TRAINING_RULES

_GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "check.md").read_text(encoding="utf-8")


def test_every_rule_has_its_row() -> None:
    rows = set(re.findall(r"^\| `([a-z.-]+)` \|", _GUIDE, flags=re.MULTILINE))
    costs = {cost_findings.GATE, cost_findings.UNPRICED, cost_findings.UNUSED}
    assert rows == {"spec", "plan", *costs, *(f"sizing.{rule}" for rule in (*TRAINING_RULES, *SERVING_RULES))}
