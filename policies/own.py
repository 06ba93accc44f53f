"""The policies of every pack that are no rules: they say what keeps the rules from being asked, or from deciding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from policies.rule import Enforcement, Severity

INPUTS: Final = "inputs"
UNDECIDED: Final = "undecided"
CONFIGURATION: Final = "configuration"
WAIVERS: Final = "waivers"


@dataclass(frozen=True, kw_only=True)
class OwnPolicy:
    """One of them.

    Attributes:
        name: in the configuration, beside the rules' ids.
        title: what must hold, without a full stop.
        description: why, in a few sentences.
        fix: what to do, without a full stop.
    """

    name: str
    title: str
    description: str
    fix: str
    severity: Severity = Severity.HIGH
    enforcement: Enforcement = Enforcement.MANDATORY


OWN: Final = (
    OwnPolicy(
        name=INPUTS,
        title="Every resource's inputs have been seen",
        description="Stack rules judge what the program gave, and the engine shows that only before it makes a "
        "resource. What it has never shown can't be judged.",
        fix="Run without --target or --exclude, so that every resource is planned",
    ),
    OwnPolicy(
        name=UNDECIDED,
        title="Every mandatory rule can decide",
        description="A rule that needs a value which nobody knows yet has not passed. Set this policy to `advisory` "
        "where an undecided rule shall not block (the contrary of `gpufleet check --strict`). An advisory rule says "
        "itself what it can't decide.",
        fix="State the value plainly in the program, so that it can be judged before it is made",
    ),
    OwnPolicy(
        name=CONFIGURATION,
        title="The packs' configuration says what it means",
        description="A misspelt rule or setting would leave a limit at its default without a word, and a disabled "
        "rule is never asked.",
        fix="Correct policies/config/<environment>.json; `gpufleet explain RULE` lists a rule's settings",
    ),
    OwnPolicy(
        name=WAIVERS,
        title="Every waiver is well-formed, in force and of use",
        description="A waiver that has expired, names no rule or no finding, or can't be read covers nothing.",
        fix="Correct stacks/waivers.yaml",
    ),
)
