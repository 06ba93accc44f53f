"""Put the reports of a pull request into one comment, which the next run writes again in place.

    python3 tools/pull_request_comment.py github FOLDER
    python3 tools/pull_request_comment.py azure-devops FOLDER

FOLDER holds, at any depth, what the jobs before have made: `check.md` (`gpufleet check --format markdown`) and
`preview-ENV.txt`. The comment is known again by its first line, which nobody sees. The token is read from the
environment and goes nowhere but to the API. Runs on the system's Python, before anything is installed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

# A comment on GitHub holds 65,536 characters, one on Azure DevOps 150,000.
MOST_BYTES = 64_000
# Not the report's own, which changes with the number of environments: there is one comment, whatever it says.
MARKER = "<!-- gpufleet:pull-request -->"
_CUT = "\n… cut here; the whole preview is in the artifacts of this run."
_LEAST_PREVIEW_BYTES = 500
_PAGE = 100
_SECONDS = 60
_ARGUMENTS = 3
EXIT_CONFIGURATION = 2


class CommentError(Exception):
    """The comment can't be written; the text says why and what to do."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Python would send the token along to wherever a redirect leads."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def body_of(folder: Path) -> str:
    """The comment: the check's report, then each preview folded; 64,000 bytes at most.

    Raises:
        CommentError: the report is too large.
    """
    reports = sorted(folder.rglob("check.md"))
    body = f"{MARKER}\n"
    if reports:
        body += reports[0].read_text(encoding="utf-8").rstrip() + "\n"
    else:
        body += "## gpufleet check: no report\n\nThe check stopped before it wrote one: see its log.\n"
    previews = sorted(folder.rglob("preview-*.txt"), key=lambda path: path.name)
    for left, path in zip(range(len(previews), 0, -1), previews, strict=True):
        room = (MOST_BYTES - _bytes(body)) // left
        if room >= _LEAST_PREVIEW_BYTES:
            body += _folded(path, room)
    if _bytes(body) > MOST_BYTES:
        raise CommentError(f"{reports[0]} leaves no room within {MOST_BYTES:,} bytes: make it with --max-bytes 48000")
    return body


def _folded(path: Path, room: int) -> str:
    text = path.read_text(encoding="utf-8").rstrip()
    # A fence ends at as many backticks as it begins with, so whatever the text holds stays inside.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    environment = path.stem.removeprefix("preview-")
    before = f"\n<details><summary>Preview of {environment}</summary>\n\n{fence}text\n"
    after = f"\n{fence}\n\n</details>\n"
    room -= _bytes(before + after)
    if _bytes(text) > room:
        text = text.encode()[: room - _bytes(_CUT)].decode(errors="ignore") + _CUT
    return before + text + after


def _bytes(text: str) -> int:
    return len(text.encode())


def is_ours(text: str | None) -> bool:
    """Whether a comment is the one that this script writes."""
    return (text or "").partition("\n")[0].strip() == MARKER


def comment_on_github(body: str) -> str:
    """Write the comment on a pull request of GitHub.

    Reads GITHUB_API_URL and GITHUB_REPOSITORY, which the runner sets, PULL_REQUEST and GITHUB_TOKEN.

    Returns:
        what was done.

    Raises:
        CommentError: GitHub refuses.
    """
    repository = f"{_variable('GITHUB_API_URL')}/repos/{_variable('GITHUB_REPOSITORY')}"
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {_variable('GITHUB_TOKEN')}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    comments = f"{repository}/issues/{_variable('PULL_REQUEST')}/comments"
    page = 1
    while True:
        found = _call("GET", f"{comments}?per_page={_PAGE}&page={page}", headers)
        for comment in found:
            # A person's comment is never overwritten, whatever it begins with.
            if (comment["user"] or {}).get("type") == "Bot" and is_ours(comment["body"]):
                _call("PATCH", f"{repository}/issues/comments/{comment['id']}", headers, {"body": body})
                return f"updated comment {comment['id']}"
        if len(found) < _PAGE:
            made = _call("POST", comments, headers, {"body": body})
            return f"made comment {made['id']}"
        page += 1


def comment_on_azure_devops(body: str) -> str:
    """Write the comment as a thread of a pull request in Azure Repos.

    Reads SYSTEM_COLLECTIONURI, SYSTEM_TEAMPROJECTID, BUILD_REPOSITORY_ID and SYSTEM_PULLREQUEST_PULLREQUESTID, which
    the agent sets, and SYSTEM_ACCESSTOKEN.

    Returns:
        what was done.

    Raises:
        CommentError: Azure DevOps refuses.
    """
    project = f"{_variable('SYSTEM_COLLECTIONURI').rstrip('/')}/{_variable('SYSTEM_TEAMPROJECTID')}"
    request = f"{_variable('BUILD_REPOSITORY_ID')}/pullRequests/{_variable('SYSTEM_PULLREQUEST_PULLREQUESTID')}"
    threads = f"{project}/_apis/git/repositories/{request}/threads"
    version = "api-version=7.1"
    headers = {"Authorization": f"Bearer {_variable('SYSTEM_ACCESSTOKEN')}"}
    for thread in _call("GET", f"{threads}?{version}", headers)["value"]:
        first: dict[str, Any] = next(iter(thread.get("comments") or ()), {})
        if thread.get("isDeleted") or first.get("isDeleted") or not is_ours(first.get("content")):
            continue
        place = f"{threads}/{thread['id']}/comments/{first['id']}?{version}"
        _call("PATCH", place, headers, {"content": body})
        return f"updated thread {thread['id']}"
    comment = {"parentCommentId": 0, "content": body, "commentType": "text"}
    # Closed: an active thread holds up a pull request whose policy wants every comment resolved.
    made = _call("POST", f"{threads}?{version}", headers, {"comments": [comment], "status": "closed"})
    return f"made thread {made['id']}"


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    # Azure Pipelines leaves a macro that it doesn't know as it stands.
    if not value or value.startswith("$("):
        raise CommentError(
            f"{name} is not set: is this a pull request's job, with the `env` of the step that came along?"
        )
    return value


def _call(method: str, address: str, headers: dict[str, str], content: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 JSON
    if urllib.parse.urlsplit(address).scheme not in {"https", "http"}:
        raise CommentError(f"{address} is no address of an API")
    data = None if content is None else json.dumps(content).encode()
    sent = {"Content-Type": "application/json", "User-Agent": "gpufleet", **headers}
    request = urllib.request.Request(address, data=data, headers=sent, method=method)  # noqa: S310 checked above
    try:
        with _OPENER.open(request, timeout=_SECONDS) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(500).decode(errors="replace").strip()
        hint = (
            "\n  May the job's token comment? GitHub: permissions, pull-requests: write, never for forks. "
            "Azure DevOps: the build service needs Contribute to pull requests."
            if error.code in {401, 403, 404}
            else ""
        )
        raise CommentError(f"{method} {address}: {error.code} {error.reason}: {said}{hint}") from error
    except (OSError, HTTPException) as error:
        raise CommentError(f"{method} {address}: {error}") from error
    except ValueError as error:
        # Azure DevOps answers a missing login with a page and 203.
        raise CommentError(f"{method} {address}: the answer is not JSON; was the token accepted?") from error


PLACES = {"github": comment_on_github, "azure-devops": comment_on_azure_devops}


def main(arguments: list[str]) -> int:
    """Write the comment.

    Returns:
        0; 1 when the API refuses; 2 when the command line is wrong.
    """
    if len(arguments) != _ARGUMENTS or arguments[1] not in PLACES or not Path(arguments[2]).is_dir():
        sys.stderr.write(f"usage: {arguments[0]} {{{'|'.join(PLACES)}}} FOLDER\n")
        return EXIT_CONFIGURATION
    try:
        done = PLACES[arguments[1]](body_of(Path(arguments[2])))
    except (CommentError, OSError, UnicodeError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
