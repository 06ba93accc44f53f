"""The environment of a person's shell, for plain `pulumi` commands."""

from __future__ import annotations

import os

from gpufleet.engine.install import ensure_engine
from gpufleet.engine.project import ROOT, stack_file, stack_files
from gpufleet.engine.sandbox_home import (
    CLOUD_VARIABLE,
    Environment,
    carries_sandbox_salt,
    config_file_for,
    prepare_home,
    prepare_stacks,
    sandbox_environment,
    tool_environment,
)


def shell_environment(environment: str, *, sandbox: bool) -> tuple[Environment, tuple[str, ...]]:
    """What to change in a shell so that plain `pulumi` acts on an environment, on Azure or in the sandbox.

    For the sandbox its home and the stacks of all environments are made.

    Returns:
        the changes, and notes for the person.

    Raises:
        StackMissingError: there is no stack file of that name.
        EngineUnavailableError: there is no Pulumi engine, and none can be had.
    """
    stack_file(ROOT, environment)
    files = stack_files(ROOT)
    engine = ensure_engine()
    if not sandbox:
        changes = tool_environment(engine)
        variables = {**changes.variables, "PULUMI_STACK": environment}
        return Environment(variables=variables, unset=_left_by_the_sandbox()), ()
    prepare_home(ROOT)
    prepare_stacks(ROOT, tuple(files), engine)
    notes = tuple(
        f"note: {path} has no sandbox salt: a plain `pulumi` command would rewrite it. Add "
        f"--config-file {config_file_for(ROOT, name, sandbox=True)} to it; `gpufleet` does that by itself."
        for name, path in files.items()
        if not carries_sandbox_salt(path.read_text(encoding="utf-8"))
    )
    return sandbox_environment(ROOT, engine, environment), notes


def _left_by_the_sandbox() -> tuple[str, ...]:
    """Variables that an earlier `gpufleet env --sandbox` set in this shell; none in a shell that never saw one."""
    if CLOUD_VARIABLE not in os.environ:
        return ()
    names = ("PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", CLOUD_VARIABLE)
    return tuple(name for name in names if name in os.environ)
