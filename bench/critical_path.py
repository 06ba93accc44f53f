"""How long `up` takes beside what Azure itself orders: which resource waits for which, and what of that is ours.

`python -m bench.critical_path ENVIRONMENT SCALE FILE` makes one environment in a sandbox of its own and writes what it
measured as JSON; `make bench` does so for the large stacks. The path is that of the longest creations that must follow
one another by `bench/azure_order.csv`; whatever else the program lets wait for each other is ours. It is a lower bound:
what Azure writes one at a time although neither needs the other (the subnets of a network) counts as made at once.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from gpufleet.engine.project import ROOT, stack_file
from gpufleet.engine.results import RunEvent, RunOptions, Step, StepStarted
from gpufleet.engine.sandbox_home import HOME_VARIABLE, prepare_home, sandbox_home
from gpufleet.engine.stack import EnvironmentStack
from gpufleet.graph import Graph, Node, offline
from gpufleet.spec import load_environment
from sandbox.azure import registry
from sandbox.azure.model import SANDBOX_SUBSCRIPTION
from sandbox.azure.operations import duration_of
from sandbox.pace import SCALE_VARIABLE
from sandbox.settings import set_setting
from sandbox.store import Store

ENVIRONMENTS = ("prod", "frontier")
SCALES = (0.01, 0.05)
"""A hundred times as fast as Azure, and twenty times: at the former a second of Python is as long as 100 of Azure's."""

MINUTES: Mapping[str, float] = {
    "Microsoft.ContainerService/managedClusters": 6,
    "Microsoft.ContainerService/managedClusters/agentPools": 8,
    "Microsoft.StorageCache/amlFilesystems": 12,
    "helm.sh/Release": 4,
}
"""Creations as people plan with them; the sandbox's table has shorter ones for small clusters, and all the others."""

_WAIT_FOR = "pulumi.com/waitFor"
_RELEASE = "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One resource waits for another.

    Attributes:
        needs: URN of what it waits for.
        by: the properties that are made from that, `dependsOn`, or `provider`.
    """

    needs: str
    by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CriticalPath:
    """The longest chain of creations: its seconds, and names in order."""

    seconds: float
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One creation on the way to a run's end, as it happened.

    Attributes:
        name: of the resource.
        waited: seconds of wall clock between the end of what it waited for and its own begin.
        took: seconds of wall clock from begin to end.
        ours: whether it waited for something that Azure does not ask for.
    """

    name: str
    waited: float
    took: float
    ours: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One `up` at one scale.

    Attributes:
        scale: seconds of the wall clock for one of Azure's.
        wall: seconds of the wall clock from the engine's begin to its end.
        azure: the path of what Azure orders, in Azure's seconds.
        program: the path of what the program orders, likewise.
        hops: how it came to its end, last first.
    """

    environment: str
    scale: float
    wall: float
    azure: CriticalPath
    program: CriticalPath
    hops: tuple[Hop, ...]

    @classmethod
    def read(cls, file: Path) -> Measured:
        """What another process wrote."""
        found = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            environment=found["environment"],
            scale=found["scale"],
            wall=found["wall"],
            azure=CriticalPath(**found["azure"]),
            program=CriticalPath(**found["program"]),
            hops=tuple(Hop(**hop) for hop in found["hops"]),
        )

    @property
    def ratio(self) -> float:
        """Wall clock over Azure's path at this scale."""
        return self.wall / (self.azure.seconds * self.scale)

    @property
    def ratio_at_azures_pace(self) -> float:
        """The same when time is not scaled: what is ours takes as long as it took, and Azure takes all of its time."""
        return 1 + (self.wall - self.azure.seconds * self.scale) / self.azure.seconds


def waits(graph: Graph, node: Node) -> Iterator[Wait]:
    """What a resource waits for in the program."""
    for urn in node.dependencies:
        by = tuple(sorted(name for name, sources in node.property_dependencies.items() if urn in sources))
        if graph.node(urn).custom:
            yield Wait(needs=urn, by=by or ("dependsOn",))
    if node.provider:
        yield Wait(needs=node.provider, by=("provider",))


def is_azures(graph: Graph, node: Node, wait: Wait) -> bool:
    """Whether Azure, or Kubernetes, asks for this order (`bench/azure_order.csv`)."""
    needed = graph.node(wait.needs).type
    return any(
        fnmatchcase(node.type, row["type"]) and fnmatchcase(needed, row["needs"]) and {*row["by"].split()} & {*wait.by}
        for row in order()
    )


@cache
def order() -> tuple[dict[str, str], ...]:
    """The rows of `bench/azure_order.csv`: type, needs, by, why."""
    with (Path(__file__).parent / "azure_order.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def seconds_of(minutes: Mapping[str, float] = MINUTES) -> Callable[[Node], float]:
    """How long Azure takes to create a resource, in seconds: `minutes` by ARM type, else the sandbox's table."""

    def seconds(node: Node) -> float:
        if node.type == _RELEASE:
            return 0 if node.at("skipAwait") else _seconds("helm.sh/Release", minutes)
        if node.at("metadata", "annotations", _WAIT_FOR):
            return _seconds(f"{node.type.split(':')[1].partition('/')[0]}/{node.type.rpartition(':')[2]}", minutes)
        return _seconds(registry.by_token(node.type).arm_type, minutes) if node.type.startswith("azure-native:") else 0

    return seconds


def _seconds(arm_type: str, minutes: Mapping[str, float]) -> float:
    return 60 * minutes[arm_type] if arm_type in minutes else duration_of(arm_type, "create").seconds


def critical_path(
    graph: Graph, seconds: Callable[[Node], float], counts: Callable[[Graph, Node, Wait], bool]
) -> CriticalPath:
    """The longest chain of creations, of those that wait for one another by the waits that count."""
    nodes = {node.urn: node for node in graph if node.custom}
    before = {
        urn: [wait.needs for wait in waits(graph, node) if counts(graph, node, wait)] for urn, node in nodes.items()
    }
    ends: dict[str, float] = {}
    last: dict[str, str] = {}
    for urn in TopologicalSorter(before).static_order():
        latest = max(before[urn], key=lambda other: ends[other], default="")
        last[urn] = latest
        ends[urn] = (ends[latest] if latest else 0) + seconds(nodes[urn])
    urn = max(ends, key=lambda found: ends[found], default="")
    total, names = ends.get(urn, 0.0), []
    while urn:
        names.append(nodes[urn].name)
        urn = last[urn]
    return CriticalPath(seconds=total, names=tuple(reversed(names)))


def paths(graph: Graph, minutes: Mapping[str, float] = MINUTES) -> tuple[CriticalPath, CriticalPath]:
    """The path of what Azure orders, and that of what the program orders."""
    seconds = seconds_of(minutes)
    return critical_path(graph, seconds, is_azures), critical_path(graph, seconds, lambda *_: True)


def graph_of(environment: str) -> Graph:
    """What the program makes of an environment."""
    spec = load_environment(stack_file(ROOT, environment))
    return offline.plan(environment, spec, subscription_id=SANDBOX_SUBSCRIPTION)


def measure(environment: str, scale: float, home: Path) -> Measured:
    """Make an environment in a sandbox of its own in `home`.

    Raises:
        GpufleetError: the run failed.
    """
    os.environ |= {HOME_VARIABLE: str(home), SCALE_VARIABLE: f"{scale:g}"}
    graph = graph_of(environment)
    prepare_home(ROOT)
    cloud = Store(sandbox_home(ROOT) / "cloud")
    for arm_type, minutes in MINUTES.items():
        set_setting(cloud, "duration", arm_type, str(round(60 * minutes)))
    begun: dict[str, float] = {}
    ended: dict[str, float] = {}

    def hear(event: RunEvent) -> None:
        if isinstance(event, StepStarted):
            begun.setdefault(event.resource.urn, event.at)
        elif isinstance(event, Step) and event.resource.urn in begun:
            ended[event.resource.urn] = begun[event.resource.urn] + event.seconds

    stack = EnvironmentStack(environment, root=ROOT, sandbox=True)
    start = time.monotonic()
    stack.up(RunOptions(), on_event=hear)
    wall = time.monotonic() - start
    azure, program = paths(graph)
    return Measured(
        environment=environment,
        scale=scale,
        wall=wall,
        azure=azure,
        program=program,
        hops=tuple(_hops(graph, begun, ended)),
    )


def _hops(graph: Graph, begun: Mapping[str, float], ended: Mapping[str, float]) -> Iterator[Hop]:
    """From the resource that was done last back to one that waited for nothing."""
    made = {urn for urn in ended if (node := graph.find(urn)) is not None and node.custom}
    urn = max(made, key=lambda found: ended[found], default="")
    while urn:
        node = graph.node(urn)
        found = [wait for wait in waits(graph, node) if wait.needs in made]
        latest = max(found, key=lambda wait: ended[wait.needs], default=None)
        yield Hop(
            name=node.name,
            waited=begun[urn] - (ended[latest.needs] if latest else 0.0),
            took=ended[urn] - begun[urn],
            ours=latest is not None and not is_azures(graph, node, latest),
        )
        urn = latest.needs if latest else ""


def markdown(measured: Sequence[Measured]) -> list[str]:
    """Lines of the report: both figures, and the way there."""
    if not measured:
        return []
    lines = [
        "",
        (
            "`up`, without its preview, beside the longest chain of creations that Azure itself orders "
            "(`bench/azure_order.csv`): a cluster takes 6 minutes, a pool 8, Lustre 12, a Helm release 4. "
            "At Azure's pace: time not scaled, and what is ours takes as long as it did here."
        ),
    ]
    lines += ["", "| stack | scale | wall s | Azure's path s | times | at Azure's pace | program's path |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|"]
    for one in measured:
        lines.append(
            f"| {one.environment} | {one.scale:g} | {one.wall:.1f} | {one.azure.seconds * one.scale:.1f} "
            f"| {one.ratio:.2f} | {one.ratio_at_azures_pace:.3f} | {one.program.seconds / one.azure.seconds:.3f} |"
        )
    lines += [
        "",
        "| stack | scale | the way to the run's end: what each waited and took, in seconds |",
        "|---|---:|---|",
    ]
    for one in measured:
        way = " → ".join(
            f"{hop.name} {hop.waited:.1f} + {hop.took:.1f}{' (ours)' if hop.ours else ''}" for hop in reversed(one.hops)
        )
        lines.append(f"| {one.environment} | {one.scale:g} | {way} |")
    paths_of = {one.environment: one.azure for one in measured}
    lines += ["", "| stack | Azure's path | seconds |", "|---|---|---:|"]
    lines += [f"| {name} | {' → '.join(path.names)} | {path.seconds:.0f} |" for name, path in paths_of.items()]
    return lines


def main(environment: str, scale: float, file: Path) -> None:
    """Measure, and write JSON."""
    with tempfile.TemporaryDirectory(prefix="gpufleet-bench-") as home:
        measured = measure(environment, scale, Path(home) / "sandbox")
    file.write_text(json.dumps(asdict(measured)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
