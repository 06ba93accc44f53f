"""Stand-in classes are as strict as the SDK's, and leave to it what they can't be sure of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import pytest

from gpufleet.graph import SECRET, UNKNOWN, Graph, Node
from gpufleet.graph.standin.outputs import Data, Output
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.graph.standin.resources import (
    ComponentResource,
    CustomResource,
    InvokeOutputOptions,
    ResourceOptions,
    Run,
)
from gpufleet.graph.standin.sdk import Package, Untyped
from gpufleet.graph.standin.shapes import Shapes

URN = "urn:pulumi:dev::gpufleet::"
SHAPES = Shapes(None)
AZURE = Package("pulumi_azure_native", SHAPES)
KUBERNETES = Package("pulumi_kubernetes", SHAPES)


@pytest.fixture
def run() -> Iterator[Run]:
    with Run("dev", "gpufleet", "1") as found:
        yield found


def group(name: str = "g", **given: object) -> Any:  # noqa: ANN401 its outputs are found by name
    return AZURE.resources.ResourceGroup(name, **given)


def node(run: Run, name: str) -> Node:
    (found,) = [node for node in run.graph() if node.name == name]
    return found


def test_a_resource_promises_its_plain_inputs_alone(run: Run) -> None:
    made = group(location="eastus", tags={"a": "b"})
    assert made.location.standin_data == Data(resources=frozenset({made}), value="eastus")
    assert made.tags.standin_data == Data(resources=frozenset({made}), known=False)
    assert made.id.standin_data == Data(resources=frozenset({made}), known=False)
    assert made.urn.standin_data.value == f"{URN}azure-native:resources:ResourceGroup::g"
    with pytest.raises(AttributeError, match="'locations'"):
        _ = made.locations


def test_properties_and_what_they_are_made_of(run: Run) -> None:
    first, second = group("first"), group("second")
    AZURE.network.Subnet(
        "subnet",
        resource_group_name=first.name,
        virtual_network_name=Output.all(first.id, second.id).apply(str),
        address_prefix=Output.secret("10.0.0.0/24"),
        network_security_group=AZURE.network.NetworkSecurityGroupArgs(id=second.id, location=None),
        default_outbound_access=False,
        opts=ResourceOptions(protect=True, retain_on_delete=True, deleted_with=first),
    )
    made = node(run, "subnet")
    assert made.properties == {
        "resourceGroupName": UNKNOWN,
        "virtualNetworkName": UNKNOWN,
        "addressPrefix": SECRET,
        "networkSecurityGroup": {"id": UNKNOWN},
        "defaultOutboundAccess": False,
        "privateEndpointNetworkPolicies": "Disabled",  # the SDK's own defaults
        "privateLinkServiceNetworkPolicies": "Enabled",
    }
    a, b = (f"{URN}azure-native:resources:ResourceGroup::{name}" for name in ("first", "second"))
    assert made.property_dependencies == {
        "networkSecurityGroup": (b,),
        "resourceGroupName": (a,),
        "virtualNetworkName": (a, b),
    }
    assert (made.dependencies, made.protect, made.retain_on_delete, made.deleted_with) == ((a, b), True, True, a)
    assert made.parent == f"{URN}pulumi:pulumi:Stack::gpufleet-dev"


def test_components_stand_for_what_is_in_them(run: Run) -> None:
    outer = ComponentResource("gpufleet:a:Outer", "outer", {"says": 6.0, "__not": 1}, ResourceOptions(protect=True))
    group("waiting", opts=ResourceOptions(depends_on=[outer]))
    inner = ComponentResource("gpufleet:a:Inner", "inner", None, ResourceOptions(parent=outer))
    group("late", opts=ResourceOptions(parent=inner))
    inner.register_outputs({"a": Output.secret(1)})
    urn = f"{URN}gpufleet:a:Outer$gpufleet:a:Inner$azure-native:resources:ResourceGroup::late"
    assert node(run, "waiting").dependencies == (urn,)
    assert (node(run, "late").urn, node(run, "late").protect) == (urn, True)
    assert (node(run, "outer").properties, node(run, "outer").custom) == ({"says": 6}, False)


def test_a_provider_goes_to_its_own_kind_and_to_children(run: Run) -> None:
    provider = KUBERNETES.Provider("p", kubeconfig=Output.secret("x"), enable_server_side_apply=True)
    parent = ComponentResource("gpufleet:a:A", "parent", {}, ResourceOptions(provider=provider))
    KUBERNETES.core.v1.Namespace("n", opts=ResourceOptions(parent=parent))
    group("g", opts=ResourceOptions(parent=parent))
    assert node(run, "p").properties == {"kubeconfig": SECRET, "enableServerSideApply": "true"}
    assert (node(run, "n").provider, node(run, "g").provider) == (node(run, "p").urn, "")
    assert node(run, "n").properties == {"apiVersion": "v1", "kind": "Namespace"}
    with pytest.raises(TypeError, match="no provider"):
        KUBERNETES.Provider("q", opts=ResourceOptions(provider=provider))


def test_a_custom_resources_type_is_what_it_says(run: Run) -> None:
    KUBERNETES.apiextensions.CustomResource(
        "c", api_version="a/v1", kind="K", spec={"someKey": [{"a_b": None, "c": 1}]}
    )
    made = node(run, "c")
    assert made.type == "kubernetes:a/v1:K"
    assert made.properties == {"apiVersion": "a/v1", "kind": "K", "spec": {"someKey": [{"c": 1}]}}


def test_a_resource_of_a_kind_without_a_class(run: Run) -> None:
    Untyped("kubernetes:a/v1:K", "k", {"value": 1, "spec": None, "of": group().id})
    made = node(run, "k")
    assert (made.type, made.custom) == ("kubernetes:a/v1:K", True)
    assert made.properties == {"value": 1, "of": UNKNOWN}
    assert set(made.property_dependencies) == {"of"}


def test_functions_know_the_subscription_alone(run: Run) -> None:
    client = AZURE.authorization.get_client_config_output(opts=InvokeOutputOptions())
    assert client.subscription_id.standin_data == Data(value="1")
    assert client.tenant_id.standin_data == Data(value=None)
    other = AZURE.containerservice.list_managed_cluster_user_credentials_output(resource_name="a")
    assert other.standin_data == Data(known=False)
    with pytest.raises(TypeError, match="no parameter resource"):
        AZURE.containerservice.list_managed_cluster_user_credentials_output(resource="a")


def test_enumerations() -> None:
    mode: Any = AZURE.containerservice.AgentPoolMode
    assert (mode.USER, mode.USER.value) == ("User", "User")
    assert mode("User") is mode.USER
    with pytest.raises(ValueError, match="'Usr' is not a valid AgentPoolMode"):
        mode("Usr")
    with pytest.raises(AttributeError):
        _ = mode.USR
    for text in (str, "{}".format):
        with pytest.raises(NotStoodInError, match="as text"):
            text(mode.USER)


class Colour(Enum):
    RED = 1


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: group(locaton="eastus"), TypeError, "ResourceGroup has no parameter locaton"),
        (lambda: AZURE.network.SubnetArgs(Id="x"), TypeError, "SubnetArgs has no parameter Id"),
        (lambda: AZURE.network.Subnet("s", resource_group_name="g"), TypeError, "Subnet needs virtual_network_name"),
        (lambda: AZURE.containerservice.PowerState("s"), NotStoodInError, "PowerState: not found"),
        (lambda: group(""), TypeError, "needs a type, a name"),
        (lambda: group(opts={"protect": True}), AttributeError, "parent"),
        (lambda: group(opts=ResourceOptions(parent="x")), TypeError, "parent of the SDK"),  # type: ignore[arg-type]
        (lambda: ResourceOptions(id="x"), TypeError, "'id'"),  # type: ignore[call-arg]
        (lambda: group(location=["a"]), NotStoodInError, "a list where the SDK takes a scalar"),
        (lambda: group(location=Colour.RED), NotStoodInError, "a Colour as a property"),
        (lambda: group(location=object()), NotStoodInError, "object as a property"),
        (lambda: group(tags={1: "a"}), NotStoodInError, "keys are not text"),
        (
            lambda: AZURE.network.Subnet(
                "s", resource_group_name="g", virtual_network_name="v", nat_gateway={"resource_id": "x"}
            ),
            NotStoodInError,
            "would translate the keys",
        ),
        (lambda: Output.from_input(AZURE.network.SubResourceArgs()), NotStoodInError, "arguments as an Output"),
    ],
)
def test_what_the_sdk_refuses_or_changes_is_not_let_through(
    run: Run, wrong: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        wrong()


def test_what_is_changed_later_is_left_to_the_sdk_or_seen(run: Run) -> None:
    opts = ResourceOptions(protect=True)
    group("first", opts=opts)
    opts.protect = False
    assert node(run, "first").protect
    arguments = AZURE.network.SubResourceArgs(id="x")
    with pytest.raises(NotStoodInError, match=r"SubResourceArgs\.id set later"):
        arguments.id = "y"


def test_no_except_of_a_program_hides_a_refusal() -> None:
    assert not issubclass(NotStoodInError, Exception)


def test_circles_and_strange_dependencies_are_for_the_sdk(run: Run) -> None:
    component = ComponentResource("gpufleet:a:A", "a")
    group(opts=ResourceOptions(parent=component, depends_on=component))
    with pytest.raises(NotStoodInError, match="depend on each other"):
        run.graph()
    with Run("dev", "gpufleet", None) as other:
        group(opts=ResourceOptions(depends_on=["urn"]))  # type: ignore[list-item]
        with pytest.raises(NotStoodInError, match="a dependency on str"):
            other.graph()


def test_two_resources_of_one_name_are_an_error(run: Run) -> None:
    group()
    group()
    with pytest.raises(ValueError, match="two resources have the URN"):
        run.graph()


def test_nothing_is_left_of_a_run() -> None:
    with Run("dev", "gpufleet", None) as first:
        group()
    with Run("dev", "gpufleet", None) as second:
        assert len(second.graph()) == 1
    assert isinstance(first.graph(), Graph)
    assert isinstance(first.registered[0].resource, CustomResource)
