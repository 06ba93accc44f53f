"""The reader of a real API server, against a server of the test's own that answers as Kubernetes does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gpufleet.errors import ExitCode
from gpufleet.pool_changes import api_server
from gpufleet.pool_changes.api_server import ClusterUnreachableError, read

Json = dict[str, Any]


class Server:
    """An API server: lists by path, in pages of two.

    Attributes:
        lists: items by path.
        asked: path and query of every request.
        status: what every request is answered with, unless 200.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[Json]] = {}
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.status = 200
        self.raw: bytes | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)

    def answer(self, target: str) -> tuple[int, bytes]:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.asked.append((parts.path, query))
        if self.raw is not None:
            return 200, self.raw
        if self.status != 200:
            return self.status, json.dumps({"kind": "Status", "code": self.status}).encode()
        if parts.path == "/apis/kueue.x-k8s.io" and any("kueue" in path for path in self.lists):
            return 200, json.dumps({"preferredVersion": {"version": "v1beta2"}}).encode()
        if parts.path not in self.lists:
            return 404, b"{}"
        begin = int(query.get("continue", ["0"])[0])
        items = self.lists[parts.path]
        more = str(begin + 2) if begin + 2 < len(items) else ""
        return 200, json.dumps({"metadata": {"continue": more}, "items": items[begin : begin + 2]}).encode()

    @property
    def kubeconfig(self) -> str:
        return kubeconfig(f"http://127.0.0.1:{self.http.server_address[1]}")


def kubeconfig(server: str, user: Json | None = None) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "c", "user": user or {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "current-context": "c",
        }
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    made.thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    made.thread.join()


def named(*names: str) -> list[Json]:
    return [{"metadata": {"name": name}} for name in names]


def test_everything_is_read_page_by_page(server: Server) -> None:
    server.lists = {
        "/api/v1/nodes": named("n1", "n2", "n3", "n4", "n5"),
        "/api/v1/pods": named("p1"),
        "/apis/kueue.x-k8s.io/v1beta2/workloads": named("w1", "w2"),
        "/apis/kueue.x-k8s.io/v1beta2/resourceflavors": named("f1"),
    }
    found = read(server.kubeconfig)
    assert list(found.nodes) == named("n1", "n2", "n3", "n4", "n5")
    assert [list(found.pods), list(found.workloads), list(found.flavors)] == [
        named("p1"),
        named("w1", "w2"),
        named("f1"),
    ]
    pods = next(query for path, query in server.asked if path == "/api/v1/pods")
    assert pods["fieldSelector"] == ["spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"]


def test_a_cluster_without_kueue_has_pods_all_the_same(server: Server) -> None:
    server.lists = {"/api/v1/nodes": named("n1"), "/api/v1/pods": named("p1")}
    found = read(server.kubeconfig)
    assert (list(found.pods), list(found.workloads), list(found.flavors)) == (named("p1"), [], [])


@pytest.mark.parametrize(("status", "said"), [(403, "403 Forbidden"), (401, "401 Unauthorized")])
def test_no_permission(server: Server, status: int, said: str) -> None:
    server.status = status
    with pytest.raises(ClusterUnreachableError, match=f"its API server answers {said}") as caught:
        read(server.kubeconfig)
    assert caught.value.exit_code is ExitCode.UNDECIDED
    assert "Azure Kubernetes Service RBAC" in caught.value.hint


def test_no_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ClusterUnreachableError, match="its API server does not answer: "):
        read(kubeconfig(f"http://127.0.0.1:{port}"))


def test_an_answer_in_time_or_none(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_server, "READ_SECONDS", 0.05)
    read_on = threading.Event()

    def late(_: str) -> tuple[int, bytes]:
        read_on.wait(60)
        return 200, b"{}"

    monkeypatch.setattr(server, "answer", late)
    monkeypatch.setattr(server.http, "handle_error", lambda *_: None)  # who asked is gone
    try:
        with pytest.raises(ClusterUnreachableError, match="its API server does not answer: "):
            read(server.kubeconfig)
    finally:
        read_on.set()


def test_an_answer_of_somebody_else(server: Server) -> None:
    server.raw = b"<html>Sign in</html>"
    with pytest.raises(ClusterUnreachableError, match="its API server's answer is not JSON"):
        read(server.kubeconfig)


def test_no_kubelogin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": []}}
    with pytest.raises(ClusterUnreachableError, match=r"kubelogin, which gives the token .* is not on PATH"):
        read(kubeconfig("https://127.0.0.1:1", user))


@pytest.mark.parametrize("text", ["", "[]", "{}", "a: [", '{"clusters": 1}'])
def test_no_kubeconfig(text: str) -> None:
    with pytest.raises(ClusterUnreachableError, match="the kubeconfig in the state is no kubeconfig"):
        read(text)
