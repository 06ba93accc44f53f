"""Plain `pulumi` with the three packs, in the sandbox, and what it says of every rule."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpufleet.engine.install import engine_folder, ensure_engine
from gpufleet.engine.project import ROOT, stack_file
from gpufleet.engine.sandbox_home import prepare_home, prepare_stacks, sandbox_environment
from gpufleet.graph import offline
from gpufleet.spec import StackFile, load_environment
from policies import configuration
from policies.catalogue import rules
from policies.evaluate import Verdict, evaluate
from policies.rule import Pack
from policies.view import View
from tests.policies.engine import Said, said_of

Finding = tuple[str, str, str, str]
"""Rule, verdict, URN, first line of what is said."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one way of asking says.

    Attributes:
        code: the command's exit code; 0 of the offline check.
        findings: all of them; two of the same pool count twice.
        passed: ids of rules that have passed; None where the engine doesn't tell.
        own: what the packs say beside their rules.
        output: stdout and stderr.
    """

    code: int = 0
    findings: Counter[Finding]
    passed: frozenset[str] | None
    own: tuple[Said, ...] = ()
    output: str = ""


def offline_answer(stack: str, file: Path, configured: Mapping[str, Any]) -> Answer:
    """What the check without an engine says."""
    environment = load_environment(StackFile.read(file))
    results = evaluate(
        View(graph=offline.plan(stack, environment)), rules(), configuration.parse(configured, rules(), stack)
    )
    return Answer(
        findings=Counter(
            (
                one.rule,
                one.verdict.value,
                one.resource,
                f"{'undecided: ' if one.verdict is Verdict.UNDECIDED else ''}{one.label}: {one.message}",
            )
            for result in results
            for one in result.judgements
        ),
        passed=frozenset(result.rule.id for result in results if result.verdict is Verdict.PASS),
    )


class Engine:
    """A sandbox of its own with one stack.

    Args:
        stack: its name.
        file: its stack file.
        configured: `--policy-pack-config` of all packs.
        folder: for what it writes.
        project: folder of the Pulumi project.
    """

    def __init__(
        self, stack: str, file: Path, configured: Mapping[str, Any], folder: Path, *, project: Path = ROOT
    ) -> None:
        self._stack = stack
        self._project = project
        self._file = file
        self._folder = folder
        engine = ensure_engine()
        prepare_home(ROOT)
        prepare_stacks(ROOT, (stack,), engine)
        self._pulumi = str(engine_folder(engine) / "pulumi")
        # PULUMI_DEBUG_COMMANDS makes `--event-log` known, as the Automation API does.
        self._environment = {
            **sandbox_environment(ROOT, engine, stack, pulumi_home="engine-home").applied(),
            "PULUMI_DEBUG_COMMANDS": "true",
        }
        config = folder / "config.json"
        config.write_text(json.dumps(configured))
        self._packs = [part for pack in Pack for part in ("--policy-pack", str(ROOT / "policies" / pack))]
        self._packs += ["--policy-pack-config", str(config)] * len(Pack)

    def preview(self) -> Answer:
        """`pulumi preview`."""
        return self._logged("preview", "--config-file", str(self._file), *self._packs)

    def up(self, *, packs: bool = True) -> Answer:
        """`pulumi up`."""
        more = self._packs if packs else []
        return self._logged("up", "--yes", "--skip-preview", "--config-file", str(self._file), *more)

    def analyze(self) -> Answer:
        """`pulumi policy analyze` of the exported state."""
        state = self._folder / "state.json"
        state.write_text(self._run("stack", "export").stdout)
        done = self._run("policy", "analyze", "--file", str(state), "--json", *self._packs)
        return _answer(done, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")])

    def state(self) -> str:
        """The state, as text."""
        return self._run("stack", "export").stdout

    def _logged(self, command: str, *arguments: str) -> Answer:
        log = self._folder / f"{command}.json"
        done = self._run(command, *arguments, "--event-log", str(log))
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return _answer(done, events)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._pulumi, *arguments, "--non-interactive", "--color", "never"],
            cwd=self._project,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def committed(stack: str) -> tuple[Path, Mapping[str, Any]]:
    """A committed environment's stack file and configuration of the packs."""
    config = configuration.FOLDER / f"{stack}.json"
    return stack_file(ROOT, stack), json.loads(config.read_text()) if config.is_file() else {}


def _answer(done: subprocess.CompletedProcess[str], events: Iterable[Mapping[str, Any]]) -> Answer:
    said: list[Said] = []
    passed: set[str] = set()
    failed: set[str] = set()
    for event in events:
        if (policy := event.get("policyEvent")) is not None:
            message = policy["message"].replace("<{%reset%}>", "").strip()
            said.append(
                said_of(policy["policyName"], policy["enforcementLevel"], policy.get("resourceUrn", ""), message)
            )
        for kind in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
            if (summary := event.get(kind)) is not None:
                passed.update(summary.get("passed") or ())
                failed.update(summary.get("failed") or ())
    ids = {rule.id for rule in rules()}
    found = [one for one in said if one.verdict != "own"]
    return Answer(
        code=done.returncode,
        findings=Counter((one.policy, one.verdict, one.urn, one.text.splitlines()[0]) for one in found),
        passed=frozenset((passed & ids) - failed - {one.policy for one in found}) if passed else None,
        own=tuple(one for one in said if one.verdict == "own"),
        output=done.stdout + done.stderr,
    )
