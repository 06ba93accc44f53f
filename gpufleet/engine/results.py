"""What a run of the engine says while it runs (events) and when it is done (`RunResult`); no Pulumi types here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SECRET = "[secret]"  # noqa: S105 the engine's own mask
"""What stands in for a secret value wherever gpufleet shows one."""

UNKNOWN = "[unknown]"
"""What stands in for a value that is known after the run only."""


STEPS_OF_A_WHOLE: Mapping[str, str] = {
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "import-replacement": "replace",
    "read-replacement": "replace",
    "discard-replaced": "replace",
    "remove-pending-replace": "delete",
}
"""The engine's words for the steps of one operation (pulumi/pulumi: pkg/resource/deploy/step.go)."""


class RunKind(StrEnum):
    """What the engine was asked to do."""

    PREVIEW = "preview"
    UP = "up"
    DESTROY = "destroy"
    REFRESH = "refresh"


class Severity(StrEnum):
    """Severity of a diagnostic, the engine's own words (`info#err` is output of the program on stderr)."""

    DEBUG = "debug"
    INFO = "info"
    STDERR = "info#err"
    WARNING = "warning"
    ERROR = "error"


class ChangeKind(StrEnum):
    """How a property changes."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True)
class PropertyChange:
    """One property that changes.

    Attributes:
        path: Pulumi property path, for example `maxCount` or `agentPoolProfiles[0].count`.
        replaces: True when the change makes the provider replace the resource.
        old: plain value before, None for ADD; secrets are `SECRET`.
        new: plain value after, None for DELETE; secrets are `SECRET`, values not known yet are `UNKNOWN`.
    """

    path: str
    kind: ChangeKind
    replaces: bool = False
    old: object = None
    new: object = None


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Which resource an event is about.

    Attributes:
        urn: `urn:pulumi:<stack>::<project>::<type>[$<type>…]::<name>`.
        type: Pulumi type token, for example `azure-native:containerservice:AgentPool`.
        name: logical name in the program.
        parent: URN of the parent, "" for the stack itself.
        custom: True when a provider manages it, False for a component.
        protected: True when the engine refuses to delete it.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    protected: bool = False


@dataclass(frozen=True, kw_only=True)
class StepStarted:
    """The engine begins with a resource.

    Attributes:
        op: Pulumi's word: same, create, update, delete, replace, create-replacement, delete-replaced, read, refresh, …
        at: seconds since the run began.
    """

    resource: Resource
    op: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """The engine is done with a resource.

    Attributes:
        op: see `StepStarted`.
        failed: whether the cloud refused it.
        seconds: how long it took, wall clock as this process saw it.
        diffs: the properties that change, sorted by path; empty for all but updates and replacements.
        inputs: what the resource is to be, as the provider checked it, secrets as `SECRET` and what is not known yet as
            `UNKNOWN`; empty where nothing is made or changed.
    """

    resource: Resource
    op: str
    failed: bool
    seconds: float
    diffs: tuple[PropertyChange, ...] = ()
    inputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FailedOperation:
    """An operation of a provider's that failed, with all that the engine tells of it.

    Attributes:
        op: see `StepStarted`.
        provider: reference of the provider, `<urn>::<id>`.
        inputs: as the provider checked them; secrets are masked.
        message: what the provider or the engine said last about the resource.
        recorded: whether the state holds what came of it (a resource that was made, and failed to start).
    """

    resource: Resource
    op: str
    provider: str
    inputs: Mapping[str, object]
    message: str
    recorded: bool


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A message of the engine, a provider or the program; colour marks are taken out.

    Attributes:
        urn: the resource it is about, "" when it is about the run.
    """

    severity: Severity
    message: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A policy said no.

    Attributes:
        level: `mandatory`, `advisory` or `remediate`.
        urn: the resource, "" for a rule about the whole stack.
    """

    policy: str
    pack: str
    level: str
    message: str
    urn: str = ""


RunEvent = StepStarted | Step | Diagnostic | Violation
"""What `on_event` receives; always from one thread at a time, in the engine's order."""

OnEvent = Callable[[RunEvent], None]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run; the defaults are Pulumi's.

    Attributes:
        targets: URNs to limit the run to; wildcards as in `pulumi up --target`.
        target_dependents: with `targets`, also what depends on them.
        parallel: resource operations at once; None leaves it to the engine.
        refresh: read every resource from the cloud first.
        policy_packs: folders of policy packs.
        policy_pack_configs: one JSON file per pack, in the same order.
        expect_no_changes: any change is an error (`UnexpectedChangesError`).
        continue_on_error: after a failure, finish what does not depend on the failed resource (`up`, `destroy`).
        message: note kept in the stack's history.
    """

    targets: tuple[str, ...] = ()
    target_dependents: bool = False
    parallel: int | None = None
    refresh: bool = False
    policy_packs: tuple[str, ...] = ()
    policy_pack_configs: tuple[str, ...] = ()
    expect_no_changes: bool = False
    continue_on_error: bool = True
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run did.

    Attributes:
        kind: what was asked.
        environment: name of the stack.
        changes: number of resources per operation, Pulumi's words (`create`, `same`, …); components are counted too.
        steps: every resource that was touched or found the same, in the order of completion.
        outputs: stack outputs after the run, secrets as `SECRET`; empty after a preview whose values are not known yet.
        diagnostics: all but ephemeral and debug messages, in order.
        violations: what policies objected to.
        failed: the operations that failed.
        seconds: wall clock of the whole run.
    """

    kind: RunKind
    environment: str
    changes: Mapping[str, int]
    steps: tuple[Step, ...]
    outputs: Mapping[str, object] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    violations: tuple[Violation, ...] = ()
    failed: tuple[FailedOperation, ...] = ()
    seconds: float = 0.0

    @property
    def changed(self) -> int:
        """Number of resources that the run changed, or would change."""
        return sum(count for op, count in self.changes.items() if op not in {"same", "read", "refresh"})
