"""`gpufleet check --base`: a change held against git's merge base, or against another stack file."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gpufleet.catalog import snapshots
from gpufleet.check import FailOn
from gpufleet.cli.check import FailOnOption
from gpufleet.engine import project
from policies import configuration
from tests.cli.command_line import Gpufleet, Outcome
from tests.cli.test_check import write


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "today", lambda: dt.date(2026, 11, 21))


@pytest.fixture
def repository(gpufleet: Gpufleet) -> Gpufleet:
    """A checkout whose branch `main` has lab over its budget, with a branch for the change checked out."""
    write(gpufleet, budget=1000)
    gpufleet.git("init", "-q", "-b", "main")
    _commit(gpufleet)
    gpufleet.git("checkout", "-q", "-b", "change")
    return gpufleet


def _commit(gpufleet: Gpufleet) -> None:
    gpufleet.git("add", ".")
    gpufleet.git("commit", "-q", "-m", "x")


def _since(done: Outcome) -> dict[str, Any]:
    return {one["rule"]: one["since"] for one in done.document["findings"] if one["severity"] == "error"}


def test_what_the_base_has_does_not_fail_unless_told(repository: Gpufleet) -> None:
    done = repository("check", "lab", "--base", "main", "--format", "json")
    assert (done.code, _since(done)) == (0, {"COST002": "existing"})
    assert repository("check", "lab", "--base", "main", "--fail-on", "all").code == 5
    assert repository("check", "lab").code == 5


def test_warnings_fail_when_told(repository: Gpufleet) -> None:
    write(repository, sku="Standard_NC40ads_H100_v5", priority="spot")
    assert repository("check", "lab", "--base", "main").code == 0
    assert repository("check", "lab", "--base", "main", "--fail-on", "warning").code == 5


def test_what_main_has_gained_since_is_not_held_against_the_change(repository: Gpufleet) -> None:
    repository.git("checkout", "-q", "main")
    write(repository)
    _commit(repository)
    repository.git("checkout", "-q", "change")
    done = repository("check", "lab", "--base", "main", "--format", "json")
    # main is within its budget by now; where the two parted it was not.
    assert (done.code, _since(done)) == (0, {"COST002": "existing"})
    assert done.document["comparison"]["base"].startswith("the merge base with main (")


def test_a_new_environment_is_new_in_everything(repository: Gpufleet) -> None:
    write(repository, "other", budget=1000)
    done = repository("check", "other", "--base", "main", "--format", "json")
    assert (done.code, _since(done)) == (5, {"COST002": "new"})
    assert done.document["comparison"]["problem"].endswith(" has no stacks/Pulumi.other.yaml")


def test_waivers_and_limits_are_those_of_the_base(repository: Gpufleet, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository.folder / "policies" / "config"
    folder.mkdir(parents=True)
    monkeypatch.setattr(configuration, "FOLDER", folder)
    waivers = repository.folder / "stacks" / "waivers.yaml"
    waivers.write_text(
        "- {rule: COST002, environment: lab, resource: environment, reason: r, owner: o, ticket: t, approvedBy: a,\n"
        "   expires: 2026-12-31, bound: 1000000}\n"
    )
    (folder / "lab.json").write_text('{"SCALE002": {"enforcementLevel": "mandatory", "maxNodes": 4}}')
    _commit(repository)
    assert repository("check", "lab", "--base", "HEAD").code == 0
    waivers.unlink()
    done = repository("check", "lab", "--base", "HEAD", "--format", "json")
    assert (done.code, _since(done)) == (5, {"COST002": "worsened", "SCALE002": "existing"})
    done = repository("check", "lab", "--base", "main", "--format", "json")
    assert (done.code, _since(done)) == (5, {"COST002": "existing", "SCALE002": "new"})


def test_against_a_file(repository: Gpufleet, tmp_path: Path) -> None:
    before = write(repository).rename(tmp_path / "before.yaml")
    write(repository, budget=1000)
    done = repository("check", "lab", "--base", before, "--format", "json")
    assert (done.code, _since(done), done.document["comparison"]["base"]) == (5, {"COST002": "new"}, str(before))


def test_a_commit_by_its_hash(repository: Gpufleet) -> None:
    commit = subprocess.run(
        ["git", "-C", str(repository.folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    done = repository("check", "lab", "--base", commit, "--format", "json")
    assert done.document["comparison"]["base"] == commit[:7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lab", "--base", "nope"], "error: --base nope: neither a file nor a version that git knows in "),
        (["lab", "--base=--output=x"], "error: --base --output=x: neither a file nor a version that git knows in "),
        (["lab", "--base", "x.yaml"], "error: --base x.yaml: there is no such file\n"),
        (["lab", "--base", "n" * 5000], f"error: --base {'n' * 5000}: neither a file nor a version that git knows in "),
        (["lab", "--base", ""], "error: --base : neither a file nor a version that git knows in "),
    ],
)
def test_bad_bases(repository: Gpufleet, arguments: list[str], message: str) -> None:
    done = repository("check", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)


def test_a_file_is_the_base_of_one_environment(repository: Gpufleet) -> None:
    done = repository("check", "--all", "--base", repository.folder / "stacks" / "Pulumi.dev.yaml")
    assert done.err.startswith("error: --base FILE is one environment's\n")


def test_a_shallow_clone_says_how_to_deepen_it(
    repository: Gpufleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository)
    _commit(repository)
    repository.git("checkout", "-q", "main")
    write(repository, budget=2000)
    _commit(repository)
    clone = tmp_path / "clone"
    repository.git(
        "clone", "-q", "--depth=1", "--no-single-branch", "-b", "change", f"file://{repository.folder}", str(clone)
    )
    monkeypatch.setattr(project, "ROOT", clone)
    for reference, message in (
        ("origin/main", "error: --base origin/main: no commit in this clone is behind both "),
        ("HEAD~1", "error: --base HEAD~1: neither a file nor a version that git knows in "),
    ):
        done = repository("check", "lab", "--base", reference)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(message)
        assert "`git fetch --deepen=200`" in done.err
        assert "`fetch-depth: 0`" in done.err


def test_two_histories(repository: Gpufleet) -> None:
    repository.git("checkout", "-q", "--orphan", "apart")
    write(repository)
    _commit(repository)
    done = repository("check", "lab", "--base", "main")
    assert done.code == 2
    assert "Their histories have nothing in common" in done.err


def test_objects_that_are_missing_are_not_taken_for_a_file_that_was_not_there(repository: Gpufleet) -> None:
    blob = subprocess.run(
        ["git", "-C", str(repository.folder), "rev-parse", "main:stacks/Pulumi.lab.yaml"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (repository.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    done = repository("check", "lab", "--base", "main")
    assert done.code == 2
    assert done.err.startswith("error: --base main: git can't read stacks/Pulumi.lab.yaml of commit ")


def test_in_a_hook_git_means_the_checkout_and_not_what_the_hook_runs_for(
    repository: Gpufleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, "nowhere")
    assert repository("check", "lab", "--base", "main").code == 0


def test_where_there_is_no_repository_git_says_so(gpufleet: Gpufleet) -> None:
    done = gpufleet("check", "dev", "--base", "main")
    assert done.code == 2
    assert "git says: fatal: not a git repository" in done.err


def test_the_option_says_what_the_report_means() -> None:
    assert [one.value for one in FailOnOption] == [one.value for one in FailOn]
