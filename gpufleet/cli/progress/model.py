"""A run as its events tell it: resources nested by component, what each is doing, and what was said about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from gpufleet.cli.progress.words import CHANGES, operation
from gpufleet.engine import Diagnostic, PropertyChange, Resource, RunEvent, Severity, Step, StepStarted, Violation

_STACK = "pulumi:pulumi:Stack"


class Status(StrEnum):
    """Where a resource is in a run."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(kw_only=True)
class Node:
    """One resource or component.

    Attributes:
        op: operation as in `words.VERBS`; "same" for a component that is only a parent.
        started: seconds into the run, None before.
        ended: seconds into the run, None until done or failed.
        seconds: time that the engine spent on it.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    protected: bool = False
    op: str = "same"
    status: Status = Status.WAITING
    started: float | None = None
    ended: float | None = None
    seconds: float = 0.0
    diffs: tuple[PropertyChange, ...] = ()
    children: list[str] = field(default_factory=list)
    open_steps: int = 0
    recreated: bool = False

    @property
    def kind(self) -> str:
        """Last part of the type token: `AgentPool`, `TrainingFabric`."""
        if self.type.startswith("pulumi:providers:"):
            return "Provider"
        return self.type.rsplit(":", 1)[-1].rsplit("/", 1)[-1]

    @property
    def label(self) -> str:
        """What people call it: `AgentPool h100`."""
        return f"{self.kind} {self.name}"

    @property
    def changes(self) -> bool:
        """Whether this is a resource that the run changes."""
        return self.custom and self.op in CHANGES


@dataclass(kw_only=True)
class Tally:
    """A subtree in numbers; only resources count, components don't.

    Attributes:
        ops: finished resources by operation.
        planned: resources that change by operation, finished or not.
        started: seconds into the run when the first began, None before.
        ended: seconds into the run when the last one ended, None while one is left.
    """

    ops: Counter[str] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    unchanged: int = 0
    started: float | None = None
    ended: float | None = None

    @property
    def total(self) -> int:
        """Resources that change."""
        return self.waiting + self.running + self.done + self.failed

    @property
    def active(self) -> bool:
        """Whether something is under way, was refused, or is done while more of it waits for others."""
        return bool(self.running or self.failed or (self.done and self.waiting))

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return not self.waiting and not self.running

    def seconds(self, now: float) -> float:
        """From the first start to the last end, or to now."""
        if self.started is None:
            return 0.0
        return (self.ended if self.finished and self.ended is not None else now) - self.started

    def add(self, node: Node) -> None:
        """Count one resource."""
        if node.started is not None and node.changes:
            self.started = node.started if self.started is None else min(self.started, node.started)
        if node.ended is not None and node.changes:
            self.ended = node.ended if self.ended is None else max(self.ended, node.ended)
        if node.status is Status.FAILED:
            self.failed += 1
            self.planned[node.op] += 1
        elif not node.changes:
            self.unchanged += 1
        else:
            self.planned[node.op] += 1
            if node.status is Status.DONE:
                self.done += 1
                self.ops[node.op] += 1
            elif node.status is Status.RUNNING:
                self.running += 1
            else:
                self.waiting += 1

    def merge(self, other: Tally) -> None:
        """Add a subtree's numbers."""
        self.ops += other.ops
        self.planned += other.planned
        self.waiting += other.waiting
        self.running += other.running
        self.done += other.done
        self.failed += other.failed
        self.unchanged += other.unchanged
        starts = [at for at in (self.started, other.started) if at is not None]
        ends = [at for at in (self.ended, other.ended) if at is not None]
        self.started, self.ended = min(starts, default=None), max(ends, default=None)


class RunModel:
    """The state of a run; `apply` takes its events in order.

    Attributes:
        nodes: every resource and component by URN.
        roots: URNs of those without a parent.
        diagnostics: warnings and errors, each once.
        violations: what policies objected to, each once.
        notice: the latest remark about the run itself, for example that it is being stopped.
        finished: whether the run is over.

    Args:
        plan: model of the preview that came before, so that what is to come is known from the start (and, in a
            destroy, who the parents are: the engine names children first).
    """

    def __init__(self, plan: RunModel | None = None) -> None:
        self.nodes: dict[str, Node] = {}
        self.roots: list[str] = []
        self.diagnostics: list[Diagnostic] = []
        self.violations: list[Violation] = []
        self.notice = ""
        self.finished = False
        for node in plan.nodes.values() if plan else ():
            own = self._node(
                Resource(
                    urn=node.urn,
                    type=node.type,
                    name=node.name,
                    parent=node.parent,
                    custom=node.custom,
                    protected=node.protected,
                )
            )
            own.op = node.op
            own.diffs = node.diffs
            if not node.changes:
                own.status = Status.DONE

    def apply(self, event: RunEvent, at: float) -> None:
        """Take one event.

        Args:
            event: what the engine said.
            at: seconds since the run began.
        """
        match event:
            case Diagnostic(severity=Severity.INFO, urn=""):
                self.notice = event.message
            case Diagnostic():
                if event.severity in {Severity.WARNING, Severity.ERROR} and event not in self.diagnostics:
                    self.diagnostics.append(event)
            case Violation():
                if event not in self.violations:
                    self.violations.append(event)
            case StepStarted() if not _hidden(event.resource):
                self._start(self._node(event.resource), event.op, at)
            case Step() if not _hidden(event.resource):
                self._end(self._node(event.resource), event, at)
            case _:
                pass

    def finish(self, *, cancelled: bool = False) -> None:
        """The run is over: nothing is under way any more."""
        self.finished = True
        for node in self.nodes.values():
            if node.status is Status.RUNNING and not node.open_steps and not cancelled:
                node.status = Status.DONE

    def tally(self, urn: str | None = None, into: dict[str, Tally] | None = None) -> Tally:
        """Numbers of a subtree, or of the whole run.

        Args:
            urn: root of the subtree.
            into: takes the numbers of every node on the way.
        """
        whole = Tally()
        if urn is not None and self.nodes[urn].custom:
            whole.add(self.nodes[urn])
        for child in self.roots if urn is None else self.nodes[urn].children:
            whole.merge(self.tally(child, into))
        if into is not None and urn is not None:
            into[urn] = whole
        return whole

    def resources(self) -> Iterator[Node]:
        """Every resource, components left out."""
        return (node for node in self.nodes.values() if node.custom)

    def children(self, urn: str | None = None) -> list[str]:
        """URNs below a node, or of the top: own resources first, then components, each by kind and name.

        The engine names them in the order in which their inputs became known, which differs from run to run.
        """
        urns = self.roots if urn is None else self.nodes[urn].children
        return sorted(urns, key=lambda child: _order(self.nodes[child]))

    def component_of(self, node: Node) -> str:
        """Path of component names from the environment down: `dev/frontier/h100`; "" without one."""
        names: list[str] = []
        parent = self.nodes.get(node.parent)
        while parent is not None:
            names.append(parent.name)
            parent = self.nodes.get(parent.parent)
        return "/".join(reversed(names))

    def _start(self, node: Node, op: str, at: float) -> None:
        node.op = operation(op)
        node.open_steps += 1
        if node.started is None:
            node.started = at
        if node.status is not Status.FAILED:
            node.status = Status.RUNNING
        node.ended = None

    def _end(self, node: Node, step: Step, at: float) -> None:
        node.op = operation(step.op)
        node.open_steps = max(0, node.open_steps - 1)
        node.seconds += step.seconds
        node.diffs = step.diffs or node.diffs
        node.recreated = node.recreated or step.op in {"create-replacement", "import-replacement", "read-replacement"}
        if node.started is None:
            node.started = max(0.0, at - step.seconds)
        if step.failed or node.status is Status.FAILED:
            node.status = Status.FAILED
        elif node.op == "replace" and not node.recreated:
            node.status = Status.RUNNING  # the old one is gone, the new one is still to come
        elif not node.open_steps:
            node.status = Status.DONE
        if node.status in {Status.DONE, Status.FAILED}:
            node.ended = at

    def _node(self, resource: Resource) -> Node:
        node = self.nodes.get(resource.urn)
        if node is None:
            node = Node(
                urn=resource.urn, type=resource.type, name=resource.name, parent=resource.parent, custom=resource.custom
            )
            self.nodes[resource.urn] = node
            self._attach(node)
        elif not node.parent and resource.parent:  # until now a stand-in made for its children
            self._adopt(node, resource)
        node.protected = node.protected or resource.protected
        return node

    def _attach(self, node: Node) -> None:
        if not node.parent or _type_of(node.parent) == _STACK:
            self.roots.append(node.urn)
            return
        if node.parent not in self.nodes:
            stand_in = Node(
                urn=node.parent,
                type=_type_of(node.parent),
                name=node.parent.rsplit("::", 1)[-1],
                parent="",
                custom=False,
                status=Status.DONE,
            )
            self.nodes[node.parent] = stand_in
            self.roots.append(node.parent)
        self.nodes[node.parent].children.append(node.urn)

    def _adopt(self, node: Node, resource: Resource) -> None:
        node.parent, node.custom = resource.parent, resource.custom
        if _type_of(resource.parent) != _STACK:
            self.roots.remove(node.urn)
            self._attach(node)


def replay(events: Iterable[RunEvent], plan: RunModel | None = None) -> RunModel:
    """The model after a whole run whose times are taken from its events."""
    model, at = RunModel(plan), 0.0
    for event in events:
        if isinstance(event, StepStarted):
            at = event.at
        model.apply(event, at)
    model.finish()
    return model


def _order(node: Node) -> tuple[bool, str, list[tuple[int, str]]]:
    parts = re.split(r"(\d+)", node.name)
    return not node.custom, node.kind, [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _type_of(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _hidden(resource: Resource) -> bool:
    """The stack itself, and the default providers that the engine makes: nobody asked for them."""
    return resource.type == _STACK or (
        resource.type.startswith("pulumi:providers:") and resource.name.startswith("default")
    )
