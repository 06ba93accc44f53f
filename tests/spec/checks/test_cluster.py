from __future__ import annotations

from gpufleet.spec.base import Path
from tests.spec.environments import CLUSTER, DATA, POOL, Case, cases, judge

_GROUP = "00000000-0000-0000-0000-00000000000a"
_SMALL: dict[Path, object] = {("training", 0, "pools", 1, "nodes"): {"min": 0, "max": 1}, (*POOL, "nodes"): 1}


@cases(
    Case(
        # 4,700 fixed ND nodes have no surge; 240 CPU nodes surge by 24, 4 system nodes by 1.
        "nodes of a cluster",
        {(*POOL, "nodes"): 4732, (*DATA, "nodes"): 240, (*CLUSTER, "systemPool"): {"nodes": 4}},
        "training[0].pools",
        "5,001 nodes at the most, with surge and system pool, exceed the 5,000 of an AKS cluster",
        {(*POOL, "nodes"): 4731, (*DATA, "nodes"): 240, (*CLUSTER, "systemPool"): {"nodes": 4}},
    ),
    Case(
        "pools of a cluster",
        {(*POOL, "nodes"): 99, (*POOL, "infiniband"): {"maxNodes": 1, "supportRequest": "1"}},
        "training[0].pools",
        "101 agent pools (system pool and domains included) exceed the 100 of a cluster",
        {(*POOL, "nodes"): 98, (*POOL, "infiniband"): {"maxNodes": 1, "supportRequest": "1"}},
    ),
    Case(
        "free production",
        {("class",): "production", (*CLUSTER, "tier"): "Free"},
        "training[0].cluster.tier",
        "production needs a control plane with an SLA, and the Free tier has none",
        {("class",): "production", (*CLUSTER, "tier"): "Premium"},
    ),
    Case(
        # 1 + 1 CPU node with 1 surge node, and 7 system nodes with 1.
        "free and large",
        {**_SMALL, (*CLUSTER, "tier"): "Free", (*CLUSTER, "systemPool"): {"nodes": 7}},
        "training[0].cluster.tier",
        "the Free tier is for up to 10 nodes, and this cluster may have 11",
        {**_SMALL, (*CLUSTER, "tier"): "Free", (*CLUSTER, "systemPool"): {"nodes": 6}},
    ),
    Case(
        "ranges on a private server",
        {(*CLUSTER, "apiServer"): {"private": True, "authorizedIpRanges": ["203.0.113.0/24"]}},
        "training[0].cluster.apiServer.authorizedIpRanges",
        "a private API server has no authorized ranges",
        {(*CLUSTER, "apiServer"): {"private": False, "authorizedIpRanges": ["203.0.113.0/24"]}},
    ),
    Case(
        "a range twice",
        {(*CLUSTER, "apiServer"): {"authorizedIpRanges": ["203.0.113.0/24", "203.0.113.0/24"]}},
        "training[0].cluster.apiServer.authorizedIpRanges[1]",
        "is the same as authorizedIpRanges[0]",
        {(*CLUSTER, "apiServer"): {"authorizedIpRanges": ["203.0.113.0/24", "198.51.100.0/24"]}},
    ),
    Case(
        "a group twice",
        {(*CLUSTER, "adminGroupObjectIds"): [_GROUP, _GROUP.upper()]},
        "training[0].cluster.adminGroupObjectIds[1]",
        "is the same as adminGroupObjectIds[0]",
        {(*CLUSTER, "adminGroupObjectIds"): [_GROUP, _GROUP.replace("a", "b")]},
    ),
)
def test_clusters(case: Case) -> None:
    judge(case)
