from __future__ import annotations

from gpufleet.spec import Severity
from gpufleet.spec.base import Path
from tests.spec.environments import CLUSTER, DATA, POOL, SERVE, Case, cases, judge

_RAISED = {"maxNodes": 150, "supportRequest": "2611010040000001"}
_GROUP = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
    "/providers/Microsoft.Compute/capacityReservationGroups/crg"
)
_GB200 = {"name": "gb", "sku": "Standard_ND128isr_NDR_GB200_v6", "nodes": 1}
_DRA: dict[Path, object] = {(*CLUSTER, "gpuStack"): "operator-dra"}


@cases(
    Case(
        "more than a domain",
        {(*POOL, "nodes", "max"): 101},
        "training[0].pools[0].nodes.max",
        "101 nodes of Standard_ND96isr_H100_v5 exceed one InfiniBand domain of 100",
        {(*POOL, "nodes", "max"): 100},
    ),
    Case(
        "more than a raised domain",
        {(*POOL, "nodes", "max"): 151, (*POOL, "infiniband"): _RAISED},
        "training[0].pools[0].nodes.max",
        "151 nodes of Standard_ND96isr_H100_v5 exceed one InfiniBand domain of 150",
        {(*POOL, "nodes", "max"): 150, (*POOL, "infiniband"): _RAISED},
    ),
    Case(
        "a raise without InfiniBand",
        {(*SERVE, "infiniband"): _RAISED},
        "inference.regions[0].pools[0].infiniband",
        "Standard_NC40ads_H100_v5 has no InfiniBand",
        {(*POOL, "infiniband"): _RAISED},
    ),
    Case(
        "a size whose name says no InfiniBand",
        {(*POOL, "sku"): "Standard_ND96is_noIB_H100_v5", (*POOL, "infiniband"): _RAISED},
        "training[0].pools[0].infiniband",
        "Standard_ND96is_noIB_H100_v5 has no InfiniBand",
        {(*POOL, "sku"): "Standard_ND96is_noIB_H100_v5"},
    ),
    Case(
        "two zones",
        {(*POOL, "zones"): [1, 2], ("training", 0, "storage", "lustre", "zone"): 1},
        "training[0].pools[0].zones",
        "an InfiniBand domain is in one zone",
        {(*POOL, "zones"): [1], (*DATA, "zones"): [1], (*SERVE, "zones"): [1, 2]},
    ),
    Case(
        "spot InfiniBand",
        {(*SERVE, "sku"): "Standard_ND96isr_H100_v5", (*SERVE, "priority"): "spot"},
        "inference.regions[0].pools[0].priority",
        "spot capacity of Standard_ND96isr_H100_v5 is undocumented, and one eviction stops a model that spans nodes",
        severity=Severity.WARNING,
    ),
    Case(
        "reserved ND",
        {(*POOL, "capacityReservationGroupId"): _GROUP},
        "training[0].pools[0].capacityReservationGroupId",
        "Azure has no on-demand capacity reservations for Standard_ND96isr_H100_v5",
        {(*DATA, "capacityReservationGroupId"): _GROUP},
    ),
    Case(
        "reserved NCads H100",
        {(*SERVE, "capacityReservationGroupId"): _GROUP},
        "inference.regions[0].pools[0].capacityReservationGroupId",
        "Azure has no on-demand capacity reservations for Standard_NC40ads_H100_v5",
        {(*SERVE, "sku"): "Standard_NC24ads_A100_v4", (*SERVE, "capacityReservationGroupId"): _GROUP},
    ),
    Case(
        "reserved spot",
        {(*DATA, "capacityReservationGroupId"): _GROUP, (*DATA, "priority"): "spot"},
        "training[0].pools[1].capacityReservationGroupId",
        "a spot pool cannot use a capacity reservation",
        {(*DATA, "priority"): "spot"},
    ),
    Case(
        "not an id",
        {(*DATA, "capacityReservationGroupId"): "crg"},
        "training[0].pools[1].capacityReservationGroupId",
        "is not the id of a capacity reservation group",
        {(*DATA, "capacityReservationGroupId"): _GROUP.upper()},
    ),
    Case(
        "more racks than a domain has",
        {POOL: {**_GB200, "nodes": {"min": 0, "max": 108}}, **_DRA},
        "training[0].pools[0].nodes.max",
        "108 nodes of Standard_ND128isr_NDR_GB200_v6 exceed one InfiniBand domain of 90 (5 whole NVLink racks of 18)",
        {POOL: {**_GB200, "nodes": {"min": 0, "max": 90}}, **_DRA},
    ),
    Case(
        "part of a rack",
        {POOL: {**_GB200, "nodes": 40}, **_DRA},
        "training[0].pools[0].nodes",
        "40 nodes are 2 whole NVLink racks and 4 nodes of another",
        {POOL: {**_GB200, "nodes": 36}, **_DRA},
        severity=Severity.WARNING,
    ),
    Case(
        "a domain smaller than a rack",
        {POOL: {**_GB200, "infiniband": {"maxNodes": 17, "supportRequest": "1"}}, **_DRA},
        "training[0].pools[0].infiniband.maxNodes",
        "17 nodes are less than one NVLink rack of Standard_ND128isr_NDR_GB200_v6, 18",
        {POOL: {**_GB200, "infiniband": {"maxNodes": 18, "supportRequest": "1"}}, **_DRA},
    ),
    Case(
        "H100 and GB200",
        {
            ("inference", "regions", 0, "name"): "eastus",
            ("inference", "regions", 0, "cluster"): {"gpuStack": "operator-dra"},
            SERVE: _GB200,
        },
        "inference.regions[0].pools[0].sku",
        "Standard_ND128isr_NDR_GB200_v6 cannot share a subscription with Standard_ND96isr_H100_v5 "
        "(training[0].pools[0].sku): the feature Microsoft.ContainerService/AKSInfinibandSupport must be off for the "
        "one and on for the other",
        {POOL: _GB200, **_DRA},
    ),
)
def test_infiniband(case: Case) -> None:
    judge(case)
