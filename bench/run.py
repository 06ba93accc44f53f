"""What is measured: the frontier's preview with and without version aliases, and `up` of every stack, in the sandbox.

Beside that, `gpufleet check` against a bare import and a preview (`bench.checks`), a large placement
(`bench.placement`), the rules offline, beside conftest and in a preview (`bench.policies`), what the sandbox's provider
adds to a create (`bench.creates`), and memory (`bench.memory`).
Every figure is wall clock of a whole command, started anew, as a person waits for it. All of them come from one run on
one machine, so their ratios mean something; nothing here passes or fails.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench import checks, critical_path, placement, policies
from bench.creates import added_milliseconds
from bench.memory import PeakMemory
from gpufleet.engine.install import ensure_engine
from gpufleet.engine.locate import Engine
from gpufleet.engine.project import ROOT, stack_files
from gpufleet.engine.sandbox_home import (
    HOME_VARIABLE,
    SALT,
    config_file_for,
    prepare_home,
    prepare_stacks,
    sandbox_environment,
)

FRONTIER = "frontier"
UNTRIMMED = "pulumi preview frontier, aliases kept"
TRIMMED = "pulumi preview frontier"
OURS = "gpufleet preview frontier"
ONE = "pulumi preview, one resource"
_PACKAGES = ("pulumi", "pulumi-azure-native", "pulumi-kubernetes")
_ONE_RESOURCE = """import pulumi_azure_native.resources as resources

resources.ResourceGroup("one", location="eastus", resource_group_name="rg-one")
"""


@dataclass
class Report:
    """Everything that was measured.

    Attributes:
        seconds: per command, one figure a repetition.
        resources: per stack, resources that its `up` makes, components included.
        megabytes: per command and process, the most memory it had resident, one figure a repetition.
        milliseconds: what is measured inside a process (`bench.placement`, `bench.creates`), one figure a repetition.
        critical_paths: `up` at latency scales beside what Azure itself orders, one a round.
    """

    about: dict[str, str]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=dict)
    megabytes: dict[str, list[float]] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    critical_paths: list[critical_path.Measured] = field(default_factory=list)

    def median(self, name: str) -> float:
        """Median of a command's figures."""
        return statistics.median(self.seconds[name])

    def ratios(self) -> dict[str, float]:
        """How many times faster the second is than the first."""
        pairs = (
            (UNTRIMMED, OURS),
            (UNTRIMMED, TRIMMED),
            (TRIMMED, OURS),
            *checks.pairs(TRIMMED),
            *placement.pairs(checks.BARE),
            (policies.WITH_PACKS, checks.PREVIEW_PROD),
        )
        return {f"{slow} / {fast}": round(self.median(slow) / self.median(fast), 2) for slow, fast in pairs}


def measure(stacks: list[str], repeat: int) -> Report:
    """Run everything `repeat` times.

    Args:
        stacks: environments to bring up.
        repeat: at least 1.
    """
    engine = ensure_engine()
    report = Report(about=_about(engine, repeat))
    # Nobody's Python compiles the same sources again in every run, unless told to.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for round_number in range(1, repeat + 1):
        with _fresh_sandbox(engine, stacks) as folder:
            _say(f"round {round_number} of {repeat}")
            for name, command, where in _previews(engine, folder):
                report.seconds.setdefault(name, []).append(_timed(report, name, command, where, engine))
            for name, command, where, more in checks.commands(folder / "checks"):
                report.seconds.setdefault(name, []).append(_timed(report, name, command, where, engine, more=more))
            for name, command, where in placement.commands():
                report.seconds.setdefault(name, []).append(_timed(report, name, command, where, engine))
            for name, command, where in policies.commands():
                report.seconds.setdefault(name, []).append(_timed(report, name, command, where, engine))
            figures = {
                **placement.solved_milliseconds(),
                **added_milliseconds(folder / "creates"),
                **policies.milliseconds(folder / "policies"),
            }
            for figure, value in figures.items():
                report.milliseconds.setdefault(figure, []).append(value)
                _say(f"{value:8.1f} ms {figure}")
            for stack in stacks:
                _up(report, stack, folder, engine)
            large = [stack for stack in critical_path.ENVIRONMENTS if stack in stacks]
            for environment, scale in itertools.product(large, critical_path.SCALES):
                report.critical_paths.append(_critical_path(environment, scale, folder, engine))
    return report


def write(report: Report, folder: Path) -> None:
    """Write `<date>.json` and `<date>.md`, and show the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = report.about["date"][:10]
    medians = {name: round(report.median(name), 2) for name in report.seconds}
    body = {
        "schemaVersion": 1,
        "kind": "bench",
        "about": report.about,
        "medianSeconds": medians,
        "seconds": {name: [round(value, 2) for value in values] for name, values in report.seconds.items()},
        "resources": report.resources,
        "peakMegabytes": {name: round(max(values), 1) for name, values in report.megabytes.items()},
        "milliseconds": {name: [round(value, 2) for value in values] for name, values in report.milliseconds.items()},
        "ratios": report.ratios(),
        "criticalPaths": [asdict(one) for one in report.critical_paths],
    }
    (folder / f"{stem}.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    text = _markdown(report, medians)
    (folder / f"{stem}.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _previews(engine: Engine, folder: Path) -> Iterator[tuple[str, list[str], Path]]:
    kept = folder / "kept.yaml"
    stack_file = config_file_for(ROOT, FRONTIER, sandbox=True).read_text(encoding="utf-8")
    kept.write_text(stack_file.replace("\nconfig:\n", "\nconfig:\n  gpufleet:keepVersionAliases: true\n", 1))
    one = folder / "one"
    if not one.exists():
        one.mkdir()
        options = f"  options: {{ virtualenv: {sys.prefix} }}\n"
        (one / "Pulumi.yaml").write_text(f"name: one\nruntime:\n  name: python\n{options}")
        (one / "Pulumi.one.yaml").write_text(f"encryptionsalt: {SALT}\n")
        (one / "__main__.py").write_text(_ONE_RESOURCE)
        _run([str(engine.pulumi), "stack", "init", "one", "--non-interactive"], one, engine)
    preview = ["pulumi", "preview", "--non-interactive", "--stack"]
    yield UNTRIMMED, [*preview, FRONTIER, "--config-file", str(kept)], ROOT
    yield TRIMMED, [*preview, FRONTIER], ROOT
    yield OURS, [str(Path(sys.prefix) / "bin" / "gpufleet"), "preview", FRONTIER, "--sandbox"], ROOT
    yield ONE, [*preview, "one"], one


def _up(report: Report, stack: str, folder: Path, engine: Engine) -> None:
    """First `up`, and a second that finds nothing to do; both preview first, as `gpufleet up` does."""
    out = folder / f"{stack}.json"
    command = [str(Path(sys.prefix) / "bin" / "gpufleet"), "up", stack, "--sandbox", "--yes", "--format", "json"]
    for name, more in ((f"gpufleet up {stack}", []), (f"gpufleet up {stack}, again", ["--expect-no-changes"])):
        seconds = _timed(report, name, [*command, "--output", str(out), *more], ROOT, engine)
        report.seconds.setdefault(name, []).append(seconds)
        if not more:
            report.resources[stack] = json.loads(out.read_text(encoding="utf-8"))["changes"].get("create", 0)


def _critical_path(environment: str, scale: float, folder: Path, engine: Engine) -> critical_path.Measured:
    """`up` at a latency scale, in a process and a sandbox of its own."""
    out = folder / f"{environment}-{scale:g}.json"
    _run([sys.executable, "-m", "bench.critical_path", environment, f"{scale:g}", str(out)], ROOT, engine)
    measured = critical_path.Measured.read(out)
    _say(f"{measured.wall:8.2f} s  up {environment} at {scale:g} of Azure's time: {measured.ratio:.2f} times its path")
    return measured


@contextmanager
def _fresh_sandbox(engine: Engine, stacks: list[str]) -> Iterator[Path]:
    """A sandbox home of its own, with the stacks made: making one is set-up, not part of a preview or an `up`."""
    before = os.environ.get(HOME_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="gpufleet-bench-") as name:
        os.environ[HOME_VARIABLE] = str(Path(name) / "sandbox")
        try:
            prepare_home(ROOT)
            prepare_stacks(ROOT, tuple({*stacks, FRONTIER, *checks.STACKS} & set(stack_files(ROOT))), engine)
            yield Path(name)
        finally:
            os.environ.pop(HOME_VARIABLE)
            if before is not None:
                os.environ[HOME_VARIABLE] = before


def _timed(
    report: Report,
    name: str,
    command: list[str],
    where: Path,
    engine: Engine,
    *,
    more: Mapping[str, str] | None = None,
) -> float:
    begun = time.perf_counter()
    peaks = _run(command, where, engine, more=more)
    seconds = time.perf_counter() - begun
    _say(f"{seconds:8.2f} s  {name}")
    if FRONTIER in name:
        for role, megabytes in peaks.items():
            report.megabytes.setdefault(f"{name}: {role}", []).append(megabytes)
    return seconds


def _run(command: list[str], where: Path, engine: Engine, *, more: Mapping[str, str] | None = None) -> dict[str, float]:
    environment: Mapping[str, str] = {**sandbox_environment(ROOT, engine).applied(), **(more or {})}
    executable = shutil.which(command[0], path=environment["PATH"]) or command[0]
    with subprocess.Popen(
        [executable, *command[1:]],
        cwd=where,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        memory = PeakMemory(process.pid)
        stdout, stderr = process.communicate()
        peaks = memory.stop()
    if process.returncode != 0:
        _say(stdout[-4000:])
        _say(stderr[-4000:])
        raise SystemExit(f"bench: {' '.join(command)} ended with code {process.returncode}")
    return peaks


def _about(engine: Engine, repeat: int) -> dict[str, str]:
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": git.stdout.strip() or "unknown",
        "repeat": str(repeat),
        "cores": str(os.cpu_count()),
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "engine": f"{engine.version} ({engine.origin.value})",
        **{package: metadata.version(package) for package in _PACKAGES},
    }


def _markdown(report: Report, medians: Mapping[str, float]) -> str:
    lines = [f"# Bench {report.about['date'][:10]}", ""]
    lines += [f"- {key}: {value}" for key, value in report.about.items()]
    lines += ["", "Wall clock of whole commands in the sandbox, seconds.", ""]
    lines += ["| command | median | all |", "|---|---:|---|"]
    for name, values in report.seconds.items():
        every = ", ".join(f"{value:.2f}" for value in values)
        lines.append(f"| {name} | {medians[name]:.2f} | {every} |")
    lines += ["", "| ratio | times |", "|---|---:|"]
    lines += [f"| {name} | {value:.2f} |" for name, value in report.ratios().items()]
    lines += ["", "| inside a process | median ms | all |", "|---|---:|---|"]
    for name, values in report.milliseconds.items():
        every = ", ".join(f"{value:.2f}" for value in values)
        lines.append(f"| {name} | {statistics.median(values):.2f} | {every} |")
    lines += ["", "| process | most memory resident, MB |", "|---|---:|"]
    lines += [f"| {name} | {max(values):.0f} |" for name, values in report.megabytes.items()]
    lines += ["", "| stack | resources made, components included |", "|---|---:|"]
    lines += [f"| {name} | {count} |" for name, count in report.resources.items()]
    lines += critical_path.markdown(report.critical_paths)
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
