"""The guide's examples are what the code says."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gpufleet.cost.load import pool_loads
from gpufleet.cost.money import HOURS_PER_MONTH, HOURS_PER_PERIOD
from gpufleet.cost.render.words import LEFT_OUT
from gpufleet.spec import parse_environment
from tests.cost.samples import H100, plain, priced, with_pools

_GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "cost.md").read_text(encoding="utf-8")
_WORDS = " ".join(_GUIDE.split())


def _block(number: int) -> Any:  # noqa: ANN401 - whatever the YAML says
    found = re.findall(r"```yaml\n(.*?)```", _GUIDE, re.DOTALL)[number]
    return YAML(typ="safe", pure=True).load(found)


def test_four_nodes() -> None:
    for place, price in (("eastus", "98.32"), ("uksouth", "122.90")):
        total = priced(with_pools({"name": "h100", "sku": H100, "nodes": 4}, place=place)).total
        assert f"{place}, at {price}" in _WORDS
        assert f"{total.monthly.ceiling:,} a month" in _WORDS
    total = priced(with_pools({"name": "h100", "sku": H100, "nodes": 4})).total
    assert f"{total.hourly.ceiling:.2f} an hour" in _WORDS
    assert f"{total.period.ceiling:,} in the longest one" in _WORDS
    assert f"({HOURS_PER_MONTH} h, Azure's own)" in _WORDS
    assert f"({HOURS_PER_PERIOD} h)" in _WORDS


def test_the_pools_are_valid_and_share_their_work() -> None:
    regions = [{"name": "eastus", "pools": _block(0)["pools"]}]
    loads = pool_loads(parse_environment(plain(inference={"regions": regions})))
    # 2 nodes, 4 more in half of the week, and the 1.8 that spot has no capacity for.
    assert loads["eastus", "nc"].nodes == Decimal("5.8")
    assert loads["eastus", "ncspot"].nodes == Decimal("4.2")


def test_the_planning_prices_are_valid() -> None:
    assumed = parse_environment(plain(prices=_block(1)["prices"])).prices.assumed
    assert [price.usd for price in assumed] == [145, 6.98]


def test_what_is_left_out() -> None:
    assert LEFT_OUT in _WORDS
