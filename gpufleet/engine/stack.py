"""The one door to Pulumi: preview, up, destroy and refresh of one environment, on Azure or in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gpufleet.engine.results import OnEvent, RunOptions, RunResult


class EnvironmentStack:
    """One environment's Pulumi stack.

    The programme runs inline (`components.program.main`), in this process: no language host to start. `pulumi up` in a
    shell runs the same programme through `__main__.py` and leaves the same state.

    Args:
        environment: name of the stack, as in `stacks/Pulumi.<environment>.yaml`.
        root: folder of `Pulumi.yaml`.
        sandbox: use the sandbox's home, state and providers instead of Azure and the person's own backend.

    Raises:
        ConfigurationError: there is no stack file of that name.
    """

    def __init__(self, environment: str, *, root: Path, sandbox: bool) -> None:
        self.environment = environment
        self.root = root
        self.sandbox = sandbox

    def preview(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Say what `up` would do.

        Raises:
            EngineError: see `gpufleet.engine.errors`; `error.result` holds what had happened until then.
        """
        raise NotImplementedError

    def up(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Create or update the environment; the stack is created when the backend does not have it yet."""
        raise NotImplementedError

    def preview_destroy(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Say what `destroy` would delete (`pulumi destroy --preview-only`); nothing is touched, protected ones are listed."""
        raise NotImplementedError

    def destroy(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Delete every resource of the environment; protected ones stop it. The (empty) stack stays."""
        raise NotImplementedError

    def refresh(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Read every resource from the cloud into the state."""
        raise NotImplementedError

    def outputs(self) -> Mapping[str, object]:
        """Outputs of the last `up`, secrets as `results.SECRET`."""
        raise NotImplementedError

    def export(self) -> Mapping[str, object]:
        """The state as `pulumi stack export` gives it (secrets encrypted): `{"version": 3, "deployment": {…}}`."""
        raise NotImplementedError
