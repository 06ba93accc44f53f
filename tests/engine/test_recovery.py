"""What is in doubt in a state, and what a repair makes of what the cloud says."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import pytest

from gpufleet.engine import FailedOperation, PendingOperationsError, Resource
from gpufleet.engine.doubts import LEFT, Doubt, Record, State, cloud_id, doubts, is_marked, lost, marked
from gpufleet.engine.recovery import Outcome, repair
from tests.engine.states import GROUP_ID, GROUP_TYPE, POOL_ID, POOL_INPUTS, POOL_TYPE, PROVIDER, group, pool, state, urn

LIVE = {**POOL_INPUTS, "provisioningState": "Succeeded", "osDiskType": "Managed"}


class Cloud:
    """Answers reads as the engine's refresh does: outputs and the cloud's defaults as inputs, or nothing."""

    def __init__(self, *answers: dict[str, dict[str, object]]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, ...]] = []

    def read(self, before: State, targets: Sequence[str]) -> State:
        self.asked.append(tuple(targets))
        there = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        after = copy.deepcopy(dict(before))
        kept = []
        for record in after["deployment"]["resources"]:
            live = there.get(str(record.get("id")))
            if record["urn"] in targets:
                if live is None:
                    continue
                record["outputs"] = live
                record["inputs"] = {**record["inputs"], **live}
            kept.append(record)
        after["deployment"]["resources"] = kept
        return after


def repaired(
    before: State, cloud: Cloud, sleep: Callable[[float], None] = lambda _: None
) -> tuple[State, list[Outcome]]:
    found = doubts(before, subscription="")
    after, settled = repair(before, found, environment="dev", read=cloud.read, sleep=sleep, clock=lambda: 0.0)
    assert [item.doubt for item in settled] == list(found)
    assert "pending_operations" not in after["deployment"]
    return after, [item.outcome for item in settled]


def entries(after: State, name: str = "h100") -> list[Record]:
    return [record for record in after["deployment"]["resources"] if record["urn"].endswith(f"::{name}")]


def test_a_state_that_is_whole_has_no_doubts():
    assert doubts(state(), subscription="") == ()
    assert doubts({"version": 3, "deployment": {}}, subscription="") == ()


def test_what_was_made_is_taken_in_as_a_finished_create_would_have_left_it():
    cloud = Cloud({POOL_ID: LIVE})
    before = state(pending=(("creating", pool()),))
    after, outcomes = repaired(before, cloud)
    assert outcomes == [Outcome.ADOPTED]
    (entry,) = entries(after)
    assert (entry["id"], entry["inputs"], entry["outputs"]) == (POOL_ID, POOL_INPUTS, LIVE)
    assert entry["dependencies"] == [urn(GROUP_TYPE, "rg")]
    assert "initErrors" not in entry
    assert cloud.asked == [(urn(POOL_TYPE, "h100"),)]
    assert before["deployment"]["pending_operations"]  # the caller's state stays as it was


def test_what_was_not_made_is_forgotten():
    after, outcomes = repaired(state(pending=(("creating", pool()),)), Cloud({}))
    assert (outcomes, entries(after)) == ([Outcome.DROPPED], [])


def test_what_is_broken_in_the_cloud_is_taken_in_and_updated_next():
    after, outcomes = repaired(
        state(pending=(("creating", pool()),)), Cloud({POOL_ID: {**LIVE, "provisioningState": "Failed"}})
    )
    assert outcomes == [Outcome.ADOPTED]
    assert entries(after)[0]["initErrors"] == ["provisioningState is Failed"]


def test_what_is_still_being_made_is_waited_for():
    cloud = Cloud(
        {POOL_ID: {**LIVE, "provisioningState": "Creating"}}, {POOL_ID: {**LIVE, "provisioningState": "Creating"}}, {}
    )
    pauses: list[float] = []
    after, outcomes = repaired(state(pending=(("creating", pool()),)), cloud, pauses.append)
    assert (outcomes, entries(after), pauses) == ([Outcome.DROPPED], [], [1.0, 2.0])


def test_what_never_settles_is_an_error_in_the_end():
    cloud = Cloud({POOL_ID: {**LIVE, "provisioningState": "Creating"}})
    before = state(pending=(("creating", pool()),))
    times = iter(range(0, 1_000_000, 3600))
    with pytest.raises(PendingOperationsError, match="Azure is still busy with /subscriptions/"):
        repair(
            before,
            doubts(before, subscription=""),
            environment="dev",
            read=cloud.read,
            sleep=lambda _: None,
            clock=lambda: float(next(times)),
        )


@pytest.mark.parametrize(
    "live",
    [{**LIVE, "tags": {"environment": "prod"}}, {**LIVE, "tags": None}, {**LIVE, "location": "westus"}],
)
def test_what_somebody_else_made_is_left_alone(live: dict[str, object]):
    sent = pool(inputs={**POOL_INPUTS, "location": "East US"})
    after, outcomes = repaired(state(pending=(("creating", sent),)), Cloud({POOL_ID: live}))
    assert (outcomes, entries(after)) == ([Outcome.FOREIGN], [])


def test_tags_that_a_policy_added_and_the_spelling_of_a_region_do_not_make_it_anothers():
    sent = pool(inputs={**POOL_INPUTS, "location": "East US"})
    live = {**LIVE, "location": "eastus", "tags": {"environment": "dev", "policy": "x"}}
    assert repaired(state(pending=(("creating", sent),)), Cloud({POOL_ID: live}))[1] == [Outcome.ADOPTED]


def test_a_cut_off_update_and_delete_are_read_again():
    kept, gone = pool(id=POOL_ID, outputs=dict(LIVE)), group()
    changed = {**LIVE, "count": 5}
    before = state(kept, pending=(("updating", kept), ("deleting", gone)))
    after, outcomes = repaired(before, Cloud({POOL_ID: changed}))
    assert outcomes == [Outcome.REFRESHED, Outcome.GONE]
    assert entries(after)[0]["inputs"]["count"] == 5
    assert entries(after, "rg") == []


def test_components_and_providers_are_not_looked_for():
    component = {"urn": urn("gpufleet:pool:GpuPool", "lab"), "custom": False, "type": "gpufleet:pool:GpuPool"}
    kubernetes = {"urn": urn("pulumi:providers:kubernetes", "k"), "custom": True, "type": "pulumi:providers:kubernetes"}
    cloud = Cloud({})
    after, outcomes = repaired(state(pending=(("creating", component), ("creating", kubernetes))), cloud)
    assert (outcomes, cloud.asked) == ([Outcome.DROPPED, Outcome.DROPPED], [])
    assert after["deployment"]["resources"] == state()["deployment"]["resources"]


def test_a_replacement_that_was_made_retires_the_old_one():
    old_id = POOL_ID.replace("h100", "h099")
    old = pool(id=old_id, inputs={**POOL_INPUTS, "agentPoolName": "h099"}, outputs={})
    before = state(old, pending=(("creating", pool()),))
    after, outcomes = repaired(before, Cloud({POOL_ID: LIVE, old_id: LIVE}))
    assert outcomes == [Outcome.ADOPTED]
    assert [(entry["id"], entry.get("delete", False)) for entry in entries(after)] == [(POOL_ID, False), (old_id, True)]


def test_a_replacement_that_was_not_made_leaves_the_old_one_be():
    old_id = POOL_ID.replace("h100", "h099")
    old = pool(id=old_id, inputs={**POOL_INPUTS, "agentPoolName": "h099"}, outputs={})
    after, outcomes = repaired(state(old, pending=(("creating", pool()),)), Cloud({old_id: LIVE}))
    assert outcomes == [Outcome.DROPPED]
    assert [(entry["id"], entry.get("delete", False)) for entry in entries(after)] == [(old_id, False)]


def test_what_was_deleted_for_its_replacement_gives_way():
    waiting = pool(id=POOL_ID, pendingReplacement=True, outputs={})
    after, outcomes = repaired(state(waiting, pending=(("creating", pool()),)), Cloud({POOL_ID: LIVE}))
    assert outcomes == [Outcome.ADOPTED]
    assert ["pendingReplacement" in entry for entry in entries(after)] == [False]


def test_an_old_note_about_what_the_state_has_by_now_changes_nothing_in_it():
    newer = pool(id=POOL_ID, inputs={**POOL_INPUTS, "count": 7}, outputs=dict(LIVE))
    live = {**LIVE, "count": 7}
    after, outcomes = repaired(state(newer, pending=(("creating", pool()),)), Cloud({POOL_ID: live}))
    assert (outcomes, entries(after)[0]["inputs"]["count"]) == ([Outcome.REFRESHED], 7)


def test_a_note_that_outlived_what_it_hung_on_is_made_to_fit():
    moved = pool(provider=f"{PROVIDER}-old", dependencies=[urn(GROUP_TYPE, "gone")], parent=urn("a:b:C", "gone"))
    moved["propertyDependencies"] = {"resourceGroupName": [urn(GROUP_TYPE, "gone")]}
    after, _ = repaired(state(pending=(("creating", moved),)), Cloud({POOL_ID: LIVE}))
    (entry,) = entries(after)
    assert (entry["provider"], entry["dependencies"], "parent" in entry) == (PROVIDER, [], False)
    assert entry["propertyDependencies"] == {"resourceGroupName": []}


def test_an_id_that_cannot_be_told_is_named_with_what_to_type():
    unknown = pool(type="azure-native:web:WebApp", urn=urn("azure-native:web:WebApp", "site"))
    with pytest.raises(PendingOperationsError) as caught:
        repaired(state(pending=(("creating", unknown),)), Cloud({}))
    assert "WebApp site" in caught.value.message
    assert "pulumi import 'azure-native:web:WebApp' site ID --stack dev" in caught.value.hint
    assert "pulumi refresh --clear-pending-creates --yes --skip-preview --stack dev" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("kubernetes:core/v1:ConfigMap", {"metadata": {"name": "a", "namespace": "b"}}, "b/a"),
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "b"}}, "b"),
        ("kubernetes:helm.sh/v3:Release", {"name": "r", "namespace": "b"}, "b/r"),
        ("kubernetes:core/v1:ConfigMap", {"metadata": {"generateName": "a-"}}, ""),
        ("kubernetes:core/v1:ConfigMap", {}, ""),
    ],
)
def test_ids_of_kubernetes(kind: str, inputs: dict[str, object], expected: str):
    assert cloud_id({"type": kind, "inputs": inputs}, subscription="") == expected


def failed(
    op: str, message: str, *, recorded: bool = False, kind: str = POOL_TYPE, name: str = "h100"
) -> FailedOperation:
    resource = Resource(urn=urn(kind, name), type=kind, name=name, parent="", custom=True)
    return FailedOperation(
        resource=resource, op=op, provider=PROVIDER, inputs=POOL_INPUTS, message=message, recorded=recorded
    )


EOF = "error reading from server: EOF"


def test_a_lost_create_is_marked_found_again_and_settled():
    (doubt,) = lost([failed("create", EOF)], state(), subscription="")
    assert (doubt.operation, doubt.id) == ("creating", POOL_ID)
    noted = marked(state(), [doubt])
    (entry,) = entries(noted)
    assert is_marked(entry)
    assert entry["dependencies"] == [urn(GROUP_TYPE, "rg")]  # its id is below the group's
    assert doubts(noted, subscription="") == (Doubt(urn=doubt.urn, operation="creating", id=POOL_ID, record=entry),)

    after, outcomes = repaired(noted, Cloud({POOL_ID: LIVE}))
    assert outcomes == [Outcome.ADOPTED]
    assert entries(after)[0]["inputs"] == POOL_INPUTS
    assert not is_marked(entries(after)[0])
    after, outcomes = repaired(noted, Cloud({}))
    assert (outcomes, entries(after)) == ([Outcome.DROPPED], [])


def test_a_lost_delete_is_settled_too():
    before = state()
    (doubt,) = lost([failed("delete", EOF, kind=GROUP_TYPE, name="rg")], before, subscription="")
    assert (doubt.operation, doubt.id) == ("deleting", GROUP_ID)
    after, outcomes = repaired(marked(before, [doubt]), Cloud({}))
    assert (outcomes, entries(after, "rg")) == ([Outcome.GONE], [])


@pytest.mark.parametrize(
    "failure",
    [
        failed("create", 'Status=409 Code="QuotaExceeded" Message="No."'),
        failed("create", f"cannot create already existing resource '{POOL_ID}'"),  # of a cluster that is not ours
        failed("create", EOF, recorded=True),
        failed("delete-replaced", EOF),
        failed("read", EOF),
        failed("update", EOF),  # of what the state does not have
        failed("create", EOF, kind="pulumi:providers:kubernetes"),
        failed("create", EOF, kind="azure-native:web:WebApp"),
    ],
)
def test_what_is_certain_or_recorded_or_unknown_to_us_is_not_marked(failure: FailedOperation):
    assert lost([failure], state(), subscription="") == ()


CLUSTER_TYPE = "azure-native:containerservice:ManagedCluster"
CLUSTER = {
    "urn": urn(CLUSTER_TYPE, "aks"),
    "custom": True,
    "type": CLUSTER_TYPE,
    "id": POOL_ID.rpartition("/agentPools/")[0],
    "inputs": {},
    "outputs": {"provisioningState": "Succeeded"},
    "provider": PROVIDER,
}
EXISTS = f"cannot create already existing resource '{POOL_ID}'"


def test_what_a_destroy_left_in_our_cluster_is_taken_back():
    before = state(dict(CLUSTER))
    (doubt,) = lost([failed("create", EXISTS)], before, subscription="")
    assert (doubt.operation, doubt.id) == (LEFT, POOL_ID)
    noted = marked(before, [doubt])
    assert [one.operation for one in doubts(noted, subscription="")] == [LEFT]
    after, outcomes = repaired(noted, Cloud({POOL_ID: LIVE}))
    assert outcomes == [Outcome.ADOPTED]
    assert entries(after)[0]["inputs"] == POOL_INPUTS
    assert not is_marked(entries(after)[0])


def test_what_somebody_else_made_in_our_cluster_is_left_alone():
    before = state(dict(CLUSTER))
    (doubt,) = lost([failed("create", EXISTS)], before, subscription="")
    theirs = {**LIVE, "tags": {"environment": "prod"}}
    after, outcomes = repaired(marked(before, [doubt]), Cloud({POOL_ID: theirs}))
    assert (outcomes, entries(after)) == ([Outcome.FOREIGN], [])
    untagged = {name: value for name, value in POOL_INPUTS.items() if name != "tags"}
    alike = {**doubt.record, "inputs": untagged}
    noted = marked(before, [Doubt(urn=doubt.urn, operation=LEFT, id=POOL_ID, record=alike)])
    after, outcomes = repaired(noted, Cloud({POOL_ID: {**LIVE, "count": 3}}))
    assert (outcomes, entries(after)) == ([Outcome.FOREIGN], [])
