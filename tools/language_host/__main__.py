"""Start the language host: print the port, serve until the engine is done or gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent import futures

import grpc
from pulumi.runtime.proto import language_pb2_grpc

from tools.language_host.host import LanguageHost

_WORKERS = 16
_PARENT_CHECK_SECONDS = 1.0
_GRACE_SECONDS = 0.5
# The engine sends the whole state of a stack's configuration; its own limit is the same (pulumi/pulumi: rpcutil).
_MAX_MESSAGE = 400 * 1024 * 1024


def main() -> None:
    """Serve the engine that started us; its address is the last argument that is not a flag."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    stop = threading.Event()
    # The engine ends its plugins with SIGINT: that is the normal way out, not a reason for a KeyboardInterrupt trace.
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_WORKERS),
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.so_reuseport", 0)],
    )
    host = LanguageHost(engine_address=addresses[-1] if addresses else "", stop=stop)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    parent = os.getppid()
    # Killed engines tell nobody: the parent's change is how we learn of it.
    while not stop.wait(_PARENT_CHECK_SECONDS) and os.getppid() == parent:
        pass
    host.end_plugins()
    server.stop(grace=_GRACE_SECONDS).wait(_GRACE_SECONDS)  # the answer to Cancel is still on its way
    # A program's threads that still wait for the engine must not keep the process.
    os._exit(0)


main()
