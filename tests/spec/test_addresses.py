from __future__ import annotations

import itertools
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.spec.addresses import address_plan, derived_subnets, derived_vnet, scopes
from gpufleet.spec.cluster import Subnets
from gpufleet.spec.environment import Environment
from tests.spec.environments import NETWORK, changed, environment

_SHARES = {"gpu": 18, "system": 20, "private_endpoints": 24, "lustre": 18}


def test_places_are_fabrics_and_then_regions() -> None:
    found = [(scope.name, scope.region, scope.path, scope.place) for scope in scopes(_environment())]
    assert found == [
        ("lab", "eastus", ("training", 0), 0),
        ("swedencentral", "swedencentral", ("inference", "regions", 0), 1),
    ]


def test_the_derived_plan() -> None:
    plan = address_plan(_environment())
    assert {name: addresses.vnet for name, addresses in plan.items()} == {
        "lab": "10.0.0.0/16",
        "swedencentral": "10.1.0.0/16",
    }
    assert plan["swedencentral"].subnets == Subnets(
        gpu="10.1.0.0/18", system="10.1.64.0/20", privateEndpoints="10.1.80.0/24", lustre="10.1.128.0/18"
    )


def test_stated_networks_are_taken() -> None:
    subnets = {
        "gpu": "192.168.0.0/24",
        "system": "192.168.1.0/24",
        "privateEndpoints": "192.168.2.0/24",
        "lustre": "192.168.4.0/24",
    }
    value = changed({NETWORK: {"vnetCidr": "192.168.0.0/20", "subnets": subnets}})
    assert address_plan(Environment.model_validate(value))["lab"].subnets.lustre == "192.168.4.0/24"
    value = changed({NETWORK: {"vnetCidr": "192.168.0.0/20"}})
    assert address_plan(Environment.model_validate(value))["lab"].subnets == Subnets(
        gpu="192.168.0.0/22", system="192.168.4.0/24", privateEndpoints="192.168.5.0/28", lustre="192.168.8.0/22"
    )


@given(st.integers(0, 2**32 - 1), st.integers(8, 20))
def test_derived_subnets_are_disjoint_parts(address: int, prefix: int) -> None:
    vnet = IPv4Network((address >> (32 - prefix) << (32 - prefix), prefix))
    subnets = [IPv4Network(cidr) for cidr in derived_subnets(str(vnet)).model_dump().values()]
    assert all(subnet.subnet_of(vnet) and subnet.prefixlen <= 28 for subnet in subnets)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(subnets, 2))


@given(st.integers(0, 127), st.integers(0, 127))
def test_derived_networks_are_disjoint(first: int, second: int) -> None:
    overlap = IPv4Network(derived_vnet(first)).overlaps(IPv4Network(derived_vnet(second)))
    assert overlap == (first == second)


def test_what_cannot_be_derived() -> None:
    with pytest.raises(ValueError, match="place 128 has no derived network"):
        derived_vnet(128)
    with pytest.raises(ValueError, match="is too small to divide"):
        derived_subnets("10.0.0.0/21")


def test_shares_of_a_16() -> None:
    subnets = derived_subnets("10.0.0.0/16").model_dump()
    assert {name: IPv4Network(cidr).prefixlen for name, cidr in subnets.items()} == _SHARES


def _environment() -> Environment:
    return Environment.model_validate(environment())
