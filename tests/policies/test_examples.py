from __future__ import annotations

import pytest

from gpufleet.spec.problem import key_text
from policies import examples
from policies.catalogue import rules
from policies.evaluate import Verdict
from policies.examples import Example
from policies.rule import AnyRule
from tests.policies.agreement import assert_the_pack_agrees

CASES = [(rule, example) for rule in rules() for example in examples.of(rule)]


@pytest.mark.parametrize(("rule", "example"), CASES, ids=[f"{rule.id}: {example.title}" for rule, example in CASES])
def test_an_example_comes_to_its_verdict(rule: AnyRule, example: Example) -> None:
    result = examples.run(rule, example)
    assert result.verdict is example.verdict, result.judgements
    assert not any(judgement.raised for judgement in result.judgements), result.judgements
    first = result.judgements[0] if result.judgements else None
    if example.key or example.message or example.amount is not None:
        assert first is not None
        assert key_text(first.path) == example.key or not example.key
        assert example.message in first.message
        assert example.amount is None or float(first.amount or 0) == example.amount
    if not example.before:  # a pack sees one stack alone
        assert_the_pack_agrees(result, examples.view(example).graph, example.settings)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_a_rule_has_examples_that_pass_and_the_smallest_changes_that_fail(rule: AnyRule) -> None:
    verdicts = {example.verdict for example in examples.of(rule)}
    # What the stack file alone answers is never decided against it.
    assert {Verdict.PASS, Verdict.UNDECIDED if rule.answerable else Verdict.FAIL} <= verdicts
