"""A resource monitor that writes down what is registered and answers as the engine does before anything exists."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2

from gpufleet.graph.model import STACK_TYPE, Node
from gpufleet.graph.structs import mapping
from gpufleet.graph.wire import properties, provider_urn

_CLIENT = "azure-native:authorization:getClientConfig"
_SCALARS = frozenset({"string_value", "number_value", "bool_value"})


class NoMocks(Mocks):
    """What Pulumi's mock runtime wants beside a monitor; with ours, nothing reaches it."""

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Never called."""
        raise NotImplementedError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Never called."""
        raise NotImplementedError(args.typ)


class Monitor(MockMonitor):
    """Records every registration as a `Node`.

    A resource's answer is its own plain inputs, for those a provider's preview promises; every other output is
    unknown. A provider promises parts of objects and lists too, but says which parts it doesn't know: without its
    schema they are unknown as a whole, so that nothing takes a missing part for an absent one.

    Args:
        stack: the stack's name.
        project: the project's name.
        subscription_id: what `getClientConfig` answers; None for unknown.
    """

    def __init__(self, stack: str, project: str, subscription_id: str | None) -> None:
        super().__init__(NoMocks())
        self.nodes: list[Node] = []
        self._prefix = f"urn:pulumi:{stack}::{project}::"
        self._subscription_id = subscription_id

    def RegisterResource(  # noqa: N802 gRPC's name
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Write it down; answer its URN and what of its outputs is known before it exists."""
        urn = self._urn(request.parent, request.type, request.name)
        self.nodes.append(_node(urn, request))
        response = resource_pb2.RegisterResourceResponse(urn=urn)
        answer = response.object.fields
        for key, value in request.object.fields.items():
            if value.WhichOneof("kind") in _SCALARS:
                answer[key].CopyFrom(value)
        return response

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Empty:  # noqa: N802
        """A component's outputs are no part of the graph."""
        del request
        return Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """Nobody is asked: all answers are unknown, but for the subscription where it was given."""
        if request.tok != _CLIENT or self._subscription_id is None:
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").update({"subscriptionId": self._subscription_id})
        return response

    def _urn(self, parent: str, type_: str, name: str) -> str:
        above = parent.split("::")[2] if parent else STACK_TYPE
        return f"{self._prefix}{type_ if above == STACK_TYPE else f'{above}${type_}'}::{name}"


def _node(urn: str, request: resource_pb2.RegisterResourceRequest) -> Node:
    return Node(
        urn=urn,
        type=request.type,
        name=request.name,
        parent=request.parent,
        custom=request.custom,
        properties=properties(mapping(request.object)),
        property_dependencies={
            key: tuple(sorted(found.urns)) for key, found in sorted(request.propertyDependencies.items()) if found.urns
        },
        dependencies=tuple(sorted(request.dependencies)),
        provider=provider_urn(request.provider),
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
    )
