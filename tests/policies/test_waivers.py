"""A waiver covers one finding, within its bound and its days, and nothing else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from policies.evaluate import Judgement, Verdict
from policies.waivers import Kind, Waiver, apply, remarks
from tests.policies.waivers import LABEL, TODAY, URN, judgement, plain, waiver, waivers

_INLINE = (
    "urn:pulumi:prod::gpufleet::gpufleet:training:TrainingFabric$azure-native:containerservice:ManagedCluster::lab"
)
_DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        pytest.param(waiver(), judgement(), id="by label"),
        pytest.param(waiver(resource=URN), judgement(), id="by URN"),
        pytest.param(waiver(), judgement(amount=Decimal(6)), id="at its bound"),
        pytest.param(waiver(expires=TODAY), judgement(), id="on its last day"),
        pytest.param(waiver(), judgement(path=("training", 3, "pools", 1)), id="whatever its place"),
        pytest.param(plain(), judgement(rule="SCALE902", amount=None), id="a rule without a measure"),
    ],
)
def test_what_is_covered(entry: Waiver, found: Judgement) -> None:
    (one,) = apply([found], waivers(entry), "prod")
    assert (one.waiver, one.judgement, one.named_by) == (entry, found, (entry,))


@pytest.mark.parametrize(
    ("entry", "found", "why"),
    [
        pytest.param(
            waiver(),
            judgement(amount=Decimal("6.01")),
            "the waiver at stacks/waivers.yaml:3 covers up to 6, and this is 6.01",
            id="worse than its bound",
        ),
        pytest.param(
            waiver(),
            judgement(amount=None),
            "the waiver at stacks/waivers.yaml:3 covers up to 6, and how bad this is nobody can tell",
            id="an unknown amount",
        ),
        pytest.param(
            waiver(expires=TODAY - _DAY),
            judgement(),
            "the waiver at stacks/waivers.yaml:3 expired on 2026-11-20 (ml-platform, ML-1)",
            id="expired",
        ),
        pytest.param(
            plain(),
            judgement(rule="SCALE902", verdict=Verdict.UNDECIDED, amount=None),
            "the waiver at stacks/waivers.yaml:3 covers nothing undecided",
            id="undecided",
        ),
        pytest.param(
            waiver(),
            judgement(verdict=Verdict.UNDECIDED),
            "the waiver at stacks/waivers.yaml:3 covers nothing undecided",
            id="undecided within its bound",
        ),
        pytest.param(
            plain(),
            judgement(rule="SCALE902", amount=None, mistyped=True),
            "the waiver at stacks/waivers.yaml:3 covers no value that can't be read",
            id="mistyped",
        ),
        pytest.param(
            plain(),
            judgement(rule="SCALE902", amount=None, raised=True),
            "the waiver at stacks/waivers.yaml:3 covers no rule that raises",
            id="raised",
        ),
    ],
)
def test_what_is_named_and_not_covered_says_why(entry: Waiver, found: Judgement, why: str) -> None:
    (one,) = apply([found], waivers(entry), "prod")
    assert (one.waiver, one.judgement.message, one.named_by) == (None, f"{found.message}; {why}", (entry,))


@pytest.mark.parametrize(
    ("entry", "found", "environment"),
    [
        pytest.param(waiver(), judgement(rule="SCALE902"), "prod", id="another rule"),
        pytest.param(waiver(), judgement(label="training/lab/pools/h10"), "prod", id="another resource"),
        pytest.param(waiver(resource=LABEL.upper()), judgement(), "prod", id="another case"),
        pytest.param(waiver(), judgement(), "dev", id="another environment"),
        pytest.param(
            waiver(resource=_INLINE), judgement(resource=_INLINE), "prod", id="a cluster's URN for a pool inside it"
        ),
    ],
)
def test_what_is_not_named(entry: Waiver, found: Judgement, environment: str) -> None:
    (one,) = apply([found], waivers(entry), environment)
    assert (one.waiver, one.judgement, one.named_by) == (None, found, ())


def test_a_pool_inside_its_cluster_is_waived_by_label() -> None:
    found = judgement(resource=_INLINE)
    (one,) = apply([found], waivers(waiver()), "prod")
    assert one.waiver == waiver()


def test_two_waivers_for_one_finding_hold_neither() -> None:
    entries = waiver(), waiver(resource=URN, line=12, bound=Decimal(100))
    held = waivers(*entries)
    (one,) = applied = apply([judgement()], held, "prod")
    assert one.waiver is None
    assert one.judgement.message == (
        "has 5 nodes; 2 waivers name it (stacks/waivers.yaml:3, stacks/waivers.yaml:12), so none holds"
    )
    first, second = remarks(applied, held, "prod", {"SCALE901"})
    assert (first.kind, second.kind) == (Kind.CLASH, Kind.CLASH)
    assert first.message == (
        f"the waiver of SCALE901 for {LABEL} in prod names a finding that stacks/waivers.yaml:12 names too, so neither "
        "holds"
    )


def test_every_finding_is_decided_by_itself() -> None:
    amounts = [Decimal(5), Decimal(7), Decimal(6)]
    applied = apply([judgement(amount=amount) for amount in amounts], waivers(waiver()), "prod")
    assert [one.waiver is not None for one in applied] == [True, False, True]


@pytest.mark.parametrize(
    ("days", "kinds"),
    [(-1, [Kind.EXPIRED]), (0, [Kind.EXPIRING]), (14, [Kind.EXPIRING]), (15, [])],
)
def test_the_end_of_a_waiver_is_announced(days: int, kinds: list[Kind]) -> None:
    held = waivers(waiver(expires=TODAY + days * _DAY))
    found = remarks(apply([judgement()], held, "prod"), held, "prod", {"SCALE901"})
    assert [remark.kind for remark in found] == kinds


def test_what_is_said_of_an_expired_one_names_who_and_what() -> None:
    held = waivers(waiver(expires=TODAY - _DAY))
    (remark,) = remarks(apply([judgement()], held, "prod"), held, "prod", {"SCALE901"})
    assert remark.message == (
        f"the waiver of SCALE901 for {LABEL} in prod expired on 2026-11-20, and its finding is still there; "
        "ml-platform owns it, jane approved it, ML-1 tracks it"
    )


@pytest.mark.parametrize(
    ("expires", "message"),
    [
        (TODAY, f"the waiver of SCALE901 for {LABEL} in prod matches no finding"),
        (TODAY - _DAY, f"the waiver of SCALE901 for {LABEL} in prod matches no finding and expired on 2026-11-20"),
    ],
)
def test_an_unused_one(expires: dt.date, message: str) -> None:
    held = waivers(waiver(expires=expires))
    applied = apply([judgement(rule="SCALE902")], held, "prod")
    (remark,) = remarks(applied, held, "prod", {"SCALE901", "SCALE902"})
    assert (remark.kind, remark.message, remark.applied) == (Kind.UNUSED, message, ())


def test_one_over_its_bound_is_not_unused_and_does_not_end_soon() -> None:
    held = waivers(waiver(expires=TODAY))
    assert remarks(apply([judgement(amount=Decimal(9))], held, "prod"), held, "prod", {"SCALE901"}) == ()


def test_rules_that_were_not_asked_say_nothing_of_their_waivers() -> None:
    held = waivers(waiver(), waiver(environment="dev"))
    assert remarks((), held, "prod", {"SCALE902"}) == ()
    assert [remark.waiver.environment for remark in remarks((), held, "prod", {"SCALE901"})] == ["prod"]
