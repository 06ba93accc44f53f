"""The program's resource graph under Pulumi's mocks: every registration with its options, and the stack's outputs."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
from google.protobuf import empty_pb2
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import Stack, run_pulumi_func

from components.program import main
from gpufleet.spec.stack_file import StackFile

ROOT = Path(__file__).parents[2]
SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
AUTHORITY = base64.b64encode(b"certificate").decode()
STACKS = ("dev", "staging", "prod", "frontier")


def whole_numbers(value: object) -> Any:  # noqa: ANN401 JSON
    """A registered input with whole numbers as such and keys in order: the wire has neither."""
    if isinstance(value, dict):
        return {key: whole_numbers(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One registration as the engine would get it."""

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    dependencies: tuple[str, ...]
    aliases: tuple[str, ...]
    """Types of type-only aliases, URNs of the rest."""
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    deleted_with: str
    provider: str
    timeouts: tuple[str, str, str]


@dataclass
class Graph:
    """All registrations of one run, sorted by URN."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    invokes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    component_outputs: Counter[str] = field(default_factory=Counter)

    def of(self, type_: str) -> list[Registered]:
        """All resources whose type token ends in `type_`, such as `containerservice:AgentPool`."""
        return [resource for resource in self.resources if resource.type.endswith(f":{type_}")]

    def one(self, type_: str, name: str = "") -> Registered:
        """The only resource of a type, or the one with that name."""
        found = [resource for resource in self.of(type_) if name in ("", resource.name)]
        assert len(found) == 1, [resource.name for resource in self.of(type_)]
        return found[0]

    def kubeconfig(self, name: str) -> dict[str, Any]:
        """The kubeconfig of a Kubernetes provider, which must be a secret."""
        value = self.one("providers:kubernetes", name).inputs["kubeconfig"]
        assert value[rpc._special_sig_key] == rpc._special_secret_sig
        document: dict[str, Any] = json.loads(value["value"])
        return document

    def named(self, urn: str) -> str:
        """Logical name of a URN."""
        return urn.rsplit("::", maxsplit=1)[-1]


def _cluster(name: str, inputs: Any) -> dict[str, Any]:  # noqa: ANN401 what a registration holds
    # Azure turns the list of identities into a map.
    return {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {}},
        "oidcIssuerProfile": {"enabled": True, "issuerURL": f"https://issuer/{name}/"},
        "fqdn": f"{inputs['dnsPrefix']}-1.hcp.{inputs['location']}.azmk8s.io",
        "privateFQDN": f"{inputs['dnsPrefix']}-1.private.azmk8s.io",
    }


def _api_management(name: str, inputs: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "identity": {**inputs["identity"], "principalId": f"{name}-principal", "tenantId": "tenant"},
        "gatewayUrl": f"https://{inputs['serviceName']}.azure-api.net",
    }


def _address(_: str, inputs: Any) -> dict[str, Any]:  # noqa: ANN401
    label = inputs.get("dnsSettings")
    fqdn = f"{label['domainNameLabel']}.{inputs['location']}.cloudapp.azure.com" if label else ""
    return {"ipAddress": "20.0.0.1", **({"dnsSettings": {**label, "fqdn": fqdn}} if label else {})}


def _workspace(_: str, inputs: Any) -> dict[str, Any]:  # noqa: ANN401
    name = inputs["azureMonitorWorkspaceName"]
    return {"metrics": {"internalId": "mac_1", "prometheusQueryEndpoint": f"https://{name}.prometheus"}}


_COMPUTED: dict[str, Callable[[str, Any], dict[str, Any]]] = {
    "azure-native:containerservice:ManagedCluster": _cluster,
    "azure-native:apimanagement:ApiManagementService": _api_management,
    "azure-native:network:PublicIPAddress": _address,
    "azure-native:monitor:AzureMonitorWorkspace": _workspace,
    "azure-native:storagecache:AmlFilesystem": lambda _, __: {
        "clientInfo": {"mgsAddress": "10.0.8.4", "mountCommand": "", "lustreVersion": "2.15"}
    },
    "azure-native:containerregistry:Registry": lambda _, inputs: {
        "loginServer": f"{inputs['registryName']}.azurecr.io"
    },
    "azure-native:cdn:Profile": lambda name, _: {"frontDoorId": f"{name}-guid"},
    "azure-native:cdn:AFDCustomDomain": lambda _, __: {
        "validationProperties": {"validationToken": "token", "expirationDate": "2026-12-01"}
    },
    "azure-native:cdn:AFDEndpoint": lambda _, inputs: {"hostName": f"{inputs['endpointName']}-1.z01.azurefd.net"},
    "azure-native:managedidentity:UserAssignedIdentity": lambda name, _: {
        "principalId": f"{name}-principal",
        "clientId": f"{name}-client",
    },
}
"""What Azure computes and the components read, by type: from the logical name and the inputs."""


class _Azure(Mocks):
    """Answers with the inputs, and with what the components read of Azure's own outputs."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        name = _azure_name(args.inputs)
        made = _COMPUTED.get(args.typ)
        computed = made(args.name, args.inputs) if made else {}
        return f"{args.name}-id", {**args.inputs, **({"name": name} if name else {}), **computed}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        self._graph.invokes.append((args.token, dict(args.args)))
        match args.token:
            case "azure-native:authorization:getClientConfig":
                return {"subscriptionId": SUBSCRIPTION, "tenantId": "tenant", "clientId": "me", "objectId": "me"}, []
            case "azure-native:containerservice:listManagedClusterUserCredentials":
                document = {"clusters": [{"cluster": {"certificate-authority-data": AUTHORITY}}]}
                value = base64.b64encode(json.dumps(document).encode()).decode()
                return {"kubeconfigs": [{"name": "clusterUser", "value": value}]}, []
        raise AssertionError(args.token)


# The most particular first: an origin also names its group and its profile.
_NAMES = (
    "customDomainName", "securityPolicyName", "serviceName",
    "agentPoolName", "configName", "subnetName", "containerName", "privateDnsZoneGroupName", "virtualNetworkLinkName",
    "routeName", "originName", "originGroupName", "endpointName", "profileName", "replicationName", "registryName",
    "virtualNetworkName", "networkSecurityGroupName", "publicIpAddressName", "natGatewayName", "accountName",
    "budgetName", "workspaceName", "privateZoneName", "privateEndpointName", "amlFilesystemName", "actionGroupName",
    "resourceName", "resourceGroupName",
)  # fmt: skip


def _azure_name(inputs: dict[str, Any]) -> str | None:
    """The name a resource gives itself."""
    return next((inputs[key] for key in _NAMES if key in inputs), None)


class _Recorder(MockMonitor):
    def __init__(self, mocks: Mocks, graph: Graph) -> None:
        super().__init__(mocks)
        self._graph = graph

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> object:  # noqa: N802 gRPC's name
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type == "pulumi:pulumi:Stack":
            return response
        timeouts = request.customTimeouts
        self._graph.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=response.urn,
                parent=request.parent,
                custom=request.custom,
                inputs=rpc.deserialize_properties(request.object, keep_unknowns=True),
                dependencies=tuple(sorted(request.dependencies)),
                aliases=tuple(alias.urn or alias.spec.type or alias.spec.name for alias in request.aliases),
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                deleted_with=request.deletedWith,
                provider=request.provider,
                timeouts=(timeouts.create, timeouts.update, timeouts.delete),
            )
        )
        return response

    def RegisterResourceOutputs(  # noqa: N802 gRPC's name
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> object:
        self._graph.component_outputs[request.urn] += 1
        return empty_pb2.Empty()


def build(
    environment: object,
    *,
    stack: str = "test",
    settings: dict[str, str] | None = None,
    preview: bool = False,
    program: Callable[[], None] = main,
    transformation: pulumi.ResourceTransformation | None = None,
    mocks: Callable[[Graph], Mocks] | None = None,
) -> Graph:
    """Run the program for one environment (a plain value) in a Pulumi runtime of its own; `mocks` are the cloud."""
    return contextvars.Context().run(
        lambda: _build(
            environment,
            stack,
            settings or {},
            preview=preview,
            program=program,
            transformation=transformation,
            mocks=mocks or _Azure,
        )
    )


@cache
def stack_graph(stack: str) -> Graph:
    """The graph of one of the committed stacks; built once a process, so read it only."""
    file = StackFile.read(ROOT / "stacks" / f"Pulumi.{stack}.yaml")
    return build(file.environment, stack=stack)


def _build(
    environment: object,
    stack: str,
    settings: dict[str, str],
    *,
    preview: bool,
    program: Callable[[], None],
    transformation: pulumi.ResourceTransformation | None,
    mocks: Callable[[Graph], Mocks],
) -> Graph:
    graph = Graph()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # The mocks give every worker thread an event loop and never close it: one thread with one that we close.
    worker_loop = asyncio.new_event_loop()
    worker = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(worker_loop,))
    loop.set_default_executor(worker)
    try:
        pulumi.runtime.settings.ROOT.set(None)
        cloud = mocks(graph)
        pulumi.runtime.set_mocks(
            cloud, project="gpufleet", stack=stack, preview=preview, monitor=_Recorder(cloud, graph)
        )
        config = {"gpufleet:environment": json.dumps(environment, default=str)}
        pulumi.runtime.set_all_config({**config, **{f"gpufleet:{key}": value for key, value in settings.items()}})
        if transformation is not None:
            pulumi.runtime.register_stack_transformation(transformation)
        loop.run_until_complete(run_pulumi_func(program))
        root = pulumi.runtime.get_root_resource()
        assert isinstance(root, Stack)
        # Registrations run side by side; their order says nothing.
        graph.resources.sort(key=lambda resource: (resource.urn, resource.parent))
        graph.outputs = loop.run_until_complete(_plain(dict(root.outputs)))
    finally:
        worker.shutdown()
        asyncio.set_event_loop(None)
        worker_loop.close()
        loop.close()
    return graph


async def _plain(values: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = await pulumi.Output.from_input(values).future()  # type: ignore[assignment]
    return result
