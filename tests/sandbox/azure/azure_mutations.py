"""Mutations of the committed stacks' real resources: what is broken must be refused, by its name, or be listed as not
covered in docs/sandbox.md.

Each example takes one resource of a stack as the provider got it, changes one property, and asks the sandbox to check
and create it in the cloud as it was just before that resource was made. What the sandbox lets through is put to
Microsoft's own models (tests/contract): what these refuse is a hole. What they accept too is harmless when a property
that they call optional was dropped; any other change that passes must stand in the table of docs/sandbox.md.
"""

from __future__ import annotations

import copy
import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.azure import registry
from sandbox.contract import ContractBook
from sandbox.errors import SandboxError
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import Properties
from tests.components.graphs import ROOT
from tests.contract import official
from tests.sandbox.azure.stack_cloud import Made, bring_up

DOC = ROOT / "docs" / "sandbox.md"
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change of one resource."""

    kind: str
    resource: Made
    path: Path_
    value: Any
    """What stands there instead; nothing for a drop, the new key for a rename."""

    @property
    def where(self) -> str:
        """The path as people write it."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")

    def apply(self) -> Properties:
        """The resource's inputs with the change."""
        inputs = copy.deepcopy(self.resource.inputs)
        target: Any = inputs
        for step in self.path[:-1]:
            target = target[step]
        last = self.path[-1]
        if self.kind == "drop":
            del target[last]
        elif self.kind == "rename":
            target[self.value] = target.pop(last)
        else:
            target[last] = self.value
        return inputs

    def __str__(self) -> str:
        value = "" if self.kind == "drop" else f" -> {self.value!r}"
        return f"{self.kind} {self.resource.token.partition(':')[2]} {self.resource.name} {self.where}{value}"


def places(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:  # noqa: ANN401 JSON
    """Every property and item inside, with its path."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key), item
        yield from places(item, (*path, key))


def mutations(resource: Made) -> Iterator[Mutation]:
    """Every mutation of a resource, by kind."""
    for path, value in places(resource.inputs):
        named = isinstance(path[-1], str)
        if named:
            yield Mutation(kind="drop", resource=resource, path=path, value=None)
            yield Mutation(kind="rename", resource=resource, path=path, value=f"{path[-1]}s")
        yield Mutation(kind="retype", resource=resource, path=path, value=_retyped(value))
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            for number in (-7, 10_000_019):
                yield Mutation(kind="range", resource=resource, path=path, value=number)
        elif isinstance(value, str) and _is_reference(resource, path, value):
            yield Mutation(kind="reference", resource=resource, path=path, value=_nobody(value))
        elif isinstance(value, str):
            kind = "enum" if re.fullmatch(r"[A-Z]\w+|\w+_\w+", value) else "format"
            yield Mutation(kind=kind, resource=resource, path=path, value="Nonesuch" if kind == "enum" else "!?")


def _is_reference(resource: Made, path: Path_, value: str) -> bool:
    """An ARM id, or the name of what the resource is below."""
    parents = registry.by_token(resource.token).path_parameters[:-1]
    return value.startswith("/subscriptions/") or (len(path) == 1 and path[0] in parents)


def _nobody(value: str) -> str:
    return f"{value.rpartition('/')[0]}/nobody" if "/" in value else "nobody0" if "." not in value else f"no{value}"


def _retyped(value: Any) -> Any:  # noqa: ANN401 JSON
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, list):
        return "list"
    return [value] if isinstance(value, dict) else {"value": value}


@dataclass(frozen=True, kw_only=True)
class NotCovered:
    """One row of docs/sandbox.md: a mutation that passes, and why."""

    kind: str
    type: str
    property: str
    why: str

    def fits(self, mutation: Mutation) -> bool:
        where = re.sub(r"\[\d+\]", "[]", mutation.where)
        token = mutation.resource.token.partition(":")[2]
        return (
            mutation.kind in self.kind.split(", ")
            and fnmatchcase(token, self.type)
            and fnmatchcase(where.replace("[]", "#"), self.property.replace("[]", "#"))
        )


@cache
def not_covered() -> tuple[NotCovered, ...]:
    """The table in docs/sandbox.md: the rows below its header."""
    text = DOC.read_text(encoding="utf-8")
    _, found, rest = text.partition("| change | type | property | why it passes |\n")
    assert found, "docs/sandbox.md has lost its table of what mutations are not covered"
    rows = []
    for line in rest.splitlines()[1:]:
        if not line.startswith("|"):
            break
        kind, token, path, why = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
        rows.append(NotCovered(kind=kind, type=token, property=path, why=why))
    return tuple(rows)


@dataclass
class Verdicts:
    """What became of the mutations of a campaign."""

    counts: Counter[str] = field(default_factory=Counter)
    holes: list[str] = field(default_factory=list)
    used: set[NotCovered] = field(default_factory=set)


class Laboratory:
    """The stacks' resources, and the cloud as it was before each of them was made."""

    def __init__(self, folder: Path, book: ContractBook, stacks: tuple[str, ...]) -> None:
        self.book = book
        self.folder = folder
        self.resources: list[tuple[str, int, Made]] = []
        for stack in stacks:
            snapshots = folder / stack
            snapshots.mkdir()
            store = Store(folder / f"{stack}-cloud")
            made = bring_up(stack, store, book, snapshots)
            store.close()
            self.resources += [(stack, index, resource) for index, resource in enumerate(made)]

    def judge(self, stack: str, index: int, mutation: Mutation) -> tuple[str, str]:
        """Where the mutation was refused (`check`, `create`) or `accepted`, and the text."""
        cloud = self.folder / "example"
        shutil.rmtree(cloud, ignore_errors=True)
        cloud.mkdir()
        if index:
            shutil.copy(self.folder / stack / f"{index}.jsonl", cloud / "cloud.jsonl")
        store = Store(cloud)
        try:
            provider = AzureNative(store, self.book)
            inputs = mutation.apply()
            urn = Urn(mutation.resource.token, mutation.resource.name)
            seed = hashlib.sha512(mutation.resource.name.encode()).digest()
            checked = provider.check(CheckRequest(urn=urn, olds={}, news=inputs, random_seed=seed))
            if checked.failures:
                return "check", "; ".join(f"{failure.path}: {failure.reason}" for failure in checked.failures)
            try:
                provider.create(urn, checked.inputs)
            except SandboxError as error:
                return "create", str(error)
            return "accepted", ", ".join(official.problems(mutation.resource.token, checked.inputs))
        finally:
            store.close()

    def try_one(self, stack: str, index: int, mutation: Mutation, verdicts: Verdicts) -> None:
        """Judge one mutation and note the verdict."""
        outcome, text = self.judge(stack, index, mutation)
        if outcome != "accepted":
            verdicts.counts[f"refused at {outcome}"] += 1
            if not names_it(mutation, text):
                verdicts.holes.append(f"{mutation}: refused at {outcome} without naming it: {text}")
        elif text:
            verdicts.holes.append(f"{mutation}: accepted, but the official model says {text}")
        elif mutation.kind == "drop":
            verdicts.counts["accepted: optional by the official model"] += 1
        elif (row := next((row for row in not_covered() if row.fits(mutation)), None)) is not None:
            verdicts.counts["accepted: listed in docs/sandbox.md"] += 1
            verdicts.used.add(row)
        else:
            verdicts.holes.append(f"{mutation}: accepted, and not listed in docs/sandbox.md")


def names_it(mutation: Mutation, text: str) -> bool:
    """Whether an error names the property or something in it, what stands in it now, or the resource."""
    target: Any = mutation.resource.inputs
    for step in mutation.path:
        target = target[step]
    words = [str(step) for step in (*mutation.path, *(path[-1] for path, _ in places(target))) if isinstance(step, str)]
    if isinstance(mutation.value, str):
        words.append(mutation.value.rpartition("/")[2])
    words += [mutation.resource.id, mutation.resource.id.rpartition("/")[2]]
    return any(_folded(word) in _folded(text) for word in words if _folded(word))


def _folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def campaign(laboratory: Laboratory, examples: int) -> Verdicts:
    """Draw mutations, the same ones in every run, and judge them."""
    verdicts = Verdicts()

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        stack, index, resource = data.draw(st.sampled_from(laboratory.resources))
        by_kind: dict[str, list[Mutation]] = {}
        for mutation in mutations(resource):
            by_kind.setdefault(mutation.kind, []).append(mutation)
        kind = data.draw(st.sampled_from(sorted(by_kind)))
        laboratory.try_one(stack, index, data.draw(st.sampled_from(by_kind[kind])), verdicts)

    run()
    return verdicts


def every_kind_of_place(laboratory: Laboratory) -> Verdicts:
    """Every mutation of every property, once for all resources of a type: list items count as one place."""
    verdicts, seen = Verdicts(), set()
    for stack, index, resource in laboratory.resources:
        for mutation in mutations(resource):
            place = (resource.token, re.sub(r"\[\d+\]", "[]", mutation.where), mutation.kind, str(mutation.value)[:3])
            if place not in seen:
                seen.add(place)
                laboratory.try_one(stack, index, mutation, verdicts)
    return verdicts
