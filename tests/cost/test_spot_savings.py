from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gpufleet.cost import Estimate, SpotSaving, spot_savings
from gpufleet.cost.render.document import document
from gpufleet.cost.render.markdown import markdown
from gpufleet.cost.render.page import page
from gpufleet.cost.render.table import table
from gpufleet.cost.render.view import saving_lines
from gpufleet.spec import Environment, parse_environment
from gpufleet.spec.usage import SpotEvictionBand
from tests.cost.samples import H100, NC80, plain, priced, stack_environment, stack_estimate, with_pools

_H100 = {"name": "h100", "sku": H100, "nodes": 1}
_A100 = {"name": "a100", "sku": "Standard_NC24ads_A100_v4", "priority": "spot", "nodes": {"min": 0, "max": 10}}


def _pool(**usage: object) -> dict[str, Any]:
    return {**_A100, **({"usage": usage} if usage else {})}


def _found(*pools: dict[str, Any]) -> tuple[Environment, Estimate, list[SpotSaving]]:
    environment = with_pools(_H100, *pools)
    estimate = priced(environment)
    return environment, estimate, spot_savings(environment, estimate)


def test_to_the_cent() -> None:
    _, _, (one,) = _found(_pool(utilizationPercent=50, spotEvictionBand="5-10"))
    # Five nodes for 730 h: 0.444433 at spot, 3.673 regular. Of the regular work 0.946770 stays done (tests/sizing).
    assert one == SpotSaving(
        component="training lab",
        pool="a100",
        spot=Decimal("1622.18"),
        regular=Decimal("13406.45"),
        lost=Decimal("713.63"),
        assumed=False,
        basis="evictions of at most 10 % an hour; a checkpoint every 27 minutes keeps 94.4 % of the time, 99.8 % on"
        " regular nodes",
    )
    assert (one.gross, one.net) == (Decimal("11784.27"), Decimal("11070.64"))


def test_a_rate_that_nobody_knows_is_assumed_and_said() -> None:
    _, _, (one,) = _found(_pool(utilizationPercent=50))
    assert one.assumed
    assert one.lost is not None
    assert one.lost > Decimal("713.63")
    assert "at least 20 % an hour, the worst band, for none is declared" in one.basis


def test_without_a_price_there_is_no_saving() -> None:
    _, _, (one,) = _found({**_pool(), "sku": NC80})
    assert (one.spot, one.gross, one.net) == (None, None, None)
    assert one.regular == Decimal("101908.00")
    assert one.basis.endswith("no use is declared, so at its maximum; spot nodes have no price")


def test_a_planning_price_is_assumed() -> None:
    stated = {"sku": NC80, "priority": "spot", "usd": 6.98, "unit": "hour", "reason": "half the list price"}
    environment = with_pools(_H100, {**_pool(spotEvictionBand="0-5", utilizationPercent=100), "sku": NC80})
    environment = environment.model_copy(
        update={"prices": parse_environment(plain(prices={"assumed": [stated]})).prices}
    )
    (one,) = spot_savings(environment, priced(environment))
    assert one.assumed
    assert one.spot == Decimal("50954.00")


def test_data_preparation_has_no_checkpoints() -> None:
    _, _, (one,) = _found({"name": "data", "sku": "Standard_NC4as_T4_v3", "priority": "spot", "nodes": 2})
    assert one.lost is not None
    _, _, (one,) = _found(
        {"name": "data", "sku": "Standard_D32s_v5", "priority": "spot", "nodes": {"min": 0, "max": 4}}
    )
    assert (one.regular, one.lost, one.net) == (Decimal("4485.12"), None, None)
    assert one.basis.startswith("what its work loses with a node is not known: it has no checkpoints")


def test_inference_is_gross_alone() -> None:
    found = spot_savings(stack_environment("prod"), stack_estimate("prod"))
    assert [(one.component, one.pool) for one in found] == [
        ("inference eastus", "ncspot"),
        ("inference swedencentral", "ncspot"),
        ("inference japaneast", "ncspot"),
    ]
    # 12 nodes, half of them used, 70 % of these to be had: 4.2 at half of 13.96.
    assert (found[0].regular, found[0].spot, found[0].lost) == (Decimal("42801.36"), Decimal("21400.68"), None)
    assert saving_lines(found) == ["Of 3 spot pools nobody can tell the net saving."]


def test_no_spot_no_rows() -> None:
    environment, estimate, found = _found()
    assert found == []
    assert "spot, USD" not in table(estimate, savings=found)
    assert document(estimate, savings=found)["spotSavings"] == []
    assert environment.training[0].workload is None


def test_every_form_shows_it() -> None:
    known, unknown = _pool(utilizationPercent=50), {"name": "data", "sku": "Standard_D32s_v5", "priority": "spot"}
    _, estimate, found = _found(known, {**unknown, "nodes": {"min": 0, "max": 4}})
    assert found[0].net is not None
    shown = f"{found[0].net:,.2f}"
    for text in (
        table(estimate, savings=found, width=200),
        markdown(estimate, savings=found),
        page(estimate, savings=found),
    ):
        assert shown in text
        assert "unknown" in text
        assert "net of lost work; of 1 spot pool nobody can tell the net saving" in text
    rows: Any = document(estimate, savings=found)["spotSavings"]
    first, second = rows
    assert first["netUsd"] == f"{found[0].net:f}"
    assert (first["assumed"], second["netUsd"], second["lostUsd"]) == (True, None, None)


@given(
    st.sampled_from([None, *(band.value for band in SpotEvictionBand)]),
    st.floats(1, 100),
    st.integers(1, 50),
)
def test_the_parts_add_up_and_more_evictions_save_less(band: str | None, utilization: float, most: int) -> None:
    usage: dict[str, object] = {"utilizationPercent": utilization}
    calm = {**_pool(**usage, spotEvictionBand="0-5"), "nodes": {"min": 0, "max": most}}
    pool = {**calm, "usage": {**usage, **({} if band is None else {"spotEvictionBand": band})}}
    _, _, (one,) = _found(pool)
    _, _, (best,) = _found(calm)
    assert one.spot is not None
    assert one.regular is not None
    assert one.lost is not None
    assert best.net is not None
    assert one.net == one.regular - one.lost - one.spot
    assert 0 <= one.lost <= one.regular
    assert one.net <= best.net
    assert one.assumed is (band is None)
