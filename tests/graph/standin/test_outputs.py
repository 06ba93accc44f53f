"""Stand-in outputs combine as Pulumi's own do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpufleet.graph.standin.outputs import UNKNOWN_PART, Data, Output, has_unknowns
from gpufleet.graph.standin.refusal import NotStoodInError

Leaf = Callable[[object, bool, bool], Any]
Recipe = Callable[[Any, Leaf], Any]
"""Makes an output of a class of outputs, and of a leaf: value, known, secret."""


def _leaf(value: object, known: bool, secret: bool) -> Recipe:
    return lambda _, leaf: leaf(value if known else None, known, secret)


def _text(recipe: Recipe) -> Recipe:
    return lambda kind, leaf: recipe(kind, leaf).apply(lambda value: f"<{value}>")


def _inner(pair: tuple[Recipe, Recipe]) -> Recipe:
    return lambda kind, leaf: pair[0](kind, leaf).apply(lambda _: pair[1](kind, leaf))


def _listed(recipes: list[Recipe]) -> Recipe:
    return lambda kind, leaf: kind.all(*(recipe(kind, leaf) for recipe in recipes))


def _named(recipes: list[Recipe]) -> Recipe:
    return lambda kind, leaf: kind.all(**{f"k{number}": recipe(kind, leaf) for number, recipe in enumerate(recipes)})


def _nested(recipes: list[Recipe]) -> Recipe:
    return lambda kind, leaf: kind.from_input({"a": [recipe(kind, leaf) for recipe in recipes], "b": (1, "x")})


def _formatted(recipes: list[Recipe]) -> Recipe:
    text = "/".join("{}" for _ in recipes)
    return lambda kind, leaf: kind.format(text, *(recipe(kind, leaf) for recipe in recipes))


def _secret(recipe: Recipe) -> Recipe:
    return lambda kind, leaf: kind.secret(recipe(kind, leaf))


def _first(recipes: list[Recipe]) -> Recipe:
    return lambda kind, leaf: _listed(recipes)(kind, leaf)[0]


_RECIPES: st.SearchStrategy[Recipe] = st.recursive(
    st.builds(_leaf, st.one_of(st.text(max_size=3), st.integers()), st.booleans(), st.booleans()),
    lambda inner: st.one_of(
        inner.map(_text),
        inner.map(_secret),
        st.tuples(inner, inner).map(_inner),
        *(st.lists(inner, min_size=1, max_size=3).map(make) for make in (_listed, _named, _nested, _formatted, _first)),
    ),
    max_leaves=8,
)


def _theirs(recipe: Recipe) -> tuple[object, bool, bool]:
    async def resolved() -> tuple[object, bool, bool]:
        def leaf(value: object, known: bool, secret: bool) -> pulumi.Output[Any]:
            futures = [asyncio.get_running_loop().create_future() for _ in range(3)]
            for future, content in zip(futures, (value, known, secret), strict=True):
                future.set_result(content)
            return pulumi.Output(set(), *futures)

        output = recipe(pulumi.Output, leaf)
        known = await output.is_known()
        return await output.future() if known else None, known, await output.is_secret()

    return asyncio.run(resolved())


def _ours(recipe: Recipe) -> tuple[object, bool, bool]:
    data = recipe(
        Output, lambda value, known, secret: Output(Data(value=value, known=known, secret=secret))
    ).standin_data
    return data.value if data.known else None, data.known, data.secret


@given(_RECIPES)
@settings(max_examples=150, deadline=None)
def test_they_come_to_what_pulumis_come_to(recipe: Recipe) -> None:
    assert _ours(recipe) == _theirs(recipe)


def test_attributes_and_items_are_those_of_the_value() -> None:
    unknown = Output(Data(known=False))
    assert unknown.status.phase[0].standin_data == Data(value=UNKNOWN_PART, known=False)
    assert Output.from_input({"a": [1, 2]})["a"][1].standin_data == Data(value=2)
    assert Output.from_input("text").upper.standin_data.value() == "TEXT"
    with pytest.raises(AttributeError):
        _ = unknown.__nothing__
    assert has_unknowns([{"a": UNKNOWN_PART}])


@pytest.mark.parametrize(
    "wrong",
    [
        str,
        lambda output: f"{output}",
        lambda output: output.future(),
        lambda output: output.is_known,
        lambda output: output.recover(print),
        lambda output: Output.from_input({1: output}),
        lambda output: Output.format("{}{a}", output, a=output),
        lambda output: output.apply(lambda _: asyncio.sleep(0)),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine 'sleep' was never awaited")
def test_what_only_pulumi_does_is_left_to_it(wrong: Callable[[Output], object]) -> None:
    with pytest.raises(NotStoodInError):
        wrong(Output.from_input("a"))


def test_they_are_not_iterated_over() -> None:
    with pytest.raises(TypeError, match="iterated"):
        list(Output.from_input([1]))
    with pytest.raises(ValueError, match="not both"):
        Output.all(1, a=2)
