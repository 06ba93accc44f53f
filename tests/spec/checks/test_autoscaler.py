from __future__ import annotations

from tests.spec.environments import CLUSTER, DATA, POOL, Case, cases, judge

_EXPANDER = (*CLUSTER, "autoscaler", "expander")
_PRIORITY = "autoscalerPriority"


@cases(
    Case(
        "a priority that no expander follows",
        {_EXPANDER: "least-waste", (*DATA, _PRIORITY): 5},
        "training[0].pools[1].autoscalerPriority",
        "the expander is least-waste, which follows no priorities",
        {_EXPANDER: "priority", (*DATA, _PRIORITY): 5},
    ),
    Case(
        "priorities without pools",
        {_EXPANDER: "priority", (*DATA, "nodes"): 1, (*POOL, "nodes"): 1},
        "training[0].cluster.autoscaler.expander",
        "no pool is autoscaled, so there is nothing to give priorities to",
        {_EXPANDER: "priority", (*POOL, "nodes"): 1},
    ),
    Case(
        "spot without priorities",
        {_EXPANDER: "random", (*DATA, "priority"): "spot"},
        "training[0].cluster.autoscaler.expander",
        "spot and regular pools are autoscaled side by side, and random takes either",
        {_EXPANDER: "random"},
    ),
    Case(
        "spot no better than regular",
        {(*DATA, "priority"): "spot", (*DATA, _PRIORITY): 10},
        "training[0].pools[1].autoscalerPriority",
        "the spot pool data has the priority 10 of the regular pool h100, and among equals the autoscaler takes any",
        {(*DATA, "priority"): "spot", (*DATA, _PRIORITY): 11},
    ),
    Case(
        "a priority of a fixed pool",
        {(*POOL, _PRIORITY): 1, (*POOL, "nodes"): 4},
        "training[0].pools[0].autoscalerPriority",
        "the autoscaler has no part in a pool with a fixed number of nodes",
        {(*POOL, _PRIORITY): 1},
    ),
)
def test_the_autoscaler(case: Case) -> None:
    judge(case)
