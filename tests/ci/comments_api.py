"""A server that plays the comments of a pull request, as GitHub's API and as Azure DevOps'."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token"

_GITHUB = "/repos/acme/fleet/issues"
_THREADS = "/acme/project-1/_apis/git/repositories/repo-1/pullRequests/7/threads"


@dataclass(kw_only=True)
class CommentsApi:
    """Its state.

    Attributes:
        address: where it listens.
        comments: of GitHub's pull request 7.
        threads: of Azure DevOps' pull request 7.
        calls: method and path of each request.
        answer: an answer to give to everything instead, as status and body.
    """

    address: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    threads: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    answer: tuple[int, str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What both CI systems tell their jobs."""
        return {
            "GITHUB_API_URL": self.address,
            "GITHUB_REPOSITORY": "acme/fleet",
            "SYSTEM_COLLECTIONURI": f"{self.address}/acme/",
            "SYSTEM_TEAMPROJECTID": "project-1",
            "BUILD_REPOSITORY_ID": "repo-1",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        }

    def respond(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON of a request."""
        place, query = urlsplit(path).path, parse_qs(urlsplit(path).query)
        if place.startswith(_GITHUB):
            return self._github(method, place.removeprefix(_GITHUB), query, body)
        if place.startswith(_THREADS) and query.get("api-version") == ["7.1"]:
            return self._azure_devops(method, place.removeprefix(_THREADS), body)
        return 404, {"message": "Not Found"}

    def _github(self, method: str, place: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET" and place == "/7/comments":
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, self.comments[size * (page - 1) : size * page]
        if method == "POST" and place == "/7/comments":
            self.comments.append({"id": 1000 + len(self.comments), "user": {"type": "Bot"}, "body": body["body"]})
            return 201, self.comments[-1]
        if method == "PATCH" and (found := re.fullmatch(r"/comments/(\d+)", place)):
            (comment,) = [one for one in self.comments if one["id"] == int(found[1])]
            comment["body"] = body["body"]
            return 200, comment
        return 404, {"message": "Not Found"}

    def _azure_devops(self, method: str, place: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET" and not place:
            return 200, {"value": self.threads, "count": len(self.threads)}
        if method == "POST" and not place:
            thread = {"id": 50 + len(self.threads), **body}
            thread["comments"] = [{"id": 1, **body["comments"][0]}]
            self.threads.append(thread)
            return 200, thread
        if method == "PATCH" and (found := re.fullmatch(r"/(\d+)/comments/(\d+)", place)):
            (thread,) = [one for one in self.threads if one["id"] == int(found[1])]
            (comment,) = [one for one in thread["comments"] if one["id"] == int(found[2])]
            comment.update(body)
            return 200, comment
        return 404, {"message": "Not Found"}


@contextmanager
def comments_api() -> Iterator[CommentsApi]:
    """The server, on a free port of this machine."""
    api = CommentsApi()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            api.calls.append((self.command, self.path))
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, text = 401, json.dumps({"message": "Bad credentials"})
            elif api.answer is not None:
                status, text = api.answer
            else:
                status, found = api.respond(self.command, self.path, body)
                text = json.dumps(found)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PATCH = _any  # noqa: N815 names of http.server

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
