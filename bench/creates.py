"""What the sandbox's provider adds to the engine's own time: 24 creates at once, against one that only echoes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pulumi
from pulumi_azure_native import resources

from bench.echo_provider import VERSION
from gpufleet.engine.project import ROOT
from gpufleet.engine.results import RunEvent, RunOptions, Step, StepStarted
from gpufleet.engine.sandbox_home import SALT, prepare_home
from gpufleet.engine.stack import EnvironmentStack

CREATES = 24
_ECHO, _AZURE = "echo", "azure-native"


class _Thing(pulumi.CustomResource):
    def __init__(self, name: str, props: dict[str, object]) -> None:
        super().__init__("echo:index:Thing", name, props, pulumi.ResourceOptions(version=VERSION))


def _echoes() -> None:
    for number in range(CREATES):
        _Thing(f"rg-{number}", {"location": "eastus", "resourceGroupName": f"rg-{number}"})


def _groups() -> None:
    for number in range(CREATES):
        resources.ResourceGroup(f"rg-{number}", location="eastus", resource_group_name=f"rg-{number}")


def added_milliseconds(folder: Path) -> dict[str, float]:
    """One measurement, in a project of its own.

    Args:
        folder: an empty one; the sandbox's home must be set to somewhere below it.

    Returns:
        milliseconds from the first create's begin to the last one's end, by provider, and the difference divided by
        the number of creates.
    """
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: gpufleet\nruntime: python\nstackConfigDir: stacks\n")
    for name in (_ECHO, _AZURE):
        (folder / "stacks" / f"Pulumi.{name}.yaml").write_text(f"encryptionsalt: {SALT}\nconfig: {{}}\n")
    plugin = prepare_home(folder) / "pulumi-home" / "plugins" / f"resource-echo-v{VERSION}" / "pulumi-resource-echo"
    plugin.parent.mkdir(parents=True)
    module = f"{shlex.quote(sys.executable)} -u -m bench.echo_provider"
    plugin.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {module} "$@"\n')
    plugin.chmod(0o755)
    echo, azure = _span(folder, _ECHO, _echoes), _span(folder, _AZURE, _groups)
    return {
        f"{CREATES} creates at once, echoing provider": echo,
        f"{CREATES} creates at once, the sandbox's azure-native": azure,
        "added by the sandbox's provider, each create": (azure - echo) / CREATES,
    }


def _span(folder: Path, environment: str, program: Callable[[], None]) -> float:
    stack = EnvironmentStack(environment, root=folder, sandbox=True, program=program)
    begun: list[float] = []
    ended: list[float] = []

    def hear(event: RunEvent) -> None:
        if isinstance(event, StepStarted) and event.op == "create" and _is_measured(event.resource.type):
            begun.append(event.at)
            starts[event.resource.urn] = event.at
        elif isinstance(event, Step) and event.op == "create" and _is_measured(event.resource.type):
            ended.append(starts[event.resource.urn] + event.seconds)

    starts: dict[str, float] = {}
    stack.up(RunOptions(parallel=CREATES), on_event=hear)
    if len(ended) != CREATES:
        raise SystemExit(f"bench: {len(ended)} of {CREATES} creates were seen")
    return 1000 * (max(ended) - min(begun))


def _is_measured(kind: str) -> bool:
    return kind in {"echo:index:Thing", "azure-native:resources:ResourceGroup"}
