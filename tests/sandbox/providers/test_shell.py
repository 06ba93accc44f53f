"""The plugins as processes: start, talk, and end without a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2, status_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from sandbox import faults
from sandbox.contract.book import sdk_version
from sandbox.providers.marshal import from_struct, to_struct
from sandbox.store import Store

Plugin = subprocess.Popen[str]
NAMESPACE = "urn:pulumi:t::gpufleet::kubernetes:core/v1:Namespace::ns"
VNET = "urn:pulumi:t::gpufleet::azure-native:network:VirtualNetwork::vnet"
GROUP = "urn:pulumi:t::gpufleet::pkg:index:Component$azure-native:resources:ResourceGroup::rg"


def start(module: str, cloud: Path | str, **variables: str) -> Plugin:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", f"sandbox.providers.{module}", "127.0.0.1:1"],
        env={**os.environ, "GPUFLEET_SANDBOX_CLOUD": str(cloud), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def azure_plugin(tmp_path: Path) -> Iterator[tuple[Plugin, ResourceProviderStub]]:
    plugin = start("azure_native", tmp_path)
    assert plugin.stdout is not None
    channel = grpc.insecure_channel(f"127.0.0.1:{int(plugin.stdout.readline())}")
    yield plugin, ResourceProviderStub(channel)
    channel.close()
    if plugin.poll() is None:
        plugin.kill()
    plugin.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_silently(azure_plugin: tuple[Plugin, ResourceProviderStub], number: signal.Signals) -> None:
    plugin, stub = azure_plugin
    assert stub.GetPluginInfo(Empty()).version == sdk_version("azure-native")
    plugin.send_signal(number)
    assert plugin.communicate(timeout=20) == ("", "")
    assert plugin.returncode == 0


def test_it_ends_with_the_engine(tmp_path: Path) -> None:
    # A shell in the engine's place starts the plugin and dies.
    command = f"{sys.executable} -u -m sandbox.providers.azure_native x & read line"
    engine = subprocess.Popen(
        ["sh", "-c", command],
        env={**os.environ, "GPUFLEET_SANDBOX_CLOUD": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert engine.stdout is not None
    assert engine.stdin is not None
    assert int(engine.stdout.readline()) > 0
    engine.stdin.close()
    engine.wait(timeout=20)
    # The plugin holds the other end of stdout: it reads as ended when the plugin has.
    assert engine.stdout.read() == ""
    engine.stdout.close()


def test_errors_are_the_clouds_words(azure_plugin: tuple[Plugin, ResourceProviderStub]) -> None:
    _, stub = azure_plugin
    stub.Configure(provider_pb2.ConfigureRequest())
    inputs = to_struct({"resourceGroupName": "rg", "location": "eastus"})
    stub.Create(provider_pb2.CreateRequest(urn=GROUP, properties=inputs))
    with pytest.raises(grpc.RpcError) as caught:
        stub.Create(provider_pb2.CreateRequest(urn=GROUP, properties=inputs))
    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert str(caught.value.details()).startswith("cannot create already existing resource '/subscriptions/")


def test_a_failure_names_the_path_in_its_reason_only(azure_plugin: tuple[Plugin, ResourceProviderStub]) -> None:
    _, stub = azure_plugin
    news = to_struct({"resourceGroupName": "rg", "location": "eastus", "tags": {"a": 1}})
    [failure] = stub.Check(provider_pb2.CheckRequest(urn=GROUP, news=news)).failures
    assert (failure.property, failure.reason) == ("", "'tags.a' should be of type 'string' but got a number")


def test_a_bug_says_so_without_a_traceback(azure_plugin: tuple[Plugin, ResourceProviderStub]) -> None:
    plugin, stub = azure_plugin
    with pytest.raises(grpc.RpcError) as caught:
        stub.Create(provider_pb2.CreateRequest(urn=GROUP, properties=to_struct({})))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert (
        caught.value.details() == "a bug in the sandbox (KeyError: 'resourceGroupName'); GPUFLEET_DEBUG=1 shows where"
    )
    plugin.send_signal(signal.SIGINT)
    assert plugin.communicate(timeout=20) == ("", "")


@pytest.mark.parametrize("method", ["GetSchema", "Parameterize", "Construct", "Call"])
def test_what_there_is_none_of(azure_plugin: tuple[Plugin, ResourceProviderStub], method: str) -> None:
    _, stub = azure_plugin
    request = getattr(provider_pb2, f"{method}Request")()
    with pytest.raises(grpc.RpcError) as caught:
        getattr(stub, method)(request)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_functions_answer_and_unknown_ones_are_refused(azure_plugin: tuple[Plugin, ResourceProviderStub]) -> None:
    _, stub = azure_plugin
    answer = stub.Invoke(provider_pb2.InvokeRequest(tok="azure-native:authorization:getClientConfig"))
    assert set(from_struct(getattr(answer, "return"))) == {"clientId", "objectId", "subscriptionId", "tenantId"}
    with pytest.raises(grpc.RpcError) as caught:
        stub.Invoke(provider_pb2.InvokeRequest(tok="azure-native:compute:listSkus"))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_kubernetes_plugin(tmp_path: Path) -> None:
    plugin = start("kubernetes", tmp_path)
    assert plugin.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(plugin.stdout.readline())}") as channel:
        stub = ResourceProviderStub(channel)
        assert stub.GetPluginInfo(Empty()).version == sdk_version("kubernetes")
        stub.Configure(provider_pb2.ConfigureRequest())
        inputs = stub.Check(provider_pb2.CheckRequest(urn=NAMESPACE, news=to_struct({}), randomSeed=b"x" * 64)).inputs
        assert from_struct(inputs)["metadata"]["name"].startswith("ns-")
    plugin.send_signal(signal.SIGINT)
    assert plugin.communicate(timeout=20) == ("", "")


def test_no_cloud_is_a_clean_error() -> None:
    plugin = start("azure_native", "")
    out, err = plugin.communicate(timeout=20)
    assert (plugin.returncode, out) == (1, "")
    assert err == "GPUFLEET_SANDBOX_CLOUD must be the absolute path of the sandbox's cloud, but is ''\n"


def test_a_failed_creation_brings_its_state_and_a_cancel_ends_a_wait(tmp_path: Path) -> None:
    store = Store(tmp_path)
    faults.add(store, faults.make(code="AllocationFailed"))
    store.close()
    plugin = start("azure_native", tmp_path, GPUFLEET_SANDBOX_TIME_SCALE="100")
    assert plugin.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(plugin.stdout.readline())}") as channel:
        stub = ResourceProviderStub(channel)
        stub.Configure(provider_pb2.ConfigureRequest())
        inputs = to_struct({"resourceGroupName": "rg", "location": "eastus"})
        # A group's creation is no long-running operation: the fault strikes at once.
        with pytest.raises(grpc.RpcError) as caught:
            stub.Create(provider_pb2.CreateRequest(urn=GROUP, properties=inputs))
        assert "AllocationFailed" in str(caught.value.details())
        waiting = stub.Create.future(provider_pb2.CreateRequest(urn=GROUP, properties=inputs))
        stub.Cancel(Empty())
        with pytest.raises(grpc.RpcError) as caught:
            waiting.result(timeout=20)
        assert caught.value.details() == "resource updated but read failed context canceled: context canceled"
    plugin.send_signal(signal.SIGINT)
    assert plugin.communicate(timeout=20) == ("", "")


def test_a_failed_operation_is_told_with_the_resources_state(
    azure_plugin: tuple[Plugin, ResourceProviderStub], tmp_path: Path
) -> None:
    _, stub = azure_plugin
    stub.Configure(provider_pb2.ConfigureRequest())
    inputs = to_struct({"resourceGroupName": "rg", "location": "eastus"})
    stub.Create(provider_pb2.CreateRequest(urn=GROUP, properties=inputs))
    store = Store(tmp_path)
    faults.add(store, faults.make(code="AllocationFailed"))
    store.close()
    wanted = to_struct({"resourceGroupName": "rg", "virtualNetworkName": "vnet", "location": "eastus"})
    with pytest.raises(grpc.RpcError) as caught:
        stub.Create(provider_pb2.CreateRequest(urn=VNET, properties=wanted))
    [details] = [item.value for item in caught.value.trailing_metadata() if item.key == "grpc-status-details-bin"]
    status = status_pb2.Status.FromString(details)
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    assert failed.id.endswith("/virtualNetworks/vnet")
    assert from_struct(failed.properties)["provisioningState"] == "Failed"
    assert from_struct(failed.inputs) == from_struct(wanted)
    assert list(failed.reasons) == [caught.value.details()]
