"""Killing a run of dev at a chosen moment, and what must be true after the next run.

A moment is made from a seed alone: which command, who dies, how far the cloud has come by then. Progress is counted in
transactions of the sandbox's journal, not in seconds, so that a slow machine kills at the same places.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpufleet.engine.install import engine_folder, ensure_engine
from gpufleet.engine.project import PROJECT, ROOT
from gpufleet.engine.sandbox_home import HOME_VARIABLE, sandbox_environment
from sandbox.inventory import items
from sandbox.store import Store

COMMANDS = ("up", "up", "destroy", "refresh")
VICTIMS = ("engine", "azure provider", "kubernetes provider", "program", "everything")
_MARKS = {
    "azure provider": "sandbox.providers.azure_native",
    "kubernetes provider": "sandbox.providers.kubernetes",
    "language host": "tools.language_host",
}
_PATIENCE_SECONDS = 240.0
_GPUFLEET = [sys.executable, "-c", "from gpufleet.cli.app import main; main()"]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When who dies.

    Attributes:
        tool: `gpufleet`, or plain `pulumi`.
        command: what is running.
        victim: whose process is killed.
        share: how far the run has come, from 0 to 1.
        pause: seconds to wait after that point.
        after: the command that has to finish then.
    """

    seed: int
    tool: str
    command: str
    victim: str
    share: float
    pause: float
    after: str

    @classmethod
    def of(cls, seed: int) -> Moment:
        """The moment of a seed: commands and victims by turns, the rest by chance."""
        chance = random.Random(seed)
        command = COMMANDS[seed % len(COMMANDS)]
        victim = VICTIMS[seed // len(COMMANDS) % len(VICTIMS)]
        # Plain Pulumi forgets what its provider did not answer to (docs/guides/recovery.md, "Limits").
        plain = command != "refresh" and "provider" not in victim and chance.random() < 0.3
        if victim == "program" and plain and command == "up":
            victim = "language host"
        after = {"up": ("up", "up", "up", "destroy"), "destroy": ("destroy", "up"), "refresh": ("refresh", "up")}
        return cls(
            seed=seed,
            tool="pulumi" if plain else "gpufleet",
            command=command,
            victim=victim,
            share=chance.uniform(0.0, 0.95),
            pause=chance.uniform(0.0, 0.06),
            after=chance.choice(after[command]),
        )


class Home:
    """A sandbox home with dev in it, or without."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "GPUFLEET_"))}
        cached = {name: os.environ[name] for name in ("GPUFLEET_CACHE",) if name in os.environ}
        self.environment = {**kept, **cached, HOME_VARIABLE: str(path), "NO_COLOR": "1"}

    def copy(self, path: Path) -> Home:
        """The same again elsewhere."""
        shutil.copytree(self.path, path, symlinks=True)
        return Home(path)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `gpufleet` to its end."""
        return subprocess.run(
            [*_GPUFLEET, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )

    def start(self, moment: Moment) -> subprocess.Popen[bytes]:
        """Begin the run that is to be killed."""
        environment, command = self.environment, [*_GPUFLEET, moment.command, "dev", "--sandbox", "--yes"]
        if moment.tool == "pulumi":
            engine = ensure_engine()
            before = dict(os.environ)
            os.environ[HOME_VARIABLE] = str(self.path)
            try:
                environment = {**sandbox_environment(ROOT, engine, "dev").applied(), HOME_VARIABLE: str(self.path)}
            finally:
                os.environ.clear()
                os.environ.update(before)
            pulumi = str(engine_folder(engine) / "pulumi")
            command = [pulumi, moment.command, "--yes", "--skip-preview", "--non-interactive", "--stack", "dev"]
        elif moment.command == "up":
            command.append("--skip-preview")
        with (self.path / "killed.log").open("wb") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)

    @property
    def transactions(self) -> int:
        """How many lines the cloud's journal has."""
        try:
            return (self.path / "cloud" / "cloud.jsonl").read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def cloud(self) -> Counter[tuple[str, str]]:
        """Everything that exists: type and id; of Kubernetes objects kind and address, whichever cluster has them."""
        store = Store(self.path / "cloud")
        try:
            return Counter(_key(item.type, item.id) for item in items(store))
        finally:
            store.close()

    def remade(self) -> list[str]:
        """What was created more than once."""
        store = Store(self.path / "cloud")
        try:
            store.items()
            return [key for key, count in store.generations.items() if count > 1]
        finally:
            store.close()

    def state(self) -> Counter[tuple[str, str]]:
        """Everything that the state knows, in the same form as `cloud`; nothing may be pending in it."""
        file = self.path / "state" / ".pulumi" / "stacks" / PROJECT / "dev.json"
        latest = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}
        assert not latest.get("pending_operations"), "the state still has pending operations"
        found: Counter[tuple[str, str]] = Counter()
        for resource in latest.get("resources", []):
            if resource.get("custom") and not resource["type"].startswith("pulumi:"):
                kind = resource["type"].partition(":")[2]
                found[_key(kind, resource["id"])] += 1
                assert not resource.get("initErrors"), resource["urn"]
        return found

    def locks(self) -> list[Path]:
        """Lock files that are left."""
        return sorted((self.path / "state" / ".pulumi" / "locks").rglob("*.json"))


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What undisturbed runs leave.

    Attributes:
        up: a home in which dev stands.
        fresh: a home in which it never did.
        empty: what the cloud of the latter holds.
        made: transactions of the cloud's journal that `up` takes; `destroy` takes about as many.
    """

    up: Home
    fresh: Home
    empty: Counter[tuple[str, str]]
    made: int


def _key(kind: str, identity: str) -> tuple[str, str]:
    if "//" in identity or not identity.startswith("/"):
        short = kind.rpartition(":")[2]
        parts = identity.partition("//")[2].split("/") if "//" in identity else identity.split("/")
        # Of `apps/v1/Deployment/ns/name` what follows the kind.
        address = parts[parts.index(short) + 1 :] if short in parts else parts
        return short, "/".join(address)
    return kind, identity.lower()


def _nameless(found: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """The same without the names that differ from run to run: a role assignment's is a random GUID."""
    plain: Counter[tuple[str, str]] = Counter()
    for (kind, identity), count in found.items():
        plain[kind, identity.rpartition("/")[0] if kind.endswith(":RoleAssignment") else identity] += count
    return plain


def kill(home: Home, moment: Moment, whole: int) -> bool:
    """Run, and kill when the moment has come.

    Args:
        home: what to run in.
        moment: who and when.
        whole: transactions that an undisturbed run takes.

    Returns:
        whether somebody was killed; a run that ended before had no such process left.
    """
    begin = home.transactions
    process = home.start(moment)
    wanted = begin + int(moment.share * whole)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        # A refresh changes nothing in the cloud: its progress is time since the engine began.
        _wait(lambda: process.poll() is not None or _victims(process, "engine", moment.tool) != [], deadline)
        pause = moment.pause
        if moment.command == "refresh":
            pause += moment.share * 2.5
        else:
            _wait(lambda: process.poll() is not None or home.transactions >= wanted, deadline)
        time.sleep(pause)
        _wait(lambda: process.poll() is not None or _victims(process, moment.victim, moment.tool) != [], deadline)
        family = [process.pid, *descendants(process.pid)]
        victims = _victims(process, moment.victim, moment.tool) if process.poll() is None else []
        for victim in victims:
            _end(victim)
        process.wait(_PATIENCE_SECONDS)
        _wait(lambda: not any(runs(pid) for pid in family), deadline)
        assert not any(runs(pid) for pid in family), "processes of the killed run are still there"
        return bool(victims)
    finally:
        for pid in [process.pid, *descendants(process.pid)]:
            _end(pid)
        process.wait()


def _victims(process: subprocess.Popen[bytes], victim: str, tool: str) -> list[int]:
    below = descendants(process.pid)
    if victim == "everything":
        return [process.pid, *below]
    if victim == "program" or (victim == "engine" and tool == "pulumi"):
        return [process.pid]
    if victim == "engine":
        return [pid for pid in below if _command(pid)[:1] and _command(pid)[0].endswith("/pulumi")]
    return [pid for pid in below if _MARKS[victim] in _command(pid)]


def _wait(condition: Callable[[], bool], deadline: float) -> None:
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)


def descendants(pid: int) -> list[int]:
    """Processes that a process has begun, and theirs."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))):
            children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        for child in children.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def runs(pid: int) -> bool:
    """Whether a process is there, and not just waiting to be reaped."""
    fields = _fields(pid)
    return bool(fields) and fields[0] != "Z"


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _end(pid: int) -> None:
    if runs(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def check(home: Home, moment: Moment, reference: Home, empty: Counter[tuple[str, str]]) -> None:
    """Run the next command, and see that nothing was lost, made twice or left alone.

    Args:
        home: after the kill.
        moment: what happened.
        reference: a home in which dev came up undisturbed.
        empty: what a cloud holds in which dev never was.
    """
    done = home.run(moment.after, "dev", "--sandbox", "--yes")
    said = (
        f"{moment}\n{(home.path / 'killed.log').read_text(errors='replace')[-4000:]}\n---\n{done.stderr}{done.stdout}"
    )
    assert done.returncode == 0, said
    assert "Traceback" not in said, said
    assert home.locks() == [], said
    if moment.after == "destroy":
        assert home.cloud() == empty, said
        assert not home.state(), said
        return
    cloud, state, undisturbed = home.cloud(), home.state(), reference.cloud()
    # What Azure makes by itself (the clusters' node resource groups) is in no state.
    assert cloud - state == undisturbed - reference.state(), said
    assert not state - cloud, said
    more, less = _nameless(cloud) - _nameless(undisturbed), _nameless(undisturbed) - _nameless(cloud)
    assert not more, f"made twice, or under two names: {more}\n{said}"
    assert not less, f"missing: {less}\n{said}"
    if moment.command != "destroy":
        assert home.remade() == [], said
    for follow in (("preview", "dev"), ("refresh", "dev", "--preview-only")):
        again = home.run(*follow, "--sandbox", "--expect-no-changes")
        assert again.returncode == 0, f"{said}\n--- {follow}\n{again.stdout}{again.stderr}"
