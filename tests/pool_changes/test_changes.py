"""What happens to pools, from the agent pools before and after."""

from __future__ import annotations

from gpufleet.pool_changes.changes import FieldChange, Kind, PoolChange, pool_changes
from gpufleet.pool_changes.pools import AgentPool
from tests.pool_changes.objects import agent_pool


def only(before: list[AgentPool], after: list[AgentPool], **more: frozenset[str]) -> PoolChange:
    (found,) = pool_changes(before, after, **more)
    return found


def test_nothing_changes() -> None:
    pools = [agent_pool("h10001aa"), agent_pool("h10002aa")]
    assert pool_changes(pools, pools) == ()


def test_the_autoscaler_may_count_as_it_likes() -> None:
    assert pool_changes([agent_pool("d", nodes=3, maxCount=8)], [agent_pool("d", nodes=0, maxCount=8)]) == ()


def test_a_pool_grows_by_a_domain() -> None:
    first, second = agent_pool("h10001aa"), agent_pool("h10002aa")
    found = only([first], [first, second])
    assert (found.kind, found.new, found.kept, found.takes_nodes) == (Kind.RESIZED, (second,), (first,), False)
    assert found.fields == (FieldChange(field="nodes", old="4", new="8"),)


def test_a_pool_shrinks_by_a_domain_and_by_nodes() -> None:
    first, second = agent_pool("h10001aa"), agent_pool("h10002aa")
    gone = only([first, second], [first])
    assert (gone.kind, gone.gone, gone.takes_nodes, gone.overlaps) == (Kind.RESIZED, (second,), True, False)
    less = only([first], [agent_pool("h10001aa", nodes=3)])
    assert (less.kind, less.takes_nodes) == (Kind.RESIZED, True)
    assert not only([first], [agent_pool("h10001aa", nodes=5)]).takes_nodes


def test_labels_of_a_pool_are_updated_in_place() -> None:
    found = only([agent_pool("h10001aa")], [agent_pool("h10001aa", nodeLabels={"team": "a"})])
    assert (found.kind, found.takes_nodes) == (Kind.UPDATED, False)
    assert found.fields == (FieldChange(field="labels", old={}, new={"team": "a"}),)


def test_a_pool_rotates() -> None:
    old, new = agent_pool("h10001aa"), agent_pool("h10001bb", osDiskSizeGB=512, nodes=2)
    found = only([old], [new])
    assert (found.kind, found.new, found.gone, found.overlaps) == (Kind.ROTATES, (new,), (old,), True)
    assert found.fields == (
        FieldChange(field="nodes", old="4", new="2"),
        FieldChange(field="osDiskGiB", old=256, new=512),
    )


def test_a_rotation_that_was_cut_off_is_one_still() -> None:
    old, new = agent_pool("h10001aa"), agent_pool("h10001bb", osDiskSizeGB=512)
    found = only([old, new], [new])
    assert (found.kind, found.gone, found.new) == (Kind.ROTATES, (old,), ())


def test_priority_says_what_follows_from_it() -> None:
    spot = agent_pool("h10001bb", scaleSetPriority="Spot", spotMaxPrice=-1.0, nodeTaints=["a", "b"])
    assert [change.field for change in only([agent_pool("h10001aa")], [spot]).fields] == ["priority"]


def test_a_pool_gets_another_name_or_fabric() -> None:
    old = agent_pool("h10001aa")
    renamed = only([old], [agent_pool("hopper01aa", pool="hopper")])
    assert (renamed.kind, renamed.pool, renamed.to, renamed.overlaps) == (Kind.RENAMED, "h100", "hopper", True)
    moved = only([old], [agent_pool("h10001aa", scope="far")])
    assert (moved.kind, moved.scope, moved.to) == (Kind.MOVED, "lab", "far")


def test_two_candidates_are_no_new_name() -> None:
    found = pool_changes([agent_pool("h10001aa")], [agent_pool("b01aa", pool="b"), agent_pool("c01aa", pool="c")])
    assert [(one.pool, one.kind) for one in found] == [("b", Kind.ADDED), ("c", Kind.ADDED), ("h100", Kind.REMOVED)]


def test_a_replacement_in_place_takes_nodes() -> None:
    old = agent_pool("h10001aa")
    found = only([old], [agent_pool("h10001aa", osDiskSizeGB=512)], replaced=frozenset({old.urn}))
    assert (found.kind, found.takes_nodes) == (Kind.REPLACED, True)
