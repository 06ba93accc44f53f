"""What may go and what may not, read from an exported state."""

from __future__ import annotations

import pytest

from gpufleet.cli.output import Format
from gpufleet.cli.protection import ProtectedError, destroy_plan, in_state, left_over, to_unprotect
from gpufleet.cli.run_options import Request
from gpufleet.engine import RunOptions
from tests.cli.fake_stack import state

REQUEST = Request(
    command="destroy", environment="prod", sandbox=False, form=Format.TEXT, output=None, options=RunOptions()
)
RESOURCES = in_state(
    state(
        ("azure-native:resources:ResourceGroup", "rg", True),
        ("azure-native:containerservice:ManagedCluster", "aks-a", True),
        ("azure-native:containerservice:ManagedCluster", "aks-b", True),
        ("azure-native:network:Subnet", "snet", False),
        ("pulumi:providers:kubernetes", "k8s", False),
    )
)


def test_a_state_without_resources_is_empty() -> None:
    assert in_state({"version": 3, "deployment": {}}) == []
    assert in_state({"version": 3}) == []


def test_everything_but_the_stack_is_planned_to_go() -> None:
    tally = destroy_plan(RESOURCES).tally()
    assert tally.planned == {"delete": 5}


def test_protected_resources_are_listed_by_kind() -> None:
    with pytest.raises(ProtectedError) as caught:
        to_unprotect(RESOURCES, ["rg"], REQUEST)
    assert caught.value.message == (
        "prod: 2 resources are protected, so nothing was deleted\n  ManagedCluster: aks-a, aks-b"
    )
    assert caught.value.hint.endswith("gpufleet destroy prod --unprotect aks-a")


def test_naming_all_of_them_lets_them_go() -> None:
    assert to_unprotect(RESOURCES, ["rg", "aks-*"], REQUEST) == [resource.urn for resource in RESOURCES[:3]]


def test_a_name_that_fits_nothing_is_a_mistake() -> None:
    with pytest.raises(ProtectedError, match="--unprotect snet: no protected resource of prod has that name"):
        to_unprotect(RESOURCES, ["*", "snet"], REQUEST)


def test_with_targets_the_engine_decides() -> None:
    targeted = Request(
        command="destroy",
        environment="prod",
        sandbox=False,
        form=Format.TEXT,
        output=None,
        options=RunOptions(targets=("urn",)),
    )
    assert to_unprotect(RESOURCES, [], targeted) == []


def test_providers_are_nothing_that_is_left() -> None:
    assert left_over(RESOURCES) == ["ResourceGroup rg", "ManagedCluster aks-a", "ManagedCluster aks-b", "Subnet snet"]
