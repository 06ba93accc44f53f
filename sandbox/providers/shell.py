"""What both providers share: a gRPC ResourceProvider server over a backend that speaks property values.

Start-up prints the port on stdout, as the engine expects of a plugin. The engine ends plugins with SIGINT; that,
SIGTERM, and the engine's death end the process without a word. Errors reach the user as the backend's text, never as a
traceback (set GPUFLEET_DEBUG=1 for one).
"""

# ruff: noqa: N802, ARG002 - names and arguments are those of the gRPC service

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent import futures
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct

from sandbox.errors import Failure, NotEmulatedError, PartialFailureError, SandboxError
from sandbox.providers.difference import Difference
from sandbox.providers.marshal import from_struct, to_struct
from sandbox.providers.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from sandbox.values import Properties

# A call that waits for a long operation keeps its thread, and there must always be one left for Cancel. Threads are
# made when they are needed; the engine asks for 16 operations a core at once, unless `--parallel` says otherwise.
_WORKERS = 1024
_PARENT_CHECK_SECONDS = 1.0
_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


@dataclass(frozen=True, slots=True)
class Urn:
    """The parts of a URN that a provider needs."""

    type: str
    name: str

    @classmethod
    def parse(cls, urn: str) -> Urn:
        """``urn:pulumi:stack::project::parent$type::name``."""
        parts = urn.split("::", 3)
        return cls(type=parts[2].rpartition("$")[2], name=parts[3])


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """What the engine asks to check."""

    urn: Urn
    olds: Properties
    news: Properties
    random_seed: bytes = b""
    autoname_mode: str = ""
    """``propose``, ``enforce`` or ``disable`` when the stack configures autonaming, else empty."""
    proposed_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The inputs to work with, and what is wrong with them."""

    inputs: Properties
    failures: list[Failure] = field(default_factory=list)


class Backend(ABC):
    """A provider's behaviour, in property values. Every method may raise SandboxError."""

    package: str
    version: str

    timeout: ContextVar[float] = ContextVar("timeout", default=0.0)
    """Seconds that the program's customTimeouts give the operation of this call; 0 when they say nothing."""

    ignore_changes: ContextVar[tuple[str, ...]] = ContextVar("ignore_changes", default=())
    """Property paths that the program leaves as they are in the update of this call."""

    def cancel(self) -> None:  # noqa: B027 - most backends never wait
        """End every wait for a long operation: the engine is stopping."""

    def check_config(self, news: Properties) -> Checked:
        """Check the provider's own configuration."""
        return Checked(inputs=news)

    def diff_config(self, olds: Properties, news: Properties) -> Difference:
        """What a change of the provider's configuration means."""
        return Difference()

    @abstractmethod
    def configure(self, variables: Properties) -> None:
        """Take the provider's configuration."""

    @abstractmethod
    def check(self, request: CheckRequest) -> Checked:
        """Fill in defaults and check a resource's inputs."""

    @abstractmethod
    def diff(self, urn: Urn, old_inputs: Properties, news: Properties) -> Difference:
        """What a change of inputs means."""

    @abstractmethod
    def preview(self, urn: Urn, inputs: Properties, state: Properties | None) -> Properties:
        """The outputs that a preview may promise; ``state`` are the outputs so far when it is an update."""

    @abstractmethod
    def create(self, urn: Urn, inputs: Properties) -> tuple[str, Properties]:
        """Create a resource: its id and outputs."""

    @abstractmethod
    def update(self, urn: Urn, resource_id: str, inputs: Properties, state: Properties) -> Properties:
        """Update a resource: its outputs."""

    @abstractmethod
    def read(
        self, urn: Urn, resource_id: str, state: Properties, inputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """Id, outputs and inputs, or None when it is gone. ``state`` and ``inputs`` are empty for an import."""

    @abstractmethod
    def delete(self, urn: Urn, resource_id: str, state: Properties) -> None:
        """Delete a resource; one that is gone already is no error."""

    @abstractmethod
    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Call a function."""


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The ResourceProvider service: turns messages into calls of a backend."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Tell the engine what this provider understands."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version: the installed SDK's, so that the engine takes this plugin for it."""
        return plugin_pb2.PluginInfo(version=self._backend.version)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> Empty:
        """Nothing to attach to."""
        return Empty()

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        """End the waits for long operations, as the official provider does; what does not wait finishes."""
        self._backend.cancel()
        return Empty()

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Check the provider's configuration."""
        with _clean_errors(context):
            return _check_response(self._backend.check_config(from_struct(request.news)))

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare configurations."""
        with _clean_errors(context):
            olds = from_struct(request.old_inputs) or from_struct(request.olds)
            return _diff_response(self._backend.diff_config(olds, from_struct(request.news)))

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Take the configuration."""
        with _clean_errors(context):
            # Keys come as package:config:key, or bare, depending on the engine's version.
            variables = {key.rpartition(":")[2]: value for key, value in request.variables.items()}
            self._backend.configure({**variables, **from_struct(request.args)})
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
            )

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Check inputs."""
        with _clean_errors(context):
            news = from_struct(request.news)
            try:
                checked = self._backend.check(_check_request(request, news))
            except NotEmulatedError as error:
                checked = Checked(inputs=news, failures=[Failure("", str(error))])
            return _check_response(checked)

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare inputs."""
        with _clean_errors(context):
            difference = self._backend.diff(
                Urn.parse(request.urn), from_struct(request.old_inputs), from_struct(request.news)
            )
            return _diff_response(difference)

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Create a resource, or preview that."""
        with _clean_errors(context, request.properties):
            self._backend.timeout.set(request.timeout)
            urn, inputs = Urn.parse(request.urn), from_struct(request.properties)
            if request.preview:
                return provider_pb2.CreateResponse(properties=to_struct(self._backend.preview(urn, inputs, None)))
            resource_id, outputs = self._backend.create(urn, inputs)
            return provider_pb2.CreateResponse(id=resource_id, properties=to_struct(outputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Update a resource, or preview that."""
        with _clean_errors(context, request.news):
            self._backend.timeout.set(request.timeout)
            self._backend.ignore_changes.set(tuple(request.ignoreChanges))
            urn, inputs, state = Urn.parse(request.urn), from_struct(request.news), from_struct(request.olds)
            if request.preview:
                return provider_pb2.UpdateResponse(properties=to_struct(self._backend.preview(urn, inputs, state)))
            return provider_pb2.UpdateResponse(
                properties=to_struct(self._backend.update(urn, request.id, inputs, state))
            )

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Read a resource (refresh, import, get)."""
        with _clean_errors(context):
            found = self._backend.read(
                Urn.parse(request.urn), request.id, from_struct(request.properties), from_struct(request.inputs)
            )
            if found is None:
                return provider_pb2.ReadResponse(id="")
            resource_id, outputs, inputs = found
            return provider_pb2.ReadResponse(id=resource_id, properties=to_struct(outputs), inputs=to_struct(inputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        """Delete a resource."""
        with _clean_errors(context):
            self._backend.timeout.set(request.timeout)
            self._backend.delete(Urn.parse(request.urn), request.id, from_struct(request.properties))
            return Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Call a function."""
        with _clean_errors(context):
            result = self._backend.invoke(request.tok, from_struct(request.args))
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(to_struct(result))  # the field's name is a keyword
            return response

    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext) -> NoReturn:
        """Refused: the SDKs are installed, nothing generates code from this provider."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the sandbox's providers have no schema")

    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """No mapping from other tools."""
        return provider_pb2.GetMappingResponse()

    def Parameterize(self, request: provider_pb2.ParameterizeRequest, context: grpc.ServicerContext) -> NoReturn:
        """Refused: only the default API versions exist here."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the sandbox's providers cannot be parameterized")

    def Construct(self, request: provider_pb2.ConstructRequest, context: grpc.ServicerContext) -> NoReturn:
        """Refused: these providers have no components."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the sandbox's providers have no components")

    def Call(self, request: provider_pb2.CallRequest, context: grpc.ServicerContext) -> NoReturn:
        """Refused: these providers have no methods."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the sandbox's providers have no methods")


class _clean_errors:  # noqa: N801 - used like a function
    """Errors of the backend become the call's status; anything else is a bug of the sandbox and says so."""

    def __init__(self, context: grpc.ServicerContext, inputs: Struct | None = None) -> None:
        self._context = context
        self._inputs = inputs

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        if isinstance(error, NotEmulatedError):
            self._context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        if isinstance(error, PartialFailureError):
            self._context.set_trailing_metadata((("grpc-status-details-bin", _partial_state(error, self._inputs)),))
        if isinstance(error, SandboxError):
            self._context.abort(grpc.StatusCode.UNKNOWN, str(error))
        if isinstance(error, Exception):
            if os.environ.get("GPUFLEET_DEBUG"):
                traceback.print_exception(error, file=sys.stderr)
            self._context.abort(
                grpc.StatusCode.INTERNAL,
                f"a bug in the sandbox ({type(error).__name__}: {error}); GPUFLEET_DEBUG=1 shows where",
            )


def _partial_state(error: PartialFailureError, inputs: Struct | None) -> bytes:
    """What the engine keeps of a resource whose operation failed (partialError in pulumi-azure-native's crud.go)."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id, properties=to_struct(error.outputs), reasons=[str(error)], inputs=inputs
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    return status.SerializeToString()


def _check_request(request: provider_pb2.CheckRequest, news: Properties) -> CheckRequest:
    mode = ""
    if request.HasField("autonaming"):
        mode = provider_pb2.CheckRequest.AutonamingOptions.Mode.Name(request.autonaming.mode).lower()
    return CheckRequest(
        urn=Urn.parse(request.urn),
        olds=from_struct(request.olds),
        news=news,
        random_seed=request.randomSeed,
        autoname_mode=mode,
        proposed_name=request.autonaming.proposed_name if mode else "",
    )


def _check_response(checked: Checked) -> provider_pb2.CheckResponse:
    # The engine prints a failure's property together with its value, which may be a secret, and finds the value only at
    # the top level. So the path goes into the reason, as in the official azure-native provider.
    reasons = [
        failure.reason if failure.path in failure.reason else f"'{failure.path}': {failure.reason}"
        for failure in checked.failures
    ]
    failures = [provider_pb2.CheckFailure(reason=reason) for reason in reasons]
    return provider_pb2.CheckResponse(inputs=to_struct(checked.inputs), failures=failures)


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    changed = provider_pb2.DiffResponse.DIFF_SOME if difference.changes else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=changed,
        replaces=difference.replaces,
        deleteBeforeReplace=difference.delete_before_replace,
        diffs=sorted({path.partition(".")[0].partition("[")[0] for path in difference.changes}),
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=_KINDS[change.kind, change.replace], inputDiff=True)
            for path, change in difference.changes.items()
        },
        hasDetailedDiff=True,
    )


def run(make: Callable[[], Backend]) -> None:
    """Make the backend and serve it; what keeps it from starting is one line on stderr and exit code 1."""
    try:
        backend = make()
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
    serve(backend)


def serve(backend: Backend) -> None:
    """Serve until the engine says stop or is gone."""
    # Before the port is told: an engine that dies right after it must not be mistaken for its successor.
    engine = os.getppid()
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    # Frontier's largest messages (program-wide invokes, big releases) stay far below this; gRPC's default is 4 MB.
    server = grpc.server(
        futures.ThreadPoolExecutor(_WORKERS), options=[("grpc.max_receive_message_length", 400 * 1024 * 1024)]
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(backend), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(_PARENT_CHECK_SECONDS) and os.getppid() == engine:
        pass
    backend.cancel()
    server.stop(grace=2).wait()
