from __future__ import annotations

from tests.spec.environments import CLUSTER, DATA, NETWORK, POOL, Case, cases, changed, judge, verdict

_SUBNETS = {
    "gpu": "10.50.0.0/24",
    "system": "10.50.1.0/24",
    "privateEndpoints": "10.50.2.0/24",
    "lustre": "10.50.4.0/24",
}
_OTHER = ("inference", "regions", 0, "network", "vnetCidr")


def _network(**subnets: str) -> dict[str, object]:
    return {"vnetCidr": "10.50.0.0/21", "subnets": {**_SUBNETS, **subnets}}


@cases(
    Case(
        "the InfiniBand range",
        {(*NETWORK, "vnetCidr"): "172.16.0.0/16"},
        "training[0].network.vnetCidr",
        "172.16.0.0/16 touches 172.16.0.0/16, which belongs to the InfiniBand (RDMA) network of the nodes",
        {(*NETWORK, "vnetCidr"): "172.17.0.0/16"},
    ),
    Case(
        "an AKS range",
        {(*CLUSTER, "serviceCidr"): "172.30.8.0/21"},
        "training[0].cluster.serviceCidr",
        "172.30.8.0/21 touches 172.30.0.0/16, which belongs to AKS",
        {(*CLUSTER, "serviceCidr"): "172.29.8.0/21"},
    ),
    Case(
        "public space",
        {(*NETWORK, "vnetCidr"): "11.0.0.0/16"},
        "training[0].network.vnetCidr",
        "11.0.0.0/16 is not private address space",
        {(*NETWORK, "vnetCidr"): "100.64.0.0/16"},
    ),
    Case(
        "network and pods",
        {(*CLUSTER, "podCidr"): "10.0.0.0/14"},
        "training[0].cluster.podCidr",
        "the pod range 10.0.0.0/14 overlaps the virtual network 10.0.0.0/16 (training[0].network.vnetCidr)",
        {(*CLUSTER, "podCidr"): "10.4.0.0/14"},
    ),
    Case(
        "pods and services",
        {(*CLUSTER, "serviceCidr"): "10.159.0.0/16"},
        "training[0].cluster.serviceCidr",
        "the service range 10.159.0.0/16 overlaps the pod range 10.128.0.0/11 (training[0].cluster.podCidr)",
        {(*CLUSTER, "serviceCidr"): "10.160.0.0/16"},
    ),
    Case(
        "two virtual networks",
        {_OTHER: "10.0.0.0/20"},
        "inference.regions[0].network.vnetCidr",
        "the virtual network 10.0.0.0/20 overlaps the virtual network 10.0.0.0/16 (training[0].network.vnetCidr)",
        {_OTHER: "10.1.0.0/20"},
    ),
    Case(
        "a network too small to divide",
        {_OTHER: "10.1.0.0/21"},
        "inference.regions[0].network.vnetCidr",
        "10.1.0.0/21 is too small to be divided into subnets",
        {_OTHER: "10.1.0.0/20"},
    ),
    Case(
        "a subnet outside",
        {NETWORK: _network(lustre="10.50.8.0/24")},
        "training[0].network.subnets.lustre",
        "10.50.8.0/24 is not inside the virtual network 10.50.0.0/21",
        {NETWORK: _network(lustre="10.50.7.0/24")},
    ),
    Case(
        "subnets that touch",
        {NETWORK: _network(privateEndpoints="10.50.4.0/25")},
        "training[0].network.subnets.privateEndpoints",
        "privateEndpoints 10.50.4.0/25 overlaps lustre 10.50.4.0/24 (training[0].network.subnets.lustre)",
        {NETWORK: _network(privateEndpoints="10.50.5.0/25")},
    ),
    Case(
        "a subnet too small for Azure",
        {NETWORK: _network(privateEndpoints="10.50.2.0/30")},
        "training[0].network.subnets.privateEndpoints",
        "10.50.2.0/30 is smaller than Azure's smallest subnet, a /29",
        {NETWORK: _network(privateEndpoints="10.50.2.0/29")},
    ),
    Case(
        # A /28 has 16 addresses, less five.
        "GPU subnet",
        {NETWORK: _network(gpu="10.50.0.0/28"), (*POOL, "nodes"): 12},
        "training[0].network.subnets.gpu",
        "10.50.0.0/28 has room for 11 nodes (Azure keeps 5 addresses), and 12 may be there with surge",
        {NETWORK: _network(gpu="10.50.0.0/28"), (*POOL, "nodes"): 11},
    ),
    Case(
        # 3 system nodes and 7 CPU nodes, with a surge of one each.
        "system subnet",
        {NETWORK: _network(system="10.50.1.0/28"), (*DATA, "nodes"): 7},
        "training[0].network.subnets.system",
        "10.50.1.0/28 has room for 11 nodes (Azure keeps 5 addresses), and 12 may be there with surge",
        {NETWORK: _network(system="10.50.1.0/28"), (*DATA, "nodes"): 6},
    ),
    Case(
        # 8 + 4 + 1 and 3 + 1 system nodes: 17 blocks of a /24.
        "pod range",
        {(*CLUSTER, "podCidr"): "10.200.0.0/20"},
        "training[0].cluster.podCidr",
        "10.200.0.0/20 holds 16 nodes (the overlay network takes a /24 a node), and 17 may be there with surge",
        {(*CLUSTER, "podCidr"): "10.200.0.0/20", (*POOL, "nodes", "max"): 7},
    ),
    Case(
        "service range too large",
        {(*CLUSTER, "serviceCidr"): "10.160.0.0/12"},
        "training[0].cluster.serviceCidr",
        "10.160.0.0/12 is too large: AKS asks for a service range smaller than a /12",
        {(*CLUSTER, "serviceCidr"): "10.160.0.0/13"},
    ),
    Case(
        "service range too small",
        {(*CLUSTER, "serviceCidr"): "10.160.0.0/29"},
        "training[0].cluster.serviceCidr",
        "10.160.0.0/29 is too small for the cluster's own services",
        {(*CLUSTER, "serviceCidr"): "10.160.0.0/28"},
    ),
)
def test_networks(case: Case) -> None:
    judge(case)


def test_the_129th_place_has_no_derived_network() -> None:
    fabric = changed({})["training"][0]
    fabrics = [{**fabric, "name": f"lab{index}"} for index in range(128)]
    value = changed({("training",): fabrics})
    assert [(problem.key, problem.message) for problem in verdict(value)] == [
        (
            "inference.regions[0].network.vnetCidr",
            "is the 129th place with a network, and networks are derived for 128",
        )
    ]
    assert verdict(changed({("inference", "regions", 0, "network"): {"vnetCidr": "192.168.0.0/16"}}, value)) == []
