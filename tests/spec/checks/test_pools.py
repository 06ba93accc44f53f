from __future__ import annotations

from tests.spec.environments import DATA, POOL, SERVE, Case, cases, judge

_RULE_FREE = {"example.com/team": "nlp", "plain": ""}


@cases(
    Case(
        "min above max",
        {(*DATA, "nodes"): {"min": 5, "max": 4}},
        "training[0].pools[1].nodes.min",
        "5 is more than max, 4",
        {(*DATA, "nodes"): {"min": 4, "max": 4}},
    ),
    Case(
        "more nodes than a pool has",
        {(*DATA, "nodes"): 1001},
        "training[0].pools[1].nodes",
        "1001 nodes exceed the 1,000 of an AKS pool",
        {(*DATA, "nodes"): 1000},
    ),
    Case(
        "highest price without spot",
        {(*SERVE, "spotMaxPrice"): 2.5},
        "inference.regions[0].pools[0].spotMaxPrice",
        "only a spot pool has a highest price",
        {(*SERVE, "spotMaxPrice"): 2.5, (*SERVE, "priority"): "spot"},
    ),
    Case(
        "six decimals",
        {(*SERVE, "spotMaxPrice"): 2.500001, (*SERVE, "priority"): "spot"},
        "inference.regions[0].pools[0].spotMaxPrice",
        "must be -1 or a price in USD an hour with at most five decimals, not 2.500001",
        {(*SERVE, "spotMaxPrice"): 2.50001, (*SERVE, "priority"): "spot"},
    ),
    Case(
        "free spot",
        {(*SERVE, "spotMaxPrice"): 0, (*SERVE, "priority"): "spot"},
        "inference.regions[0].pools[0].spotMaxPrice",
        "must be -1 or a price in USD an hour with at most five decimals, not 0.0",
        {(*SERVE, "spotMaxPrice"): -1, (*SERVE, "priority"): "spot"},
    ),
    Case(
        "upgrade settings on spot",
        {(*SERVE, "upgrade"): {"maxSurge": "1"}, (*SERVE, "priority"): "spot"},
        "inference.regions[0].pools[0].upgrade",
        "AKS accepts no upgrade settings on a spot pool",
        {(*SERVE, "upgrade"): {"maxSurge": "1"}},
    ),
    Case(
        "spot of the B series",
        {(*DATA, "sku"): "Standard_B4ms", (*DATA, "priority"): "spot"},
        "training[0].pools[1].sku",
        "Azure has no spot capacity of the B series",
        {(*DATA, "sku"): "Standard_B4ms"},
    ),
    Case(
        "an upgrade that can't move",
        {(*DATA, "upgrade"): {"maxSurge": 0}},
        "training[0].pools[1].upgrade",
        "with maxSurge 0 and maxUnavailable 0 no node could ever be upgraded",
        {(*DATA, "upgrade"): {"maxSurge": 0, "maxUnavailable": 1}},
    ),
    Case(
        "a GPU upgrade that can't move",
        {(*POOL, "upgrade"): {"maxSurge": "0%", "maxUnavailable": "0"}},
        "training[0].pools[0].upgrade",
        "with maxSurge 0 and maxUnavailable 0 no node could ever be upgraded",
        {(*POOL, "upgrade"): {"maxSurge": "0"}},
    ),
    Case(
        "more than all",
        {(*SERVE, "upgrade"): {"maxSurge": "101%"}},
        "inference.regions[0].pools[0].upgrade.maxSurge",
        "101% is more than the whole pool",
        {(*SERVE, "upgrade"): {"maxSurge": "100%"}},
    ),
    Case(
        "a node to be replaced without a surge",
        {(*POOL, "upgrade"): {"undrainableNode": "Cordon"}},
        "training[0].pools[0].upgrade.undrainableNode",
        "Cordon replaces a node that can't be emptied by a surge node, and there is no surge",
        {
            (*POOL, "upgrade"): {"undrainableNode": "Schedule"},
            (*DATA, "upgrade"): {"undrainableNode": "Cordon", "maxSurge": "1"},
        },
    ),
    Case(
        "label key",
        {(*DATA, "labels"): {"-x": "y"}},
        'training[0].pools[1].labels["-x"]',
        "is not a label key",
        {(*DATA, "labels"): _RULE_FREE},
    ),
    Case(
        "label value",
        {(*DATA, "labels"): {"x": "y" * 64}},
        "training[0].pools[1].labels.x",
        "does not have a label's value",
        {(*DATA, "labels"): {"x": "y" * 63}},
    ),
    Case(
        "AKS label",
        {(*DATA, "labels"): {"kubernetes.azure.com/mode": "user"}},
        'training[0].pools[1].labels["kubernetes.azure.com/mode"]',
        "the prefix kubernetes.azure.com/ is reserved",
        {(*DATA, "labels"): {"azure.com/mode": "user"}},
    ),
    Case(
        "our taint",
        {(*DATA, "taints"): ["gpufleet.io/pool=x:NoSchedule"]},
        "training[0].pools[1].taints[0]",
        "the prefix gpufleet.io/ is reserved",
        {(*DATA, "taints"): ["example.com/pool=x:NoSchedule"]},
    ),
    Case(
        "taint key",
        {(*DATA, "taints"): ["/x:NoSchedule"]},
        "training[0].pools[1].taints[0]",
        "key and value must have a label's form",
        {(*DATA, "taints"): ["x:NoSchedule"]},
    ),
    Case(
        "taint twice",
        {(*DATA, "taints"): ["x=1:NoSchedule", "x=2:NoSchedule"]},
        "training[0].pools[1].taints[1]",
        "has the key and effect of taints[0]",
        {(*DATA, "taints"): ["x=1:NoSchedule", "x=2:NoExecute"]},
    ),
)
def test_a_pool_by_itself(case: Case) -> None:
    judge(case)
