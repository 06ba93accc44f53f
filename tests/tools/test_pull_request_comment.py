"""The comment on a pull request: what it holds, and that there is one of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.engine.project import ROOT
from tests.ci.comments_api import TOKEN, CommentsApi, comments_api
from tools.pull_request_comment import MARKER, MOST_BYTES, CommentError, body_of

_REPORT = "<!-- gpufleet:check:dev -->\n## dev: PASS\n"


@pytest.fixture
def api() -> Iterator[CommentsApi]:
    with comments_api() as found:
        yield found


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    (folder / "check").mkdir(parents=True)
    (folder / "check" / "check.md").write_text(_REPORT)
    return folder


def comment(system: str, reports: Path, api: CommentsApi, **environment: str) -> subprocess.CompletedProcess[str]:
    tokens = {"GITHUB_TOKEN": TOKEN, "PULL_REQUEST": "7", "SYSTEM_ACCESSTOKEN": TOKEN}
    return subprocess.run(
        [sys.executable, "-I", ROOT / "tools" / "pull_request_comment.py", system, reports],
        env={"PATH": os.environ["PATH"], "no_proxy": "*", **api.environment, **tokens, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_report_comes_first_and_previews_are_folded(reports: Path):
    (reports / "preview-dev").mkdir()
    (reports / "preview-dev" / "preview-dev.txt").write_text("+ 1 to create\n")
    (reports / "preview-prod.txt").write_text("a ``` fence\n")
    assert body_of(reports) == (
        f"{MARKER}\n{_REPORT}"
        "\n<details><summary>Preview of dev</summary>\n\n```text\n+ 1 to create\n```\n\n</details>\n"
        "\n<details><summary>Preview of prod</summary>\n\n````text\na ``` fence\n````\n\n</details>\n"
    )


def test_a_check_that_wrote_nothing_is_said(tmp_path: Path):
    assert body_of(tmp_path) == (
        f"{MARKER}\n## gpufleet check: no report\n\nThe check stopped before it wrote one: see its log.\n"
    )


def test_previews_share_the_room_that_the_report_leaves(reports: Path):
    (reports / "check" / "check.md").write_text(_REPORT + "x" * 48_000)
    for name in ("a", "b", "c"):
        (reports / f"preview-{name}.txt").write_text("é" * 40_000 if name != "b" else "short")
    body = body_of(reports)
    assert MOST_BYTES - 4 <= len(body.encode()) <= MOST_BYTES
    assert (body.count("… cut here"), body.count("</details>"), "\nshort\n" in body) == (2, 3, True)


def test_a_preview_without_room_is_left_out_and_a_report_without_room_is_an_error(reports: Path):
    (reports / "preview-a.txt").write_text("x" * 600)
    (reports / "check" / "check.md").write_text(_REPORT + "x" * (MOST_BYTES - 300))
    assert "Preview of a" not in body_of(reports)
    (reports / "check" / "check.md").write_text(_REPORT + "x" * MOST_BYTES)
    with pytest.raises(CommentError, match="leaves no room within 64,000 bytes: make it with --max-bytes 48000"):
        body_of(reports)


def test_github_makes_it_once_and_then_updates_it(reports: Path, api: CommentsApi):
    api.comments = [{"id": n, "user": {"type": "User"}, "body": f"{n}"} for n in range(100)]
    api.comments.append({"id": 100, "user": {"type": "User"}, "body": f"{MARKER}\nquoted by a person"})
    api.comments.append({"id": 101, "user": None, "body": "by an account that is gone"})
    done = comment("github", reports, api)
    assert (done.returncode, done.stdout) == (0, "made comment 1102\n")
    (reports / "check" / "check.md").write_text(_REPORT + "again\n")
    done = comment("github", reports, api)
    assert (done.returncode, done.stdout) == (0, "updated comment 1102\n")
    assert (len(api.comments), api.comments[-1]["body"]) == (103, f"{MARKER}\n{_REPORT}again\n")
    assert api.comments[100]["body"] == f"{MARKER}\nquoted by a person"


def test_azure_devops_makes_a_closed_thread_once_and_then_updates_it(reports: Path, api: CommentsApi):
    api.threads = [
        {"id": 1, "comments": [{"id": 1, "content": "a person's"}]},
        {"id": 2, "isDeleted": True, "comments": [{"id": 1, "content": f"{MARKER}\nold"}]},
        {"id": 3, "comments": [{"id": 1, "isDeleted": True}]},
        {"id": 4},
    ]
    done = comment("azure-devops", reports, api)
    assert (done.returncode, done.stdout) == (0, "made thread 54\n")
    assert api.threads[-1]["status"] == "closed"
    (reports / "check" / "check.md").write_text(_REPORT + "again\n")
    assert comment("azure-devops", reports, api).stdout == "updated thread 54\n"
    assert len(api.threads) == 5
    assert api.threads[-1]["comments"] == [
        {"id": 1, "parentCommentId": 0, "content": f"{MARKER}\n{_REPORT}again\n", "commentType": "text"}
    ]


@pytest.mark.parametrize("system", ["github", "azure-devops"])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, "broken"), ": 500 Internal Server Error: broken"),
        ((403, "no"), "May the job's token comment?"),
        ((203, "<html>Sign in"), "the answer is not JSON; was the token accepted?"),
        ((302, ""), ": 302 Found"),
    ],
)
def test_a_refusal_is_said_and_the_token_goes_nowhere(
    system: str, answer: tuple[int, str], said: str, reports: Path, api: CommentsApi
):
    api.answer = answer
    done = comment(system, reports, api)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stderr
    assert len(api.calls) == 1


def test_a_wrong_token_a_missing_one_and_a_macro_that_nobody_filled_in(reports: Path, api: CommentsApi):
    assert "401 Unauthorized" in comment("github", reports, api, GITHUB_TOKEN="other").stderr
    assert "error: GITHUB_TOKEN is not set" in comment("github", reports, api, GITHUB_TOKEN="").stderr
    done = comment("azure-devops", reports, api, SYSTEM_PULLREQUEST_PULLREQUESTID="$(System.PullRequest.PullRequestId)")
    assert "error: SYSTEM_PULLREQUEST_PULLREQUESTID is not set" in done.stderr


def test_nobody_listens(reports: Path, api: CommentsApi):
    done = comment("github", reports, api, GITHUB_API_URL="http://127.0.0.1:1")
    assert (done.returncode, "Connection refused" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert "is no address of an API" in comment("github", reports, api, GITHUB_API_URL="file:///etc").stderr


def test_a_wrong_command_line(reports: Path, api: CommentsApi):
    done = comment("gitlab", reports, api)
    assert (done.returncode, done.stderr.startswith("usage: ")) == (2, True)
    assert comment("github", reports / "absent", api).returncode == 2
