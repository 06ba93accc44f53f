"""Our language host under the real engine, whichever engine this machine has."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from gpufleet.engine.install import ensure_engine

pytestmark = pytest.mark.engine

HOST = [sys.executable, "-P", "-u", "-m", "tools.language_host"]


@dataclass(frozen=True)
class Project:
    folder: Path
    environment: dict[str, str]

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(program)

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [Path(self.environment["ENGINE"]) / "pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder, engine, state = (tmp_path / name for name in ("project", "engine", "state"))
    for path in (folder, engine, state):
        path.mkdir()
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (engine / "pulumi").hardlink_to(ensure_engine().pulumi.resolve())
    host = engine / "pulumi-language-python"
    host.write_text(f'#!/bin/sh\nexec {" ".join(HOST)} "$@"\n')
    host.chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        "ENGINE": str(engine),
        "PATH": f"{engine}:{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    project = Project(folder, environment)
    project.pulumi("stack", "init", "dev")
    return project


def test_up_refresh_and_destroy_with_config_secrets_and_output(project: Project):
    (project.folder / "beside.py").write_text("WORD = 'beside'\n")
    project.write(
        """
import os, sys, pulumi, beside
config = pulumi.Config()
print("said by the program")
pulumi.export("plain", config.require("plain"))
pulumi.export("secret", config.require_secret("secret"))
pulumi.export("object", config.require_object("object"))
pulumi.export("facts", {
    "stack": pulumi.get_stack(), "project": pulumi.get_project(), "organization": pulumi.get_organization(),
    "dry": pulumi.runtime.is_dry_run(), "cwd": os.getcwd(), "argv": len(sys.argv), "beside": beside.WORD,
})
"""
    )
    project.pulumi("config", "set", "plain", "5")
    project.pulumi("config", "set", "--secret", "secret", "hush")
    project.pulumi("config", "set", "--path", "object.a[0]", "1")
    said = project.pulumi("up", "--yes")
    assert said.count("said by the program") >= 2
    assert "hush" not in said
    assert "warning" not in said
    outputs = json.loads(project.pulumi("stack", "output", "--json"))
    assert outputs == {
        "plain": "5",
        "secret": "[secret]",
        "object": {"a": [1]},
        "facts": {
            "stack": "dev",
            "project": "tiny",
            "organization": "organization",
            "dry": False,
            "cwd": str(project.folder),
            "argv": 1,
            "beside": "beside",
        },
    }
    assert json.loads(project.pulumi("stack", "output", "--json", "--show-secrets"))["secret"] == "hush"
    project.pulumi("refresh", "--yes", "--expect-no-changes")
    project.pulumi("destroy", "--yes")
    assert json.loads(project.pulumi("stack", "output", "--json")) == {}


@pytest.mark.parametrize(
    ("statement", "shown", "hidden"),
    [
        (
            "raise ValueError('boom')",
            ["Program failed with an unhandled exception:", '__main__.py", line 2, in <module>', "ValueError: boom"],
            ["runpy", "run_in_stack"],
        ),
        ("raise pulumi.RunError('plainly so')", ["error: plainly so"], ["Traceback"]),
        (
            "from gpufleet.errors import ConfigurationError as E; raise E('stacks/x.yaml:3: bad size', hint='Use 1')",
            ["error: stacks/x.yaml:3: bad size", "Use 1"],
            ["Traceback", "ConfigurationError"],
        ),
        ("raise SystemExit(3)", ["Program exited with non-zero exit code: 3"], ["Traceback"]),
        (
            "raise Exception('rpc error: code = Canceled desc = grpc: the client connection is closing')",
            ["error: the program was cut off: the engine is ending the run"],
            ["Traceback"],
        ),
        ("import nothing_of_that_name", ["ModuleNotFoundError: No module named 'nothing_of_that_name'"], []),
        ("pulumi.Output.from_input(0).apply(lambda v: 1 / v)", ["ZeroDivisionError: division by zero"], []),
    ],
)
def test_what_a_failing_program_shows(project: Project, statement: str, shown: list[str], hidden: list[str]):
    project.write(f"import pulumi\n{statement}\n")
    said = project.pulumi("preview", code=1)
    for text in shown:
        assert said.count(text) == 2 if text.startswith("error: ") else text in said, said
    for text in hidden:
        assert text not in said


def test_an_ordinary_exit_is_no_failure(project: Project):
    project.write("raise SystemExit\n")
    project.pulumi("preview")


PACK = """
import os, sys
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

def judge(args, report):
    report(f"judged {len(args.resources)} in {os.path.basename(os.getcwd())}, {os.path.basename(sys.path[0])}")

PolicyPack("pack", policies=[StackValidationPolicy(
    name="rule", description="a rule", enforcement_level=EnforcementLevel.MANDATORY, validate=judge)])
"""


def put_pack(folder: Path, main: str, runtime: str = "python") -> Path:
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text(f"runtime: {runtime}\nversion: 0.0.1\n")
    (folder / "__main__.py").write_text(main)
    return folder


def test_a_policy_pack_judges_in_its_own_folder(project: Project, tmp_path: Path):
    project.write("import pulumi\n")
    pack = put_pack(tmp_path / "pack", PACK)
    said = project.pulumi("preview", "--policy-pack", str(pack), code=1)
    assert "judged 1 in pack, pack" in said


def test_a_policy_pack_that_does_not_start_shows_why(project: Project, tmp_path: Path):
    project.write("import pulumi\n")
    pack = put_pack(tmp_path / "pack", "import nothing_of_that_name\n")
    said = project.pulumi("preview", "--policy-pack", str(pack), code=1)
    assert "No module named 'nothing_of_that_name'" in said


def test_a_policy_packs_own_environment_must_be_there(project: Project, tmp_path: Path):
    project.write("import pulumi\n")
    pack = put_pack(tmp_path / "pack", PACK, "{name: python, options: {virtualenv: venv}}")
    said = project.pulumi("preview", "--policy-pack", str(pack), code=1)
    assert f"the virtual environment of {pack} is missing: {pack / 'venv'}" in said
    (pack / "venv").symlink_to(sys.prefix)
    assert "judged 1" in project.pulumi("preview", "--policy-pack", str(pack), code=1)


def test_another_projects_environment_is_refused_by_name(project: Project):
    (project.folder / "Pulumi.yaml").write_text(
        "name: tiny\nruntime: {name: python, options: {virtualenv: elsewhere}}\n"
    )
    project.write("import pulumi\n")
    said = project.pulumi("preview", code=1)
    assert f"this language host serves {sys.prefix} only" in said


@contextmanager
def served() -> Iterator[tuple[language_pb2_grpc.LanguageRuntimeStub, subprocess.Popen[str]]]:
    with subprocess.Popen([*HOST, "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield language_pb2_grpc.LanguageRuntimeStub(channel), process
        finally:
            process.kill()


def test_what_it_says_about_itself_and_a_program(tmp_path: Path):
    (tmp_path / "requirements.txt").write_text(
        "# comment\n-r other.txt\npulumi-kubernetes==4\npulumi_policy\npulumi>=3 # core\n"
    )
    info = language_pb2.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point=".")
    with served() as (host, _):
        host.Handshake(language_pb2.LanguageHandshakeRequest(engine_address="127.0.0.1:1"))
        assert host.GetPluginInfo(empty_pb2.Empty()).version.startswith("3.")
        assert host.About(language_pb2.AboutRequest(info=info)).executable == sys.executable
        assert not host.RuntimeOptionsPrompts(language_pb2.RuntimeOptionsRequest(info=info)).prompts
        packages = host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=info)).packages
        assert [(package.name, package.kind) for package in packages] == [("kubernetes", "resource")]
        plugins = host.GetRequiredPlugins(language_pb2.GetRequiredPluginsRequest(info=info)).plugins
        assert [plugin.version for plugin in plugins] == [package.version for package in packages]
        request = language_pb2.GetProgramDependenciesRequest(info=info)
        direct = host.GetProgramDependencies(request).dependencies
        assert [found.name for found in direct] == ["pulumi", "pulumi-kubernetes", "pulumi-policy"]
        request.transitiveDependencies = True
        assert "grpcio" in {found.name for found in host.GetProgramDependencies(request).dependencies}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_engines_interrupt_ends_it_silently(number: signal.Signals):
    with served() as (_, process):
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_cancel_ends_it():
    with served() as (host, process):
        host.Cancel(empty_pb2.Empty())
        assert process.wait(30) == 0


def test_it_dies_with_the_engine_and_takes_its_plugins_along(tmp_path: Path):
    # The middle process stands for the engine: it starts the host, says its process id and port, and is killed.
    middle = (
        "import subprocess, sys, time\n"
        f"host = subprocess.Popen({HOST!r}, stdout=subprocess.PIPE, text=True)\n"
        "print(host.pid, host.stdout.readline(), end='', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", middle], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        pid, port = map(int, engine.stdout.readline().split())
        (tmp_path / "__main__.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n")
        info = language_pb2.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point=".")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            host = language_pb2_grpc.LanguageRuntimeStub(channel)
            output = host.RunPlugin(language_pb2.RunPluginRequest(info=info, kind="tool"))
            plugin = int(next(output).stdout)
            host_gone, plugin_gone = os.pidfd_open(pid), os.pidfd_open(plugin)
            engine.kill()
            for handle in (host_gone, plugin_gone):
                ready, _, _ = select.select([handle], [], [], 30)
                assert ready == [handle]
                os.close(handle)
