"""What the state backend knows about the environments."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gpufleet.engine.errors import BackendError
from gpufleet.engine.install import engine_folder
from gpufleet.engine.locate import Engine
from gpufleet.engine.sandbox_home import prepare_home, sandbox_environment, tool_environment


@dataclass(frozen=True, kw_only=True)
class BackendStack:
    """A stack as the backend lists it.

    Attributes:
        resources: number of resources in its state.
        last_update: ISO 8601 in UTC, "" when it was never updated.
    """

    name: str
    resources: int
    last_update: str


def backend_stacks(root: Path, engine: Engine, *, sandbox: bool) -> dict[str, BackendStack]:
    """The project's stacks in the backend, by name.

    Raises:
        BackendError: not logged in, or the backend does not answer; the CLI's words are in the message.
    """
    if sandbox:
        prepare_home(root)
    changes = sandbox_environment(root, engine, pulumi_home="engine-home") if sandbox else tool_environment(engine)
    done = subprocess.run(
        [engine_folder(engine) / "pulumi", "stack", "ls", "--json", "--non-interactive", "--color", "never"],
        cwd=root,
        env={**changes.applied(), "PULUMI_SKIP_UPDATE_CHECK": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackendError(
            f"the state backend cannot be listed: {done.stderr.strip().removeprefix('error: ')}",
            hint="Log in to the backend that holds the state (`pulumi login …`), or add --sandbox.",
        )
    stacks = [
        BackendStack(
            name=entry["name"].rsplit("/", 1)[-1],
            resources=entry.get("resourceCount") or 0,
            # A stack that was only made has a date of its own; what people ask is when it was last brought up to date.
            last_update=(entry.get("lastUpdate") or "") if entry.get("resourceCount") else "",
        )
        for entry in json.loads(done.stdout)
    ]
    return {stack.name: stack for stack in stacks}
