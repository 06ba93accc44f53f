"""What a rule is."""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import ConfigDict, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from gpufleet.spec.base import Documented, Path

if TYPE_CHECKING:
    from policies.view import View


class Pack(StrEnum):
    """The policy pack that a rule belongs to: the folder `policies/<pack>`."""

    COST = "cost"
    SCALING = "scaling"
    PLATFORM = "platform"


class Severity(StrEnum):
    """How much is at stake, in Pulumi's words (pulumi_policy.Severity)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Enforcement(StrEnum):
    """What a finding does, in Pulumi's words (pulumi_policy.EnforcementLevel)."""

    REMEDIATE = "remediate"
    """Mandatory, and a policy pack mends what it can: tags, of the rules whose `remediates` is true."""
    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    DISABLED = "disabled"


class Scope(StrEnum):
    """What a rule has to see."""

    RESOURCE = "resource"
    """One resource at a time: the engine asks before it creates the resource."""
    STACK = "stack"
    """The whole graph, and what was declared: the engine asks at the end of a preview, and at the end of an `up`."""


class Settings(Documented):
    """Base of the rules' settings: keys in camelCase, an unknown key is an error.

    Give fields plain types (int, float, bool, str, lists of them) with literal defaults: they become the policy's
    configuration schema, and `default_factory` would leave no default in it.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        defer_build=True,
        allow_inf_nan=False,  # nothing is more than NaN, so as a limit it would let everything pass
    )

    @field_validator("*", mode="before")
    @classmethod
    def _a_number_is_no_text(cls, value: object, info: ValidationInfo) -> object:
        """As the engine has it, which goes by the JSON schema: pydantic takes "24" and true for numbers, too."""
        if isinstance(value, bool | str) and cls.model_fields[str(info.field_name)].annotation in {int, float}:
            raise PydanticCustomError("number", "Input should be a number, not {value}", {"value": json.dumps(value)})
        return value


class Subject(Protocol):
    """What a rule judges: a pool, another resource, a fabric or region, the environment."""

    @property
    def urn(self) -> str:
        """Of the resource or component."""

    @property
    def label(self) -> str:
        """A name that stays when lines move and pools rotate: `training/lab/pools/h100`."""

    def path(self, *setting: str | int) -> Path:
        """Where in the environment's specification the subject, or one of its settings, stands; () when nowhere."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """What is wrong with a subject.

    Attributes:
        message: the cause with its numbers, without a full stop.
        fix: what to do; "" for the rule's own `fix`.
        setting: below the subject in the specification, what decides it: `("nodes", "max")`.
        at: instead of `setting`, the full path in the specification.
        amount: how bad it is, in the rule's `measure`: the larger the worse. A waiver bounds it.
        decided: False when nobody can tell; the message then says what is missing.
    """

    message: str
    fix: str = ""
    setting: tuple[str | int, ...] = ()
    at: Path | None = None
    amount: Decimal | int | None = None
    decided: bool = True


SubjectT = TypeVar("SubjectT", bound=Subject)
SettingsT = TypeVar("SettingsT", bound=Settings)


class Rule(ABC, Generic[SubjectT, SettingsT]):
    """One rule. Its docstring is its documentation: a first line that states what must hold, then the reason.

    A rule is not applicable when it finds no subject, passes when it objects to none, and fails or is undecided
    otherwise. It reads properties through `policies.reading.Properties` alone and lets what that raises through:
    `policies.evaluate` turns it into the verdict of the subject, and goes on with the next one.
    """

    id: ClassVar[str]
    """Such as `COST002`; the policy's name in its pack, and forever the same."""
    pack: ClassVar[Pack]
    severity: ClassVar[Severity]
    enforcement: ClassVar[Enforcement] = Enforcement.MANDATORY
    """Unless the environment's configuration says otherwise."""
    scope: ClassVar[Scope]
    waivable: ClassVar[bool] = True
    answerable: ClassVar[bool] = False
    """Whether the stack file alone answers what it leaves undecided: under strict that is a broken rule (exit code 5)
    and no open question (10)."""
    measure: ClassVar[str] = ""
    """Of an objection's `amount`, in camelCase with its unit: `maxNodes`, `overBudgetUsd`; "" when it has none. A
    waiver of a rule with a measure must give a bound in it."""
    remediates: ClassVar[bool] = False
    """Whether `remedy` can mend what the rule objects to. Tags alone are ever mended: what a pull request doesn't show,
    such as another size of a pool, would be a surprise."""
    fix: ClassVar[str]
    """What to do, a sentence without its full stop, unless an objection says it better."""
    source: ClassVar[str]
    """The documentation behind it; "" when it is arithmetic on what was declared."""
    settings: ClassVar[type[Settings]] = Settings

    @abstractmethod
    def subjects(self, view: View) -> Iterable[SubjectT]:
        """What there is to judge. For a rule of scope `RESOURCE`: of a graph that holds one resource."""

    @abstractmethod
    def judge(self, subject: SubjectT, view: View, settings: SettingsT) -> Iterator[Objection]:
        """Everything wrong with a subject.

        Raises:
            UndecidedError, MistypedError: a value can't be read; see `policies.reading`.
        """

    def remedy(self, subject: SubjectT, view: View, settings: SettingsT) -> Mapping[str, str]:  # noqa: ARG002
        """Tags that a subject lacks, by key; none when there is nothing to mend or nobody can.

        Raises:
            UndecidedError, MistypedError: as `judge`.
        """
        return {}

    @classmethod
    def title(cls) -> str:
        """The first line of the docstring, without its full stop."""
        return cls.documentation().partition("\n")[0].rstrip(".")

    @classmethod
    def documentation(cls) -> str:
        """The docstring."""
        return inspect.cleandoc(cls.__doc__ or "")


AnyRule = Rule[Any, Any]
