"""The sandbox's home: a PULUMI_HOME, a state backend, a passphrase and a cloud of its own, apart from the person's.

.sandbox/
  pulumi-home/plugins/    our providers under the names and versions of the official ones
  engine-home/            PULUMI_HOME of our own runs: the same plugins, no automatic logs
  state/                  file backend
  stacks/                 copies of stack files that name another secrets provider
  cloud/                  the sandbox's Azure and Kubernetes
  passphrase
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from gpufleet.catalog import limits
from gpufleet.engine.errors import EngineError
from gpufleet.engine.files import locked, write_if_different
from gpufleet.engine.install import engine_folder
from gpufleet.engine.locate import Engine
from gpufleet.engine.project import PROJECT, stack_file

HOME_VARIABLE = "GPUFLEET_SANDBOX_HOME"
CLOUD_VARIABLE = "GPUFLEET_SANDBOX_CLOUD"
PARALLEL_VARIABLE = "PULUMI_PARALLEL"

PASSPHRASE = "gpufleet-sandbox"  # noqa: S105 well known on purpose: the sandbox's secrets are invented
SALT = "v1:MvX8y/M5Utc=:v1:oBc2foZfRtrMSGq0:GWXokkj/+izmWyT3q9tkZJvC6x5jTw=="
"""`encryptionsalt` that fits `PASSPHRASE`; with it in a stack file Pulumi has no reason to rewrite that (adr/0003)."""

_PROVIDERS = {
    "azure-native": ("pulumi-azure-native", "sandbox.providers.azure_native"),
    "kubernetes": ("pulumi-kubernetes", "sandbox.providers.kubernetes"),
}
# Variables that would lead the sandbox's engine or providers to the person's own accounts.
_FOREIGN = ("PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CLOUD_URL", "PULUMI_API")
_FOREIGN_PREFIXES = ("ARM_", "AZURE_")
_SALT_KEYS = re.compile(r"^(?:encryptionsalt|encryptedkey|secretsprovider)\s*:.*$", re.MULTILINE)
_OWN_SALT = re.compile(rf"^encryptionsalt\s*:\s*[\"']?{re.escape(SALT)}[\"']?\s*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Changes to a process's environment.

    Attributes:
        variables: what to set.
        unset: what to take away.
    """

    variables: dict[str, str]
    unset: tuple[str, ...] = ()

    def applied(self) -> dict[str, str]:
        """This process's environment with the changes made."""
        kept = {name: value for name, value in os.environ.items() if name not in self.unset}
        return {**kept, **self.variables}


def sandbox_home(root: Path) -> Path:
    """${GPUFLEET_SANDBOX_HOME}, else `.sandbox` in the checkout."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).absolute() if named else root / ".sandbox"


def prepare_home(root: Path) -> Path:
    """Make the home, or bring it up to date with the installed SDKs, this environment and this checkout.

    Two at once are safe: files appear whole, under a lock.

    Returns:
        the home.

    Raises:
        EngineError: it cannot be written.
    """
    home = sandbox_home(root)
    plugins = home / "pulumi-home" / "plugins"
    wrappers = {
        plugins / f"resource-{name}-v{metadata.version(sdk)}" / f"pulumi-resource-{name}": _wrapper(module)
        for name, (sdk, module) in _PROVIDERS.items()
    }
    # A state may still name the provider of an SDK that was installed before: `destroy` asks for that version.
    for name, (_, module) in _PROVIDERS.items():
        for older in plugins.glob(f"resource-{name}-v*/pulumi-resource-{name}"):
            wrappers[older] = _wrapper(module)
    try:
        with locked(home / "lock", lambda: None):
            for folder in ("state", "cloud", "stacks"):
                (home / folder).mkdir(exist_ok=True)
            write_if_different(home / "passphrase", PASSPHRASE, mode=0o600)
            for path, text in wrappers.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_if_different(path, text, mode=0o755)
            _prepare_engine_home(home / "engine-home", plugins)
    except OSError as error:
        raise EngineError(
            f"cannot prepare the sandbox in {home}: {error.strerror or error}",
            hint=f"Set {HOME_VARIABLE} to a folder that can be written.",
        ) from error
    return home


def _prepare_engine_home(engine_home: Path, plugins: Path) -> None:
    """Make the PULUMI_HOME of the runs that `gpufleet` itself starts.

    A file stands where the engine would make its folder of automatic logs, and it goes without them then: they are a
    third of its work in a large preview (CPU profile of 3.250.0), megabytes a run, and no setting turns them off. What
    `gpufleet` tells comes from the event stream. Plain `pulumi` has another home and keeps its logs (`pulumi logs`).
    """
    engine_home.mkdir(exist_ok=True)
    write_if_different(engine_home / "logs", "No automatic logs here: see gpufleet/engine/sandbox_home.py.\n")
    link = engine_home / "plugins"
    if not link.is_symlink():
        link.symlink_to(Path("..", plugins.parent.name, plugins.name))


def prepare_stacks(root: Path, environments: tuple[str, ...], engine: Engine) -> None:
    """Make the stacks that the sandbox's backend does not have yet, with the CLI itself.

    `pulumi stack init` takes half a second and reads the stack file's salt, so: only for those that are missing, all at
    once, and in a scratch project, where it cannot touch the checkout's stack files.

    Raises:
        EngineError: the CLI refused; its words are in the message.
    """
    home = sandbox_home(root)
    known = home / "state" / ".pulumi" / "stacks" / PROJECT
    with locked(home / "lock", lambda: None):
        missing = [name for name in environments if not (known / f"{name}.json").exists()]
        if not missing:
            return
        scratch = home / "scratch"
        scratch.mkdir(exist_ok=True)
        write_if_different(scratch / "Pulumi.yaml", f"name: {PROJECT}\nruntime: python\n")
        for name in missing:
            write_if_different(scratch / f"Pulumi.{name}.yaml", f"encryptionsalt: {SALT}\n")
        # The first one makes the backend's own files; the rest may then run side by side.
        _init_stack(missing[0], root, engine)
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda name: _init_stack(name, root, engine), missing[1:]))


def sandbox_environment(
    root: Path, engine: Engine, environment: str = "", *, pulumi_home: str = "pulumi-home"
) -> Environment:
    """What makes a plain `pulumi` work in the sandbox.

    Args:
        root: the checkout.
        engine: its folder goes first on PATH.
        environment: stack to select by PULUMI_STACK, "" for none.
        pulumi_home: `pulumi-home` for a person's shell, `engine-home` for runs of our own.
    """
    home = sandbox_home(root)
    variables = {
        **tool_environment(engine).variables,
        "PULUMI_HOME": str(home / pulumi_home),
        "PULUMI_BACKEND_URL": state_url(home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        CLOUD_VARIABLE: str(home / "cloud"),
    }
    if environment:
        variables["PULUMI_STACK"] = environment
    unset = [name for name in os.environ if name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES)]
    return Environment(variables=variables, unset=tuple(sorted(unset)))


def state_url(home: Path) -> str:
    """URL of the state backend.

    Beside every file the backend's library (gocloud.dev/blob/fileblob) keeps another with its attributes, and writes
    that one in place: an engine killed at the wrong moment leaves it empty and the whole stack unreadable ("failed to
    load checkpoint: EOF"). Nobody needs the attributes, so they are left out.
    """
    return f"file://{home / 'state'}?metadata=skip"


def tool_environment(engine: Engine) -> Environment:
    """What makes `pulumi` and `gpufleet` be found and wait for many resources at once, for Azure and sandbox alike."""
    first = [str(engine_folder(engine)), str(Path(sys.prefix) / "bin")]
    rest = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder not in first]
    variables = {"PATH": os.pathsep.join([*first, *rest]), "VIRTUAL_ENV": sys.prefix}
    # The engine's own default is four for each processor, though an operation spends its minutes waiting for Azure: the
    # frontier's pools would be made in 16 waves on two processors. This many writes at once is what Resource Manager
    # takes, and asking for each every 10 seconds stays below its reads.
    variables[PARALLEL_VARIABLE] = os.environ.get(PARALLEL_VARIABLE) or str(operations_at_once())
    return Environment(variables=variables)


def operations_at_once() -> int:
    """Resource operations that Azure takes at once: the burst of Resource Manager's write calls for a subscription."""
    return limits.value("arm.subscription_write_burst")


def config_file_for(root: Path, environment: str, *, sandbox: bool) -> Path:
    """The stack file to give to the engine.

    In the sandbox a file without the sandbox's salt (say, one whose secrets provider is a key vault) is copied with the
    salt in its place: without it the engine would ask for that provider, or rewrite the file. Lines keep their numbers.
    """
    original = stack_file(root, environment)
    if not sandbox:
        return original
    text = original.read_text(encoding="utf-8")
    if carries_sandbox_salt(text):
        return original
    copy = sandbox_home(root) / "stacks" / original.name
    stripped = _SALT_KEYS.sub("# not in the sandbox", text).rstrip("\n")
    copy.parent.mkdir(parents=True, exist_ok=True)
    write_if_different(copy, f"{stripped}\nencryptionsalt: {SALT}\n")
    return copy


def carries_sandbox_salt(text: str) -> bool:
    """Whether a stack file's text names the sandbox's salt, and no other secrets provider."""
    return _OWN_SALT.search(text) is not None and len(_SALT_KEYS.findall(text)) == 1


def _init_stack(name: str, root: Path, engine: Engine) -> None:
    done = subprocess.run(
        [engine.pulumi, "stack", "init", name, "--no-select", "--non-interactive", "--color", "never"],
        cwd=sandbox_home(root) / "scratch",
        env=sandbox_environment(root, engine, pulumi_home="engine-home").applied(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 and "already exists" not in done.stderr:
        raise EngineError(f"cannot make the sandbox's stack {name}: {done.stderr.strip() or done.stdout.strip()}")


def _wrapper(module: str) -> str:
    # -P: the engine starts plugins in the program's folder, which must not shadow a module of ours.
    return f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -u -m {module} "$@"\n'
