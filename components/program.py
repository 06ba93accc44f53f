"""The Pulumi program: from the stack's configuration to the environment and its outputs."""

from __future__ import annotations

import gc
from pathlib import Path

import pulumi
from pulumi_azure_native import authorization

from components.aliases import trim_version_aliases
from components.context import KubeLogin
from components.environment import Environment, EnvironmentArgs
from gpufleet.errors import ConfigurationError, GpufleetError
from gpufleet.spec import Environment as EnvironmentSpec
from gpufleet.spec import SpecError, StackFile, parse_environment

_STACKS = Path(__file__).parent.parent / "stacks"
_HEAD_START_SECONDS = 0.02
"""How long the first call may take to leave this process; its answer is not waited for."""


def main() -> None:
    """Build the environment of the current stack and export its outputs.

    The same under `pulumi up`, as an inline program of the Automation API, and under mocks. Configuration (namespace
    `gpufleet`):

    - `environment`: the specification (gpufleet.spec).
    - `kubeLogin`: how kubelogin gets tokens, `azurecli` (default), `workloadidentity` or `spn`.
    - `keepVersionAliases`: true keeps azure-native's aliases of old API versions.

    Raises:
        pulumi.RunError: with a text for people, for every mistake that is theirs.
    """
    # The SDKs' classes are a million long-lived objects; at Python's default the collector walks them again and again,
    # which is a quarter of the program's time on a large stack.
    gc.set_threshold(50_000, 20, 100)
    try:
        _build(pulumi.Config("gpufleet"), pulumi.get_stack())
    except GpufleetError as error:
        # Language hosts print a RunError's text alone, and a stack trace for anything else.
        raise pulumi.RunError(str(error)) from None


async def start_provider() -> None:
    """Have the engine start the azure-native provider now, to be ready when `main` has built everything.

    For a host that can wait before `main`: nothing of a program reaches the engine before the program is through. The
    question is the one `main` asks first anyway, which subscription this is.
    """
    import asyncio  # noqa: PLC0415 a plan without the SDKs has no use for it, and it takes a tenth of one

    answer = authorization.get_client_config_output()
    await asyncio.wait({asyncio.ensure_future(answer.future())}, timeout=_HEAD_START_SECONDS)


def build(stack: str, spec: EnvironmentSpec, *, kube_login: KubeLogin = KubeLogin.AZURE_CLI) -> Environment:
    """Register everything that an environment consists of.

    Args:
        stack: the environment's name.
        spec: what it is to be.
        kube_login: how kubelogin gets tokens.

    Raises:
        ConfigurationError: the stack's name cannot be part of Azure names.
    """
    return Environment(stack, EnvironmentArgs(spec=spec, kube_login=kube_login))


def _build(config: pulumi.Config, stack: str) -> None:
    if not config.get_bool("keepVersionAliases"):
        trim_version_aliases()
    environment = build(stack, _specification(config, stack), kube_login=_kube_login(config))
    for name, value in environment.outputs().items():
        pulumi.export(name, value)


def _specification(config: pulumi.Config, stack: str) -> EnvironmentSpec:
    value = config.require_object("environment")
    try:
        return parse_environment(value)
    except SpecError:
        # Only now the file is worth reading: it gives the messages their lines.
        return parse_environment(value, source=_stack_file(stack))


def _stack_file(stack: str) -> StackFile | None:
    path = _STACKS / f"Pulumi.{stack}.yaml"
    return StackFile.read(path, name=f"stacks/{path.name}") if path.is_file() else None


def _kube_login(config: pulumi.Config) -> KubeLogin:
    value = config.get("kubeLogin")
    if value is None:
        return KubeLogin.AZURE_CLI
    try:
        return KubeLogin(value)
    except ValueError:
        raise ConfigurationError(
            f"gpufleet:kubeLogin is {value!r}", hint=f"Use one of {', '.join(KubeLogin)}."
        ) from None
