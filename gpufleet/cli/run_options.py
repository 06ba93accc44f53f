"""The options that `up`, `preview`, `refresh` and `destroy` have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format
from gpufleet.cli.policy_packs import configured_packs

if TYPE_CHECKING:
    from gpufleet.engine import RunOptions


def complete_environment(incomplete: str) -> list[str]:
    """Environments for shell completion."""
    from gpufleet.engine.project import ROOT, stack_files

    return [name for name in stack_files(ROOT) if name.startswith(incomplete)]


EnvironmentArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENV", help="Environment, as in stacks/Pulumi.ENV.yaml.", autocompletion=complete_environment
    ),
]
SandboxOption = Annotated[
    bool, typer.Option("--sandbox", help="Use the embedded sandbox: real engine, no Azure, no account, no cost.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
SkipPreviewOption = Annotated[
    bool, typer.Option("--skip-preview", help="Don't preview first; needs --yes, for there is nothing to agree to.")
]
RefreshOption = Annotated[bool, typer.Option("--refresh", "-r", help="Read every resource from the cloud first.")]
TargetOption = Annotated[
    list[str] | None,
    typer.Option("--target", "-t", metavar="URN", help="Only this resource; repeatable, * and ** as in Pulumi."),
]
TargetDependentsOption = Annotated[
    bool, typer.Option("--target-dependents", help="With --target: also what depends on those.")
]
ParallelOption = Annotated[
    int | None, typer.Option("--parallel", "-p", min=1, help="Resource operations at once; the engine decides if not.")
]
ExpectNoChangesOption = Annotated[
    bool, typer.Option("--expect-no-changes", help="Any change is an error (exit code 7); nothing is changed.")
]
StopOnErrorOption = Annotated[
    bool,
    typer.Option("--stop-on-error", help="Begin nothing new after a failure; by default the rest is finished."),
]
DiffOption = Annotated[bool, typer.Option("--diff", help="Show every resource and every value in full.")]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asked for.

    Attributes:
        command: up, preview, refresh or destroy.
        everything: `--diff`.
    """

    command: str
    environment: str
    sandbox: bool
    form: Format
    output: Path | None
    options: RunOptions
    yes: bool = False
    skip_preview: bool = False
    everything: bool = False

    @property
    def place(self) -> str:
        """`dev`, `dev (sandbox)`."""
        return f"{self.environment} (sandbox)" if self.sandbox else self.environment


def request(
    command: str,
    *,
    environment: str,
    sandbox: bool,
    form: Format,
    output: Path | None,
    parallel: int | None,
    target: list[str] | None,
    target_dependents: bool,
    refresh: bool = False,
    policy_pack: list[Path] | None = None,
    policy_pack_config: list[Path] | None = None,
    expect_no_changes: bool = False,
    stop_on_error: bool = False,
    yes: bool = False,
    skip_preview: bool = False,
    diff: bool = False,
) -> Request:
    """What the command line asks for, under the names of its options.

    Raises:
        ConfigurationError: a policy pack is not one, or its configuration is wrong.
    """
    from gpufleet.engine import RunOptions

    packs, configs = configured_packs(environment, policy_pack, policy_pack_config)
    options = RunOptions(
        targets=tuple(target or ()),
        target_dependents=target_dependents,
        parallel=parallel,
        refresh=refresh,
        policy_packs=packs,
        policy_pack_configs=configs,
        expect_no_changes=expect_no_changes,
        continue_on_error=not stop_on_error,
    )
    return Request(
        command=command,
        environment=environment,
        sandbox=sandbox,
        form=form,
        output=output,
        options=options,
        yes=yes,
        skip_preview=skip_preview,
        everything=diff,
    )
