"""The start of a policy pack. `policies/<pack>/__main__.py` calls `serve`; nothing else may, for it never returns."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
from pulumi.runtime.proto import analyzer_pb2_grpc

from policies.analyzer import Analyzer
from policies.catalogue import rules
from policies.rule import Pack

# A stack of thousands of resources comes in one message (as pulumi: sdk/python/lib/pulumi/runtime/_grpc_settings.py).
_LARGEST_MESSAGE: Final = 400 * 1024 * 1024
_THREADS: Final = 4


def serve(pack: Pack) -> None:
    """Serve a pack to the engine that started this process, until that ends it."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_THREADS), options=[("grpc.max_receive_message_length", _LARGEST_MESSAGE)]
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(pack, rules()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # The engine reads the port from the first line of stdout.
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(grace=None)
