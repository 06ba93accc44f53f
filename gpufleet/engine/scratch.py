"""Reading from the cloud with the engine without touching a stack: a refresh in a throw-away copy of its state."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gpufleet.engine.command import CommandFailedError, EngineCommand
from gpufleet.engine.doubts import State
from gpufleet.engine.errors import PendingOperationsError, RunCancelledError
from gpufleet.engine.project import PROJECT
from gpufleet.engine.sandbox_home import state_url


def read_from_cloud(
    state: State, targets: Sequence[str], *, environment: str, config_file: Path, command: EngineCommand
) -> State:
    """What `pulumi refresh --target …` makes of a state.

    The copy is a checkpoint file of the engine's own file backend (pulumi/pulumi: pkg/backend/diy), written here and
    read back: `stack init`, `import` and `export` would start the engine three times more, and ask for a secrets
    provider anew. Secrets stay encrypted as they are.

    Args:
        state: as exported.
        targets: URNs; resources that are not there are missing in the answer.
        environment: name of the stack.
        config_file: the stack file, which says how the state's secrets are encrypted.
        command: runs the engine, with the environment of the stack itself.

    Raises:
        PendingOperationsError: a provider could not read; its words are in the message.
        RunCancelledError: the person stopped it.
    """
    with tempfile.TemporaryDirectory(prefix="gpufleet-") as name:
        home = Path(name)
        checkpoint = home / "state" / ".pulumi" / "stacks" / PROJECT / f"{environment}.json"
        checkpoint.parent.mkdir(parents=True)
        (home / "state" / ".pulumi" / "meta.yaml").write_text("version: 1\n", encoding="utf-8")
        (home / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n", encoding="utf-8")
        shutil.copyfile(config_file, home / f"Pulumi.{environment}.yaml")
        body = {"stack": f"organization/{PROJECT}/{environment}", "latest": state["deployment"]}
        checkpoint.write_text(json.dumps({"version": state["version"], "checkpoint": body}), encoding="utf-8")
        arguments = ["refresh", "--yes", "--skip-preview", "--color", "never", "--stack", environment]
        arguments += [argument for urn in targets for argument in ("--target", urn)]
        backend = {"PULUMI_BACKEND_URL": state_url(home), "PULUMI_STACK": environment}
        try:
            command.run(arguments, name, backend)
        except CommandFailedError as failure:
            if failure.cancelled:
                raise RunCancelledError(f"the repair of {environment} was cancelled; nothing was changed") from None
            raise PendingOperationsError(
                f"{environment}: an earlier run was cut off, and what became of it cannot be looked up: "
                f"{_reason(failure)}",
                hint="Nothing was changed. Once the cloud answers, the same command goes on; for a Kubernetes cluster "
                "that is gone set PULUMI_K8S_DELETE_UNREACHABLE=true.",
            ) from None
        latest = json.loads(checkpoint.read_text(encoding="utf-8"))["checkpoint"]["latest"]
        return {"version": state["version"], "deployment": latest}


def _reason(failure: CommandFailedError) -> str:
    lines = [*failure.result.stdout.splitlines(), *failure.result.stderr.splitlines()]
    said = [line.strip().removeprefix("error: ") for line in lines if line.strip().startswith("error: ")]
    return "; ".join(dict.fromkeys(said)) or f"the engine ended with code {failure.result.code}"
