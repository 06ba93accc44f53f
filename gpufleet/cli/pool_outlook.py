"""What a run is about to do to pools that exist, and whether running jobs stand against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gpufleet.errors import ExitCode, GpufleetError

if TYPE_CHECKING:
    from gpufleet.cli.run import Run
    from gpufleet.cost import Item
    from gpufleet.engine import Step
    from gpufleet.engine.doubts import State
    from gpufleet.graph import Graph, Node
    from gpufleet.pool_changes.changes import PoolChange
    from gpufleet.pool_changes.jobs import Job
    from gpufleet.pool_changes.needs import Shortfall
    from gpufleet.pool_changes.operators import OperatorChange
    from gpufleet.pool_changes.overlap import Overlap
    from gpufleet.spec import Environment

DespiteJobsOption = Annotated[
    bool,
    typer.Option(
        "--despite-jobs",
        help="Go on although running jobs would lose their nodes, or although nobody can tell which jobs run.",
    ),
]
_ZONAL = (
    "azure-native:storagecache:AmlFilesystem",
    "azure-native:network:NatGateway",
    "azure-native:network:PublicIPAddress",
)
"""In zones that Azure never changes: a file system is made again, empty; the others are refused half-way."""
_REPLACES = frozenset({"replace", "create-replacement", "delete-replaced"})


class RunningJobsError(GpufleetError):
    """Nodes would go that running jobs hold."""

    exit_code = ExitCode.PREFLIGHT


class ZoneFixedError(GpufleetError):
    """A file system or an address would have to be in another zone, and Azure moves neither."""

    exit_code = ExitCode.PREFLIGHT


class JobsUnknownError(GpufleetError):
    """Nodes would go, and nobody can tell whether jobs run on them."""

    exit_code = ExitCode.UNDECIDED


@dataclass(frozen=True, kw_only=True)
class PoolOutlook:
    """What becomes of the pools.

    Attributes:
        changes: in order, each with its overlap.
        shortfalls: pools that would have fewer nodes than jobs hold, or may lose those that they hold.
        unread: why the jobs of a fabric are not known, by its name.
        moved: file systems and addresses whose zone would change: name, zone now and then.
        operators: clusters whose operators change, which touches nodes too.
    """

    changes: tuple[tuple[PoolChange, Overlap | None], ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    unread: Mapping[str, GpufleetError] = field(default_factory=dict)
    moved: tuple[tuple[str, str, str], ...] = ()
    operators: tuple[OperatorChange, ...] = ()

    @property
    def removes(self) -> bool:
        """Whether nodes go for good: then nothing may be deleted once something could not be made."""
        return any(change.gone for change, _ in self.changes)

    def lines(self) -> list[Text]:
        """For people, [] when there is nothing to say."""
        from gpufleet.pool_changes import operators
        from gpufleet.pool_changes.words import change_lines, shortfall_line

        said = [Text(line) for change, overlap in self.changes for line in change_lines(change, overlap)]
        said += [
            Text(f"running jobs: {shortfall_line(one)}", "bold red" if one.certain else "yellow")
            for one in self.shortfalls
        ]
        said += [Text(f"zones: {_move_text(*one)}, and Azure can't move it", "bold red") for one in self.moved]
        said += [
            Text(f"running jobs: nobody knows which run on {scope}: {error.message}", "yellow")
            for scope, error in self.unread.items()
        ]
        said += [Text(line) for change in self.operators for line in operators.change_lines(change)]
        return [*said, Text()] if said else []

    def document(self) -> list[dict[str, object]]:
        """As JSON."""
        from gpufleet.pool_changes.words import change_document

        return [
            {
                **change_document(change, overlap, [one for one in self.shortfalls if one.change is change]),
                "runningJobsUnknown": self.unread[change.scope].message if change.scope in self.unread else None,
            }
            for change, overlap in self.changes
        ]

    def operators_document(self) -> list[dict[str, object]]:
        """What changes in the clusters' operators, as JSON."""
        from gpufleet.pool_changes import operators

        return [operators.change_document(change) for change in self.operators]

    def require(self, run: Run, environment: Environment, *, despite_jobs: bool) -> None:
        """Go on only when no running job loses its nodes, and nothing has to move that Azure cannot move.

        Where the jobs are not known, an unattended run in production doesn't go on; a person has read so and is asked.

        Raises:
            ZoneFixedError: other zones of the pools would move a file system or an address.
            RunningJobsError: jobs hold nodes that would go.
            JobsUnknownError: see above.
        """
        from gpufleet.pool_changes.words import shortfall_line
        from gpufleet.spec.environment import EnvironmentClass

        place = run.request.place
        if self.moved:
            listed = "; ".join(_move_text(*one) for one in self.moved)
            raise ZoneFixedError(
                f"{place}: other zones of pools would move what Azure can't move, so nothing was changed: {listed}",
                hint="A fabric's GPU pools and its file system stay in one zone. Add a second "
                "fabric in the other zone, copy the data, then remove this one.",
            )
        if despite_jobs:
            return
        certain = [one for one in self.shortfalls if one.certain]
        if certain:
            raise RunningJobsError(
                "\n".join(
                    [
                        f"{place}: running jobs would lose their nodes, so nothing was changed",
                        *(f"  {shortfall_line(one)}" for one in certain),
                    ]
                ),
                hint="Let them end, or stop them after a checkpoint (stopPolicy HoldAndDrain on their ClusterQueue), "
                "then run again. --despite-jobs goes on all the same: AKS drains the nodes, and the jobs lose what "
                "they have done since their last checkpoint.",
            )
        if self.unread and run.request.yes and environment.environment_class is EnvironmentClass.PRODUCTION:
            raise JobsUnknownError(
                "\n".join(
                    [
                        f"{place}: nodes would go, and nobody knows whether jobs run on them, so nothing was changed",
                        *(f"  {scope}: {error.message}" for scope, error in self.unread.items()),
                    ]
                ),
                hint=" ".join(dict.fromkeys(error.hint for error in self.unread.values() if error.hint))
                + " --despite-jobs goes on all the same.",
            )


@dataclass(frozen=True)
class _Planned:
    """A resource as a run leaves it; a cost item."""

    urn: str
    type: str
    name: str
    parent: str
    properties: Mapping[str, object]


def of_preview(run: Run, environment: Environment, state: State) -> PoolOutlook:
    """The outlook of the preview that the run has just made.

    Raises:
        CatalogError: a table of prices or facts is damaged.
        ConfigurationError: the negotiated prices are.
    """
    assert run.result is not None
    steps = run.result.steps
    if not _deployed(state) or not any(_touches_pools(step) for step in steps):
        return PoolOutlook()
    replaced = frozenset(step.resource.urn for step in steps if step.op in _REPLACES)
    before = _graph(state)
    return _Look(run, environment, state).outlook(before, _after(before, steps), replaced)


def of_program(run: Run, environment: Environment, state: State) -> PoolOutlook:
    """The outlook where nobody previews: from the program, planned without the engine.

    Raises:
        GpufleetError: the program cannot be planned; see `of_preview`.
    """
    if not _deployed(state):
        return PoolOutlook()
    from gpufleet.engine.cache import plans_folder
    from gpufleet.graph.cached import plan

    after = plan(run.request.environment, environment, plans_folder())
    return _Look(run, environment, state).outlook(_graph(state), after, frozenset())


def _touches_pools(step: Step) -> bool:
    from gpufleet.catalog.type_tokens import plain_type
    from gpufleet.pool_changes.operators import touches_operators
    from gpufleet.pool_changes.pools import POOL_TYPE

    type_ = step.resource.type
    return step.op not in {"same", "read", "refresh"} and (plain_type(type_) == POOL_TYPE or touches_operators(type_))


def _deployed(state: State) -> bool:
    return bool(state["deployment"].get("resources"))


def _graph(state: State) -> Graph:
    from gpufleet.graph.state import read

    return read(state)


def _after(before: Graph, steps: Iterable[Step]) -> list[_Planned]:
    """What is there after a run: what was, as the steps change it."""
    found = {node.urn: _Planned(node.urn, node.type, node.name, node.parent, node.properties) for node in before}
    deleted: set[str] = set()
    for step in steps:
        resource = step.resource
        if step.op in {"delete", "discard"}:
            deleted.add(resource.urn)
            continue
        earlier = found.get(resource.urn)
        properties = step.inputs or (earlier.properties if earlier else {})
        found[resource.urn] = _Planned(resource.urn, resource.type, resource.name, resource.parent, properties)
    return [item for urn, item in found.items() if urn not in deleted]


@dataclass(frozen=True)
class _Look:
    """What a run starts from, and what comes of it for pools."""

    run: Run
    environment: Environment
    state: State

    def outlook(self, before: Graph, after: Iterable[_Planned] | Graph, replaced: frozenset[str]) -> PoolOutlook:
        from gpufleet.cost import PriceBook
        from gpufleet.pool_changes.changes import pool_changes
        from gpufleet.pool_changes.needs import shortfalls
        from gpufleet.pool_changes.operators import operator_changes
        from gpufleet.pool_changes.overlap import overlap_of
        from gpufleet.pool_changes.pools import agent_pools_of

        planned: list[_Planned | Node] = [*after]
        changes = pool_changes(agent_pools_of(before), agent_pools_of(planned), replaced=replaced)
        book = PriceBook(assumed=self.environment.prices.assumed)
        hit = sorted({change.scope for change in changes if change.training and change.takes_nodes})
        jobs, unread = self._jobs(hit) if hit else ({}, {})
        short = [one for scope, found in jobs.items() for one in shortfalls(changes, found, scope=scope)]
        return PoolOutlook(
            changes=tuple((change, overlap_of(change, book)) for change in changes),
            shortfalls=tuple(short),
            unread=unread,
            moved=tuple(_moved(before, planned)),
            operators=tuple(operator_changes(before, planned)),
        )

    def _jobs(self, scopes: Sequence[str]) -> tuple[dict[str, tuple[Job, ...]], dict[str, GpufleetError]]:
        """The jobs of some fabrics, and why those of others are not known."""
        from gpufleet.cli.running_jobs import read_jobs

        jobs: dict[str, tuple[Job, ...]] = {}
        unread: dict[str, GpufleetError] = {}
        self.run.tell([Text(f"Looking which jobs run on {', '.join(scopes)} ...", "dim")])
        for scope, found in read_jobs(self.run.stack, self.state, scopes).items():
            if isinstance(found, GpufleetError):
                unread[scope] = found
            else:
                jobs[scope] = found
        return jobs, unread


def _moved(before: Graph, after: Iterable[Item]) -> Iterator[tuple[str, str, str]]:
    """File systems and addresses that stand in another zone afterwards."""
    now = {node.urn: node for node in before.of(*_ZONAL)}
    for item in after:
        if (old := now.get(item.urn)) is not None:
            zone, then = _zones(old.properties), _zones(item.properties)
            if zone != then:
                yield old.name, zone, then


def _move_text(name: str, now: str, then: str) -> str:
    return f"{name} is in zone {now} and would have to be in {then}"


def _zones(properties: Mapping[str, object]) -> str:
    zones = properties.get("zones")
    return ", ".join(map(str, zones)) if isinstance(zones, list | tuple) else "none"
