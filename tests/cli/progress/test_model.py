"""The state of a run after its events."""

from __future__ import annotations

from gpufleet.cli.progress.model import RunModel, Status
from gpufleet.engine import Diagnostic, Resource, Severity, Step, StepStarted
from tests.recordings.streams import recorded

PREFIX = "urn:pulumi:dev::gpufleet::"


def resource(kind: str, name: str, parent: str = "", *, custom: bool = True) -> Resource:
    return Resource(urn=f"{PREFIX}{kind}::{name}", type=kind, name=name, parent=parent, custom=custom)


def test_resources_nest_by_component_and_the_stack_and_default_providers_are_hidden() -> None:
    model = recorded("preview").model()
    (root,) = model.children()
    assert model.nodes[root].label == "Environment dev"
    (group, fabric) = [model.nodes[urn] for urn in model.children(root)]
    assert (group.label, fabric.label) == ("ResourceGroup rg-dev-global", "TrainingFabric frontier")
    assert sum(1 for _ in model.resources()) == 11
    assert not any("pulumi:providers" in urn or "pulumi:pulumi:Stack" in urn for urn in model.nodes)


def test_tally_counts_resources_not_components() -> None:
    tally = recorded("fail").model(recorded("preview").model()).tally()
    assert (tally.total, tally.done, tally.failed, tally.waiting, tally.running) == (11, 10, 1, 0, 0)
    assert tally.ops == {"create": 10}


def test_what_the_plan_named_waits_until_it_begins() -> None:
    model = RunModel(recorded("preview").model())
    tally = model.tally()
    assert (tally.total, tally.waiting) == (11, 11)


def test_a_plans_unchanged_resources_do_not_wait() -> None:
    tally = RunModel(recorded("preview_update").model()).tally()
    assert (tally.waiting, tally.unchanged) == (2, 9)


def test_a_replacement_is_one_resource_that_runs_until_the_new_one_is_there() -> None:
    pool = resource("azure-native:containerservice:AgentPool", "h100")
    model = RunModel()
    seen = []
    for at, op in enumerate(("delete-replaced", "replace", "create-replacement")):
        model.apply(StepStarted(resource=pool, op=op, at=at), at)
        model.apply(Step(resource=pool, op=op, failed=False, seconds=0.5), at + 0.5)
        seen.append(model.nodes[pool.urn].status)
    assert seen == [Status.RUNNING, Status.RUNNING, Status.DONE]
    node = model.nodes[pool.urn]
    assert (node.op, node.started, node.ended, node.seconds) == ("replace", 0, 2.5, 1.5)


def test_a_failed_step_stays_failed_when_later_ones_succeed() -> None:
    pool = resource("azure-native:containerservice:AgentPool", "h100")
    model = RunModel()
    model.apply(Step(resource=pool, op="create-replacement", failed=True, seconds=1), 1)
    model.apply(Step(resource=pool, op="replace", failed=False, seconds=0), 1)
    assert model.nodes[pool.urn].status is Status.FAILED


def test_parents_that_come_after_their_children_get_their_place() -> None:
    environment = resource("gpufleet:components:Environment", "dev", custom=False)
    fabric = resource("gpufleet:components:TrainingFabric", "lab", environment.urn, custom=False)
    pool = resource("azure-native:containerservice:AgentPool", "h100", fabric.urn)
    model = RunModel()
    for each in (pool, fabric, environment):
        model.apply(Step(resource=each, op="delete", failed=False, seconds=0), 1)
    assert model.roots == [environment.urn]
    assert model.component_of(model.nodes[pool.urn]) == "dev/lab"


def test_order_is_natural_and_the_same_whatever_came_first() -> None:
    names = ["pool-10", "pool-9", "pool-1"]
    model = RunModel()
    for name in names:
        model.apply(Step(resource=resource("a:b:Pool", name), op="create", failed=False, seconds=0), 0)
    assert [model.nodes[urn].name for urn in model.children()] == ["pool-1", "pool-9", "pool-10"]


def test_a_message_that_comes_twice_is_told_once_and_a_remark_is_no_problem() -> None:
    model = RunModel()
    for severity, message in ((Severity.ERROR, "no"), (Severity.ERROR, "no"), (Severity.INFO, "stopping: wait")):
        model.apply(Diagnostic(severity=severity, message=message), 0)
    assert model.diagnostics == [Diagnostic(severity=Severity.ERROR, message="no")]
    assert model.notice == "stopping: wait"
