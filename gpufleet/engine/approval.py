"""An approved preview: what it showed, in a file that `up` is held to.

Nothing in the file shows a value. What is to be made is kept as digests with a salt of the file's own, so that two
files can't be compared and a list of likely values is no use for the next. Secrets have no digest at all: the engine
masks them before anyone here sees them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gpufleet.cost import Estimate
from gpufleet.engine.errors import EngineError
from gpufleet.engine.results import STEPS_OF_A_WHOLE, UNKNOWN, Step
from gpufleet.errors import ConfigurationError, ExitCode
from gpufleet.graph.model import STACK_TYPE

UNCHANGING: Final = frozenset({"same", "read", "refresh", "discard", "diff"})
"""Operations after which the cloud is as before (`discard`: the state forgets what it only read)."""

_SKEW: Final = dt.timedelta(minutes=5)
"""What two machines' clocks may differ by (Kerberos' tolerance, RFC 4120 8.2)."""
_DIGEST_CHARACTERS: Final = 32

Given = Mapping[str, frozenset[str]]
"""By URN, the properties that the program itself gives. A provider adds others, random names among them."""


class NotApprovedError(EngineError):
    """Something would happen, or has begun to, that the approved preview did not show."""

    exit_code = ExitCode.UNEXPECTED_CHANGES


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
    )


_Digest = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{_DIGEST_CHARACTERS}}}$")]


class Change(_Part):
    """One property that changes; `old` is the digest of its value before."""

    path: str
    kind: str
    replaces: bool
    old: _Digest


class ApprovedStep(_Part):
    """One operation on one resource.

    Attributes:
        op: `create`, `update`, `replace`, `delete` or another of the engine's words; a replacement is one step.
        inputs: digest of what each property is to be, of those that the program gives.
        unknown: places in them that were known after the run only, as JSON pointers (RFC 6901).
        changes: of an update or a replacement, when the provider names any.
    """

    urn: str
    type: str
    op: str
    inputs: dict[str, _Digest]
    unknown: tuple[str, ...]
    changes: tuple[Change, ...]


class Cost(_Part):
    """USD a month of 730 hours, and how much has no price and is in none of the three."""

    floor: Decimal
    expected: Decimal
    ceiling: Decimal
    unpriced: Annotated[int, Field(ge=0)]

    @classmethod
    def of(cls, estimate: Estimate) -> Cost:
        """Of an estimate."""
        total = estimate.total.monthly
        return cls(floor=total.floor, expected=total.expected, ceiling=total.ceiling, unpriced=len(estimate.unpriced))

    def above(self, approved: Cost) -> Iterator[str]:
        """What is more than approved, in words."""
        for bound in ("floor", "expected", "ceiling"):
            now, then = getattr(self, bound), getattr(approved, bound)
            if now > then:
                yield f"cost at {bound}: ${now:,.2f} a month, ${now - then:,.2f} above the approved ${then:,.2f}"
        if self.unpriced > approved.unpriced:
            yield f"cost: {self.unpriced:,} charges without a price, {approved.unpriced:,} approved"


class Target(_Part):
    """What a run acts on.

    Attributes:
        environment: name of the stack.
        subscription: its Azure subscription's GUID.
    """

    environment: str
    sandbox: bool
    subscription: str


class Tools(_Part):
    """Versions that the preview was made with."""

    gpufleet: str
    engine: str


class Git(_Part):
    """The checkout that the preview was made in; `modified` when it was not as committed."""

    commit: str
    modified: bool


class StateSeen(_Part):
    """The state that the preview was made against.

    Attributes:
        saved_at: when the engine wrote it; "" of a stack that was never deployed.
        resources: how many it holds, components among them.
    """

    saved_at: str
    resources: int

    @classmethod
    def of(cls, state: Mapping[str, object]) -> StateSeen:
        """Of a state as `pulumi stack export` gives it."""
        deployment = state.get("deployment")
        deployment = deployment if isinstance(deployment, Mapping) else {}
        manifest, resources = deployment.get("manifest"), deployment.get("resources")
        saved = manifest.get("time") if isinstance(manifest, Mapping) else ""
        return cls(saved_at=str(saved or ""), resources=len(resources) if isinstance(resources, list) else 0)


class Approval(_Part):
    """An approved preview; its JSON Schema is docs/schemas/approval.v1.json."""

    schema_version: Literal[1] = 1
    kind: Literal["approval"] = "approval"
    created_at: AwareDatetime
    target: Target
    tools: Tools
    git: Git | None
    state: StateSeen
    cost: Cost
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    steps: tuple[ApprovedStep, ...]

    @property
    def text(self) -> str:
        """The file: JSON with the digest over all the rest."""
        body = self.model_dump(mode="json", by_alias=True)
        return json.dumps({**body, "digest": _whole(body)}, indent=1)

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal over everything else in the file."""
        return _whole(self.model_dump(mode="json", by_alias=True))

    def require_for(self, target: Target, *, now: dt.datetime, max_age: dt.timedelta, name: str) -> None:
        """Make sure that it may be used here and now.

        Raises:
            NotApprovedError: it is another stack's or another subscription's, too old, or dated in the future.
        """
        was = self.target
        if was != target:
            raise NotApprovedError(
                f"{name} approves {_of(was)}, and this is {_of(target)}", hint="Save a preview of this one."
            )
        age = now - self.created_at
        if age < -_SKEW:
            raise NotApprovedError(
                f"{name} is dated {self.created_at:%Y-%m-%d %H:%M} UTC, which is yet to come",
                hint="Set the clock of this machine, or save a new preview.",
            )
        if age > max_age:
            raise NotApprovedError(
                f"{name} was saved {self.created_at:%Y-%m-%d %H:%M} UTC: more than {max_age.days} days ago",
                hint="Save a new preview, have it approved, or allow more with --approved-max-age DAYS.",
            )


def approve(
    steps: Iterable[Step],
    *,
    target: Target,
    tools: Tools,
    git: Git | None,
    state: Mapping[str, object],
    cost: Cost,
    given: Given,
    now: dt.datetime,
) -> Approval:
    """What a preview showed.

    Args:
        steps: of the preview.
        target: what it was of.
        tools: what made it.
        git: the checkout; None outside of one.
        state: what it was made against, as `pulumi stack export` gives it.
        cost: of what is to be.
        given: see `Given`; of a URN that is not in it, every property counts as the program's.
        now: with its time zone.
    """
    salt = secrets.token_hex(16)
    return Approval(
        created_at=now.astimezone(dt.UTC).replace(microsecond=0),
        target=target,
        tools=tools,
        git=git,
        state=StateSeen.of(state),
        cost=cost,
        salt=salt,
        steps=tuple(sorted((_approved(step, salt, given) for step in whole(steps)), key=lambda one: (one.urn, one.op))),
    )


def read(file: Path) -> Approval:
    """An approval from its file.

    Raises:
        ConfigurationError: the file can't be read.
        NotApprovedError: it is none, it was changed by hand, or it is damaged.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _malformed(file, "it is not UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(
            f"--approved {file}: {error.strerror or error}", hint="`gpufleet preview ENV --save FILE` writes one."
        ) from None
    try:
        body = json.loads(text)
        if not isinstance(body, dict):
            raise _malformed(file, "it is not a JSON object")
        digest = body.pop("digest", None)
        expected = _whole(body)
    except (ValueError, RecursionError):
        raise _malformed(file, "it is not JSON") from None
    if not isinstance(digest, str) or not hmac.compare_digest(digest.encode(), expected.encode()):
        raise NotApprovedError(
            f"--approved {file}: its digest does not fit, so it was changed since it was saved",
            hint="Take the file as `gpufleet preview ENV --save` wrote it, or save a new preview.",
        )
    try:
        return Approval.model_validate_json(json.dumps(body))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _malformed(file, f"{place}: {first['msg']}" if place else first["msg"]) from None


def whole(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps that change something, a replacement's three as one; components and the stack itself do nothing."""
    found: dict[tuple[str, str], Step] = {}
    for step in steps:
        op = STEPS_OF_A_WHOLE.get(step.op, step.op)
        if op in UNCHANGING or not step.resource.custom or step.resource.type == STACK_TYPE:
            continue
        key = (step.resource.urn, op)
        before = found.get(key)
        found[key] = replace(
            step,
            op=op,
            inputs=step.inputs or (before.inputs if before else {}),
            diffs=step.diffs or (before.diffs if before else ()),
        )
    yield from found.values()


def fingerprint(salt: str, value: object) -> str:
    """Digest of a value with the salt of its file."""
    code = hmac.new(bytes.fromhex(salt), _canonical(value), hashlib.sha256)
    return code.hexdigest()[:_DIGEST_CHARACTERS]


def own(step: Step, given: Given) -> dict[str, object]:
    """What the program itself wants a resource to be."""
    names = given.get(step.resource.urn)
    return {name: value for name, value in step.inputs.items() if names is None or name in names}


def hidden(value: object, places: Sequence[str]) -> object:
    """A value with `UNKNOWN` at some places, given as JSON pointers; places that it does not have are left out."""
    for place in places:
        value = _hide(value, [part.replace("~1", "/").replace("~0", "~") for part in place.split("/")[1:]])
    return value


def _approved(step: Step, salt: str, given: Given) -> ApprovedStep:
    inputs = own(step, given)
    return ApprovedStep(
        urn=step.resource.urn,
        type=step.resource.type,
        op=step.op,
        inputs={name: fingerprint(salt, value) for name, value in sorted(inputs.items())},
        unknown=tuple(_unknown(inputs)),
        changes=tuple(
            Change(path=diff.path, kind=diff.kind.value, replaces=diff.replaces, old=fingerprint(salt, diff.old))
            for diff in step.diffs
        ),
    )


def _unknown(value: object, place: str = "") -> Iterator[str]:
    if value == UNKNOWN:
        yield place
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unknown(item, f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, f"{place}/{index}")


def _hide(value: object, parts: Sequence[str]) -> object:
    if not parts:
        return UNKNOWN
    first, rest = parts[0], parts[1:]
    if isinstance(value, Mapping) and first in value:
        return {**value, first: _hide(value[first], rest)}
    if isinstance(value, list) and first.isdecimal() and int(first) < len(value):
        return [*value[: int(first)], _hide(value[int(first)], rest), *value[int(first) + 1 :]]
    return value


def _whole(body: Mapping[str, object]) -> str:
    return hashlib.sha256(_canonical(body)).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _malformed(file: Path, why: str) -> NotApprovedError:
    return NotApprovedError(
        f"--approved {file} is no approval: {why}", hint="`gpufleet preview ENV --save FILE` writes one."
    )


def _of(target: Target) -> str:
    place = "the sandbox" if target.sandbox else "Azure"
    return f"{target.environment} in {place}, subscription {target.subscription}"
