"""The figures of docs/guides/idle-and-spot.md."""

from __future__ import annotations

import re
from decimal import Decimal

import yaml

from gpufleet.cost import spot_savings
from gpufleet.cost.load import pool_loads
from gpufleet.cost.render.table import table
from gpufleet.spec import parse_environment
from gpufleet.spec.stopped_hours import moment, stopped_minutes, stops
from tests.components.graphs import ROOT
from tests.cost.samples import H100, plain, priced, with_pools

_TEXT = (ROOT / "docs" / "guides" / "idle-and-spot.md").read_text(encoding="utf-8")


def test_the_schedule() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", _TEXT, re.DOTALL)
    environment = parse_environment(plain(**yaml.safe_load(block)))
    schedules = environment.training[0].schedules
    week = stops(schedules)
    assert (len(week), moment(week[-1].begin), moment(week[-1].end)) == (5, "Friday 19:00", "Monday 07:00")
    assert stopped_minutes(schedules) == 108 * 60
    assert f"{pool_loads(environment)['lab', 'h100'].nodes.quantize(Decimal('0.01'))}\nnodes" in _TEXT


def test_the_saving() -> None:
    a100 = {"name": "a100", "sku": "Standard_NC24ads_A100_v4", "priority": "spot", "nodes": {"min": 0, "max": 10}}
    usage = {"utilizationPercent": 50, "spotEvictionBand": "5-10"}
    environment = with_pools({"name": "h100", "sku": H100, "nodes": 1}, {**a100, "usage": usage})
    found = priced(environment)
    shown = table(found, savings=spot_savings(environment, found), width=165)
    (block,) = re.findall(r"```\n(spot, USD.*?)```", _TEXT, re.DOTALL)
    assert block in shown
