from __future__ import annotations

from tests.spec.environments import DATA, Case, cases, judge

_POOLS = ("training", 0, "pools")
_NC = {"name": "nc", "sku": "Standard_NC40ads_H100_v5", "priority": "spot", "nodes": {"min": 0, "max": 4}}
_RESUME = {"maxLossPercent": 5, "resume": True}
_UNDECLARED = "spot GPU nodes are for jobs that resume from a checkpoint, and none declares it here"


@cases(
    Case(
        "a gang on spot",
        {(*_POOLS, 0, "priority"): "spot", ("training", 0, "workload", "checkpoint"): _RESUME},
        "training[0].pools[0].priority",
        "InfiniBand is for gangs, and a spot node of Standard_ND96isr_H100_v5 goes with 30 seconds' notice and takes "
        "the whole gang with it",
        {(*DATA, "priority"): "spot"},
    ),
    Case(
        "jobs that don't declare how they go on",
        {(*_POOLS, 2): _NC},
        "training[0].pools[2].priority",
        _UNDECLARED,
        {(*_POOLS, 2): _NC, ("training", 0, "workload", "checkpoint"): _RESUME},
    ),
    Case(
        "jobs that declare that they don't",
        {(*_POOLS, 2): _NC, ("training", 0, "workload", "checkpoint"): {**_RESUME, "resume": False}},
        "training[0].pools[2].priority",
        _UNDECLARED,
        {(*_POOLS, 2): {**_NC, "priority": "regular"}},
    ),
    Case(
        "a fabric of which nobody says what it trains",
        {
            (*_POOLS, 2): _NC,
            ("training", 0, "workload"): None,
            ("training", 0, "storage", "lustre", "capacityTiB"): 8,
        },
        "training[0].pools[2].priority",
        _UNDECLARED,
    ),
)
def test_spot_in_training(case: Case):
    judge(case)
