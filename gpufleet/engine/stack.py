"""The one door to Pulumi: preview, up, destroy and refresh of one environment, on Azure or in the sandbox."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gpufleet.engine.command import unstoppable
from gpufleet.engine.doubts import Doubt, State, doubts, lost, marked
from gpufleet.engine.errors import PendingOperationsError, StackLockedError, StackMissingError
from gpufleet.engine.install import ensure_engine
from gpufleet.engine.kubeconfigs import kubeconfigs_of
from gpufleet.engine.locks import locks_beside
from gpufleet.engine.project import stack_file
from gpufleet.engine.recovery import Repaired, repair
from gpufleet.engine.results import FailedOperation, OnEvent, RunKind, RunOptions, RunResult
from gpufleet.engine.run import Place, Program, Run, preload
from gpufleet.engine.sandbox_home import CLOUD_VARIABLE, prepare_home, prepare_stacks
from gpufleet.engine.scratch import read_from_cloud
from gpufleet.engine.subscription import subscription_id
from gpufleet.errors import ConfigurationError

# The secrets provider of Pulumi Cloud: a copy of the state in a folder could not be decrypted, nor be put back.
_CLOUD_SECRETS = "service"
_EMPTY: State = {"version": 3, "deployment": {}}


class EnvironmentStack:
    """One environment's Pulumi stack.

    The program runs inline (`components.program.main`), in this process: no language host to start. `pulumi up` in a
    shell runs the same program through `__main__.py` and leaves the same state.

    Args:
        environment: name of the stack, as in `stacks/Pulumi.<environment>.yaml`.
        root: folder of `Pulumi.yaml`.
        sandbox: use the sandbox's home, state and providers instead of Azure and the person's own backend.
        program: what to run instead of `components.program.main`.

    Raises:
        StackMissingError: there is no stack file of that name.
        EngineUnavailableError: there is no Pulumi engine, and none can be had.
        ConfigurationError: this shell is set for the sandbox, but `sandbox` is false.
    """

    def __init__(self, environment: str, *, root: Path, sandbox: bool, program: Program | None = None) -> None:
        stack_file(root, environment)
        if not sandbox and CLOUD_VARIABLE in os.environ:
            raise ConfigurationError(
                "this shell is set for the sandbox (by `gpufleet env --sandbox`), but the run is meant for Azure",
                hint='Add --sandbox, or leave the sandbox: eval "$(gpufleet env ENV)" or a new shell.',
            )
        self.environment = environment
        self.root = root
        self.sandbox = sandbox
        self.engine = ensure_engine()
        self._place = Place(environment=environment, root=root, sandbox=sandbox, engine=self.engine, program=program)
        if sandbox:
            prepare_home(root)
            prepare_stacks(root, (environment,), self.engine)

    def preview(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Say what `up` would do.

        Raises:
            EngineError: see `gpufleet.engine.errors`; `error.result` holds what had happened until then.
            GpufleetError: what the program itself raised, for example a stack file's mistakes.
        """
        run = Run(self._place, RunKind.PREVIEW, options, on_event)
        return run.with_program(
            lambda stack: stack.preview(
                **run.common,
                message=options.message or None,
                policy_packs=list(options.policy_packs) or None,
                policy_pack_configs=list(options.policy_pack_configs) or None,
                expect_no_changes=options.expect_no_changes or None,
                refresh=options.refresh or None,
            )
        )

    def up(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Create or update the environment; the stack is made when the backend does not have it yet.

        Raises:
            EngineError: see `preview`.
            GpufleetError: see `preview`.
        """
        run = Run(self._place, RunKind.UP, options, on_event)
        return run.with_program(
            lambda stack: stack.up(
                **run.common,
                message=options.message or None,
                policy_packs=list(options.policy_packs) or None,
                policy_pack_configs=list(options.policy_pack_configs) or None,
                expect_no_changes=options.expect_no_changes or None,
                continue_on_error=options.continue_on_error or None,
                refresh=options.refresh or None,
            )
        )

    def preview_destroy(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Say what `destroy` would delete (`pulumi destroy --preview-only`); nothing is touched.

        Raises:
            EngineError: see `preview`.
        """
        run = Run(self._place, RunKind.DESTROY, options, on_event)
        return run.without_program(
            lambda stack: stack.preview_destroy(
                **run.common,
                refresh=options.refresh or None,
            )
        )

    def destroy(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Delete every resource of the environment; protected ones stop it. The (empty) stack stays.

        Raises:
            EngineError: see `preview`.
        """
        run = Run(self._place, RunKind.DESTROY, options, on_event)
        return run.without_program(
            lambda stack: stack.destroy(
                **run.common,
                message=options.message or None,
                continue_on_error=options.continue_on_error or None,
                refresh=options.refresh or None,
            )
        )

    def refresh(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Read every resource from the cloud into the state.

        Raises:
            EngineError: see `preview`.
        """
        run = Run(self._place, RunKind.REFRESH, options, on_event)
        return run.without_program(
            lambda stack: stack.refresh(
                **run.common,
                message=options.message or None,
                expect_no_changes=options.expect_no_changes or None,
            )
        )

    def preview_refresh(self, options: RunOptions = RunOptions(), *, on_event: OnEvent | None = None) -> RunResult:
        """Say what `refresh` would write into the state; nothing is changed.

        Raises:
            EngineError: see `preview`.
        """
        run = Run(self._place, RunKind.REFRESH, options, on_event)
        return run.without_program(
            lambda stack: stack.preview_refresh(
                **run.common,
                expect_no_changes=options.expect_no_changes or None,
            )
        )

    def outputs(self) -> Mapping[str, object]:
        """Outputs of the last `up`, secrets as `results.SECRET`; empty before the first one.

        Raises:
            EngineError: see `preview`.
        """
        return self._json(["stack", "output", "--json"])

    def export(self) -> State:
        """The state as `pulumi stack export` gives it (secrets encrypted): `{"version": 3, "deployment": {…}}`.

        A stack that the backend does not have yet has an empty one.

        Raises:
            EngineError: see `preview`.
        """
        try:
            return self._json(["stack", "export"])
        except StackMissingError:
            return _EMPTY

    def kubeconfigs(self) -> Mapping[str, str]:
        """The kubeconfig of every cluster, by the cluster's ARM id in lower case, as the last `up` left them.

        The rest of what is decrypted on the way is dropped here.

        Raises:
            EngineError: see `preview`.
        """
        state = self._json(["stack", "export", "--show-secrets"])
        return kubeconfigs_of(state)

    def in_doubt(self, state: State) -> tuple[Doubt, ...]:
        """The operations of a state that nobody knows the end of; none after a run that came to its own end.

        Args:
            state: from `export`.
        """
        return doubts(state, subscription=self.subscription())

    def repair(self, state: State, found: Sequence[Doubt]) -> tuple[Repaired, ...]:
        """Look up in the cloud what is in doubt, and put the result into the state.

        Args:
            state: from `export`.
            found: from `in_doubt`.

        Raises:
            StackLockedError: another run is under way, and what is in doubt is its own.
            PendingOperationsError: an id is not known, a provider cannot read, or the state was changed meanwhile;
                nothing was changed by this call.
            EngineError: see `preview`.
        """
        if (state["deployment"].get("secrets_providers") or {}).get("type") == _CLOUD_SECRETS:
            raise PendingOperationsError(
                f"{self.environment}: an earlier run was cut off while {_listed(found)}",
                hint="Pulumi Cloud encrypts this state, so it cannot be looked into here. Look what exists, take it in "
                f"with `pulumi import TYPE NAME ID --stack {self.environment}`, then remove the notes:\n"
                f"  pulumi refresh --clear-pending-creates --yes --skip-preview --stack {self.environment}",
            )
        run = Run(self._place, RunKind.REFRESH, RunOptions(), None)
        self._require_unlocked(run.state_file)
        config_file = self._place.config_file

        def read(copy: State, targets: Sequence[str]) -> State:
            return read_from_cloud(
                copy, targets, environment=self.environment, config_file=config_file, command=run.command
            )

        whole, repaired = repair(state, found, environment=self.environment, read=read)
        self._replace(state, whole)
        return repaired

    def settle(self, failed: Sequence[FailedOperation], *, look: bool = True) -> tuple[Repaired, ...]:
        """After a run: find out what became of operations whose provider died or whose answer was lost.

        They are marked in the state first, so that the next run goes on when this one cannot.

        Args:
            failed: the run's failed operations.
            look: ask the cloud now; without it they are only marked.

        Raises:
            EngineError: see `repair`.
        """
        with unstoppable():  # a second Ctrl-C would lose for good what the first has cut off
            state = self.export()
            found = lost(failed, state, subscription=self.subscription())
            if not found:
                return ()
            self._replace(state, marked(state, found))
        if not look:
            return ()
        state = self.export()
        return self.repair(state, self.in_doubt(state))

    @contextmanager
    def frozen(self, edit: Callable[[str], str] | None = None) -> Iterator[Path]:
        """Inside, every run reads the stack file as it is now, whatever becomes of it meanwhile.

        Args:
            edit: makes the text that they read from the stack file's.

        Yields:
            the copy that they read.
        """
        before = self._place
        with tempfile.TemporaryDirectory(prefix="gpufleet-") as folder:  # for this user's eyes alone
            copy = Path(folder) / before.config_file.name
            text = before.config_file.read_text(encoding="utf-8")
            copy.write_text(text if edit is None else edit(text), encoding="utf-8")
            self._place = replace(before, frozen=copy)
            try:
                yield copy
            finally:
                self._place = before

    def preload(self) -> None:
        """Begin to load the program while something else takes its time."""
        if self._place.program is None:
            preload()

    def unprotect(self, urns: Sequence[str]) -> None:
        """Take the protection off some resources, in the state (the next `up` puts back what the program says).

        Raises:
            EngineError: see `preview`.
        """
        if urns:
            run = Run(self._place, RunKind.DESTROY, RunOptions(), None)
            run.cli(["state", "unprotect", *urns, "--yes", "--stack", self.environment])

    def subscription(self) -> str:
        """The GUID of the Azure subscription that runs act on, "" when it is not known before one."""
        return subscription_id(self._place.config_file, sandbox=self.sandbox)

    def _require_unlocked(self, state: Path | None) -> None:
        """An export takes no lock, so what it shows as cut off may be what another run is at.

        Looked at where the state is a folder; elsewhere the import at the end of a repair meets the lock.
        """
        alive = [lock for lock in locks_beside(state) if not lock.dead] if state is not None else []
        if alive:
            raise StackLockedError(
                f"{self.environment} is locked by {'; '.join(lock.holder for lock in alive)}",
                hint="Wait for the other run.",
                locks=tuple(alive),
            )

    def _replace(self, before: State, after: State) -> None:
        """Put a state in the place of the one it was made from.

        `pulumi stack import` takes the stack's lock for the moment of writing only, so whether another run came in
        between is looked at right before.
        """
        if self.export() != before:
            raise PendingOperationsError(
                f"{self.environment}: another run has changed the state meanwhile; nothing was repaired",
                hint="Run the same command again.",
            )
        run = Run(self._place, RunKind.REFRESH, RunOptions(), None)
        with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="gpufleet-", encoding="utf-8") as file:
            json.dump(after, file)
            file.flush()
            run.cli(["stack", "import", "--file", file.name, "--stack", self.environment])

    def _json(self, arguments: list[str]) -> Mapping[str, object]:
        run = Run(self._place, RunKind.REFRESH, RunOptions(), None)
        parsed: Mapping[str, object] = json.loads(run.cli([*arguments, "--stack", self.environment]))
        return parsed


def _listed(found: Sequence[Doubt]) -> str:
    return ", ".join(f"{doubt.operation} {doubt.label}" for doubt in found)
