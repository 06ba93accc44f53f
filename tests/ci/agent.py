"""What a CI system does with a job's steps, as far as these pipelines need it: scripts, artifacts and conditions."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.ci.checkout import Checkout

Kind = Literal["script", "upload", "download", "file"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        name: shown by the CI system.
        kind: a script; an upload or a download of an artifact; or something that reads a file of the workspace.
        script: for bash.
        shell: bash and its options.
        environment: of the script.
        always: runs after a failure too.
        artifact: its name; empty for all.
        path: of the file, of what is uploaded, or where the artifact goes.
        apart: a download puts each artifact into a folder of its name.
    """

    name: str
    kind: Kind
    script: str = ""
    shell: tuple[str, ...] = ("bash", "--noprofile", "--norc")
    environment: dict[str, str] = field(default_factory=dict)
    always: bool = False
    artifact: str = ""
    path: str = ""
    apart: bool = False


@dataclass(kw_only=True)
class Agent:
    """Runs jobs in one checkout, which stands for the fresh one of each job.

    Attributes:
        artifacts: folder of what jobs have uploaded.
        ran: every script that was run, in order.
        said: what the scripts of the last job wrote to stdout and stderr.
    """

    checkout: Checkout
    artifacts: Path
    ran: list[str] = field(default_factory=list)
    said: str = ""

    def run(self, steps: list[Step]) -> int:
        """Run a job; the exit code of the first script that failed, or 0."""
        shutil.rmtree(self.checkout.folder / "reports", ignore_errors=True)
        self.said = ""
        code = 0
        for step in steps:
            if code and not step.always:
                continue
            if step.kind == "script":
                ended = self._script(step)
                code = code or ended
            else:
                self._files(step)
        return code

    def _script(self, step: Step) -> int:
        self.ran.append(step.script)
        done: subprocess.CompletedProcess[str] = self.checkout.run(*step.shell, "-c", step.script, **step.environment)
        self.said += done.stdout + done.stderr
        return done.returncode

    def _files(self, step: Step) -> None:
        place = self.checkout.folder / step.path
        match step.kind:
            case "upload":
                shutil.rmtree(self.artifacts / step.artifact, ignore_errors=True)
                shutil.copytree(place, self.artifacts / step.artifact)
            case "download":
                names = [step.artifact] if step.artifact else [one.name for one in self.artifacts.iterdir()]
                for name in names:
                    to = place / name if step.apart else place
                    shutil.copytree(self.artifacts / name, to, dirs_exist_ok=True)
            case _:
                assert place.stat().st_size
