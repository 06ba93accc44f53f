from __future__ import annotations

import pytest

from gpufleet.spec import SpecError, StackFile, load, parse
from gpufleet.spec.environment import Environment
from gpufleet.spec.problem import ITEMS, Problem
from gpufleet.spec.prune import Pruned, whole
from tests.spec.environments import changed, environment


def test_indices_lead_back_to_the_file() -> None:
    pruned = Pruned(None, frozenset(), {("training",): [1, 2], ("training", 2, "pools"): [0, 3]})
    assert pruned.path_in_file(("training", 1, "pools", 1, "name")) == ("training", 2, "pools", 3, "name")
    assert pruned.path_in_file(("training", 0, "pools", 1)) == ("training", 1, "pools", 1)
    assert pruned.path_in_file(("inference",)) == ("inference",)


@pytest.mark.parametrize(
    ("problem", "undecided"),
    [
        (Problem(path=("a", "b"), message=""), True),
        (Problem(path=("a", "b", "c"), message=""), True),
        (Problem(path=("a",), message=""), True),
        (Problem(path=("a",), message="", lower_bound=True), False),
        (Problem(path=("a", "c"), message=""), False),
        (Problem(path=("x",), message="", reads=(("a",),)), True),
        (Problem(path=("x",), message="", reads=(("a", "b", "c"),)), True),
        (Problem(path=("x",), message="", reads=(("a", ITEMS),)), True),
        (Problem(path=("x",), message="", reads=(("a", "b", ITEMS),)), True),
        (Problem(path=("x",), message="", reads=((ITEMS,),)), False),
        (Problem(path=("a", "b"), message="", reads=(("x",),)), True),
        (Problem(path=("a",), message="", reads=(("x",),)), False),
    ],
)
def test_what_a_removed_value_leaves_undecided(problem: Problem, undecided: bool) -> None:
    assert Pruned(None, frozenset({("a", "b")}), {}).undecided(problem) is undecided


def test_nothing_is_undecided_in_a_whole_environment() -> None:
    pruned = whole(Environment.model_validate(environment()))
    assert not pruned.undecided(Problem(path=(), message=""))


def test_a_key_that_pydantic_names_otherwise_ends_too() -> None:
    value = changed({("tags",): {"half \ud800": 3, "other": "x"}})
    with pytest.raises(SpecError) as caught:
        parse(value)
    str(caught.value).encode()
    assert {problem.path[0] for problem in caught.value.problems} == {"tags"}


def test_positions_in_the_file_survive_shortened_lists() -> None:
    fabric = environment()["training"][0]
    late = {**fabric, "name": "late", "pools": ["?", {**fabric["pools"][0], "nodes": {"min": 1, "max": 500}}]}
    value = changed({("training",): ["?", fabric, late]})
    with pytest.raises(SpecError) as caught:
        load(StackFile("s.yaml", value, {}, ()))
    assert [problem.key for problem in caught.value.problems] == [
        "training[0]",
        "training[2].pools[0]",
        "training[2].pools[1].nodes.max",
    ]


def test_several_faults_of_one_block_leave_what_is_around_it() -> None:
    value = changed(
        {("training", 0, "network"): {"subnets": {}}, ("training", 0, "pools", 0, "nodes"): {"min": 1, "max": 101}}
    )
    with pytest.raises(SpecError) as caught:
        load(StackFile("s.yaml", value, {}, ()))
    assert [problem.key for problem in caught.value.problems] == [
        "training[0].network.subnets.system",
        "training[0].network.subnets.gpu",
        "training[0].network.subnets.lustre",
        "training[0].network.subnets.privateEndpoints",
        "training[0].pools[0].nodes.max",
    ]
