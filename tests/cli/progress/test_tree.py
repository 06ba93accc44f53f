"""A run of any size fits any terminal."""

from __future__ import annotations

import pytest

from gpufleet.cli.progress.model import RunModel
from gpufleet.cli.progress.tree import tree_lines
from gpufleet.engine import Resource, Step, StepStarted

FABRICS, POOLS, LEAVES = 26, 6, 8


def _resource(kind: str, name: str, parent: Resource | None, *, custom: bool) -> Resource:
    token = f"azure-native:containerservice:{kind}" if custom else f"gpufleet:components:{kind}"
    urn = f"urn:pulumi:frontier::gpufleet::{token}::{name}"
    return Resource(urn=urn, type=token, name=name, parent=parent.urn if parent else "", custom=custom)


ENVIRONMENT = _resource("Environment", "frontier", None, custom=False)
FABRIC = [_resource("TrainingFabric", f"f{i}", ENVIRONMENT, custom=False) for i in range(FABRICS)]
POOL = [_resource("GpuPool", f"{f.name}-p{i}", f, custom=False) for f in FABRIC for i in range(POOLS)]
LEAF = [_resource("AgentPool", f"{p.name}-{i}", p, custom=True) for p in POOL for i in range(LEAVES)]


@pytest.fixture
def frontier() -> RunModel:
    """1,248 resources: 400 created, 60 under way, one refused, the rest waiting."""
    plan = RunModel()
    for each in (ENVIRONMENT, *FABRIC, *POOL, *LEAF):
        plan.apply(Step(resource=each, op="create", failed=False, seconds=0), 0)
    model = RunModel(plan)
    for index, leaf in enumerate(LEAF[:461]):
        model.apply(StepStarted(resource=leaf, op="create", at=index / 10), index / 10)
        if index < 401:
            model.apply(Step(resource=leaf, op="create", failed=index == 7, seconds=1), index / 10 + 1)
    return model


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
@pytest.mark.parametrize("height", [1, 2, 5, 10, 21, 50, 200])
def test_fits(frontier: RunModel, width: int, height: int) -> None:
    lines = tree_lines(frontier, now=60, width=width, height=height)
    assert 1 <= len(lines) <= height
    assert max(line.cell_len for line in lines) <= width


def test_at_80_by_24_the_refused_one_comes_first_and_everything_is_accounted_for(frontier: RunModel) -> None:
    lines = [line.plain for line in tree_lines(frontier, now=60, width=80, height=21)]
    assert lines[0].split() == ["x", "Environment", "frontier", "1", "failed,", "400/1,248", "1m", "00s"]
    assert lines[1].split() == ["x", "TrainingFabric", "f0", "1", "failed,", "47/48", "5.7s"]
    assert lines[2].split() == ["x", "GpuPool", "f0-p0", "1", "failed,", "7/8", "1.7s"]
    assert lines[3].split() == ["x", "AgentPool", "f0-p0-7", "create", "failed", "1.0s"]
    assert lines[-1].strip() == "... 23 more: 336 created, 768 waiting"


def test_with_room_everything_under_way_is_spelt_out(frontier: RunModel) -> None:
    text = "\n".join(line.plain for line in tree_lines(frontier, now=60, width=100, height=500))
    assert text.count("creating") == 60
    assert text.count("create failed") == 1


def test_a_finished_component_is_one_line() -> None:
    model = RunModel()
    for each in (ENVIRONMENT, FABRIC[0], POOL[0], *LEAF[:LEAVES]):
        model.apply(Step(resource=each, op="create", failed=False, seconds=2), 10)
    assert [line.plain for line in tree_lines(model, now=99, width=50, height=20)] == [
        "Environment frontier            8 created     2.0s"
    ]


def test_nothing_that_changes_is_nothing_to_show() -> None:
    model = RunModel()
    for each in (ENVIRONMENT, LEAF[0]):
        model.apply(Step(resource=each, op="same", failed=False, seconds=0), 1)
    assert tree_lines(model, now=1, width=80, height=20) == []
