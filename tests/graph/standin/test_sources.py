"""What is read out of the SDKs' sources is what their classes say of themselves."""

from __future__ import annotations

import importlib
import inspect
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pulumi
import pytest
from pulumi import _types

from components.lazy_sdk import star_imports
from gpufleet.graph.standin import sources
from gpufleet.graph.standin.refusal import NotStoodInError
from gpufleet.graph.standin.shapes import (
    ArgumentsType,
    Enumeration,
    Function,
    Parameter,
    ResourceType,
    Shape,
    SubPackage,
    Type,
)
from gpufleet.graph.standin.types import parsed

PACKAGES = (
    "pulumi_azure_native.cdn",
    "pulumi_azure_native.containerservice",
    "pulumi_azure_native.network",
    "pulumi_kubernetes.core.v1",
    "pulumi_kubernetes.meta.v1",
)


def classes(package: str) -> Iterator[tuple[str, type]]:
    """Every public class that is named as where it stands."""
    module = importlib.import_module(package)
    assert module.__file__ is not None
    stars = star_imports(Path(module.__file__).read_text(encoding="utf-8"))
    names = {name for star in stars for name in importlib.import_module(f"{package}.{star}").__all__}
    for name in sorted(names):
        found = getattr(module, name)
        if inspect.isclass(found):
            yield name, found


@pytest.mark.parametrize("package", PACKAGES)
def test_every_class_of_a_package(package: str) -> None:
    seen: Counter[type] = Counter()
    refused = []
    for name, cls in classes(package):
        if name.endswith(("ArgsDict", "Result")) or name.startswith("Awaitable"):
            continue
        try:
            shape = sources.read(package, name)
        except NotStoodInError as refusal:
            # The name of a cluster is `resource_name` there, and stands for the resource's own name in Pulumi.
            refused += [str(refusal)] if "resource_name" not in str(refusal) else []
            continue
        seen[type(shape)] += 1
        assert says(cls) == said(shape), name
    # A form that is not understood is the exception, and never one that is misread.
    assert len(refused) < 0.02 * sum(seen.values()) + 1, refused
    assert seen[ArgumentsType] > 5


def says(cls: type) -> object:
    if issubclass(cls, Enum):
        return {name: member.value for name, member in cls.__members__.items()}
    if issubclass(cls, pulumi.Resource):
        return {python: wire for wire, python in _types.resource_pulumi_to_py_names(cls).items()}
    names = _types.input_type_py_to_pulumi_names(cls)
    given = inspect.signature(cls).parameters
    return {name: (names[name], given[name].default is inspect.Parameter.empty) for name in given}


def said(shape: Shape) -> object:
    if isinstance(shape, Enumeration):
        return shape.members
    if isinstance(shape, ResourceType):
        return shape.outputs
    assert isinstance(shape, ArgumentsType)
    return {name: (parameter.wire, parameter.required) for name, parameter in shape.parameters.items()}


def test_resources_say_what_they_are() -> None:
    pool = sources.read("pulumi_azure_native.containerservice", "AgentPool")
    assert isinstance(pool, ResourceType)
    assert (pool.token, pool.provider, pool.constants) == ("azure-native:containerservice:AgentPool", False, {})
    assert pool.parameters["resource_group_name"] == Parameter(
        wire="resourceGroupName", type=Type(kind="scalar"), required=True
    )
    assert pool.parameters["resource_name_"].wire == "resourceName"
    assert pool.parameters["node_taints"].type == Type(kind="list", items=Type(kind="scalar"))
    assert pool.outputs["etag" if "etag" in pool.outputs else "e_tag"] == "eTag"


def test_kubernetes_sends_its_constants() -> None:
    namespace = sources.read("pulumi_kubernetes.core.v1", "Namespace")
    assert isinstance(namespace, ResourceType)
    assert namespace.constants == {"apiVersion": "v1", "kind": "Namespace"}
    custom = sources.read("pulumi_kubernetes.apiextensions", "CustomResource")
    assert isinstance(custom, ResourceType)
    assert custom.token == "kubernetes:{api_version}:{kind}"
    provider = sources.read("pulumi_kubernetes", "Provider")
    assert isinstance(provider, ResourceType)
    assert (provider.token, provider.provider) == ("kubernetes", True)
    assert provider.parameters["enable_server_side_apply"].as_json
    assert provider.parameters["enable_server_side_apply"].environment == ("PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",)


def test_functions_and_packages() -> None:
    function = sources.read("pulumi_azure_native.authorization", "get_client_config_output")
    assert function == Function(
        token="azure-native:authorization:getClientConfig",
        parameters=[],
        results={
            "client_id": "clientId",
            "object_id": "objectId",
            "subscription_id": "subscriptionId",
            "tenant_id": "tenantId",
        },
    )
    assert sources.read("pulumi_kubernetes.core", "v1") == SubPackage()


@pytest.mark.parametrize(
    ("package", "name", "reason"),
    [
        ("pulumi_azure_native.network", "Subnett", "not found"),
        ("pulumi_azure_native.nettwork", "Subnet", "not found"),
        ("pulumi_azure_native.authorization", "get_client_config", "not a call of a provider's function"),
        ("pulumi_aws.s3", "Bucket", "pulumi_aws is not installed"),
    ],
)
def test_what_is_not_there_is_left_to_the_sdk(package: str, name: str, reason: str) -> None:
    with pytest.raises(NotStoodInError, match=reason):
        sources.read(package, name)


@pytest.mark.parametrize(
    ("annotation", "type_"),
    [
        ("pulumi.Input[_builtins.str]", Type(kind="scalar")),
        (
            "pulumi.Input[Optional[Mapping[str, pulumi.Input[_builtins.str]]]]",
            Type(kind="map", items=Type(kind="scalar")),
        ),
        ("Optional[pulumi.Input[Sequence[pulumi.Input['SubnetArgs']]]]", Type(kind="list", items=Type(kind="other"))),
        ("pulumi.Input[Union[_builtins.str, 'Kind']]", Type(kind="other")),
        ("Optional[Any]", Type(kind="any")),
        ("pulumi.Input[list]", Type(kind="list", items=Type(kind="any"))),
        ("pulumi.Input[dict]", Type(kind="map", items=Type(kind="any"))),
        ("pulumi.Input[Optional[Literal['v1']]]", Type(kind="scalar")),
    ],
)
def test_annotations(annotation: str, type_: Type) -> None:
    assert parsed(annotation) == type_
