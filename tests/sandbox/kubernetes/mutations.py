"""Mutations of Kubernetes objects: what is broken must be refused by its path, or be listed in docs/sandbox.md.

The objects are those of the committed stacks and the valid examples of objects.py. A change that the sandbox lets
through is put to the official client's models: what these refuse is a hole. What they accept too is harmless when an
optional field was dropped; any other change must stand in the table of docs/sandbox.md.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.contract import ContractBook
from sandbox.errors import SandboxError
from sandbox.kubernetes.api import DEFINITION, RELEASE, Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind, is_served
from sandbox.providers.kubernetes import Kubernetes
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import Value
from tests.components.graphs import ROOT, stack_graph, whole_numbers
from tests.sandbox.kubernetes.objects import KINDS, example, token_of
from tests.sandbox.kubernetes.official import complaints, model_of

Steps = tuple[str | int, ...]
CLUSTER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
_DOC = ROOT / "docs" / "sandbox.md"
_HEADING = "| mutation of a Kubernetes object | field | why |"
_WRONG_OWNER = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "0"}]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change of one object: `op`, where, and what stands there instead."""

    op: str
    token: str
    body: Any
    steps: Steps
    value: Any = None

    @property
    def path(self) -> str:
        """The field as the API server writes it."""
        text = ""
        for step in self.steps:
            if isinstance(step, int):
                text += f"[{step}]"
            else:
                text += f".{step}" if re.fullmatch(r"[A-Za-z_$][\w$-]*", step) else f"[{step}]"
        return text.lstrip(".")

    @property
    def place(self) -> str:
        """Kind and field, without indices: what the table's patterns are about."""
        return f"{self.token.rpartition(':')[2]} " + re.sub(r"\[\d+\]", "[]", self.path)

    @property
    def before(self) -> str:
        """What stands at the field: a plain value, or what kind of value."""
        value: Any = self.body
        for step in self.steps:
            value = value.get(step) if isinstance(value, dict) else value[step]
        return type(value).__name__ if isinstance(value, dict | list) else repr(value)

    def apply(self) -> Value:
        """The object with the change."""
        body = copy.deepcopy(self.body)
        here = body
        for step in self.steps[:-1]:
            here = here[step]
        last: Any = self.steps[-1]
        if self.op == "drop":
            del here[last]
        elif self.op == "rename":
            here[self.value] = here.pop(last)
        else:
            here[last] = self.value
        return body


@dataclass
class Verdicts:
    """How often what happened, the holes, and the rows of the table that were needed."""

    counts: Counter[str] = field(default_factory=Counter)
    holes: list[str] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)


def subjects() -> list[tuple[str, Any]]:
    """Type token and inputs of everything that is mutated."""
    found = {}
    for stack in ("staging", "prod"):
        for item in stack_graph(stack).resources:
            if item.type.startswith("kubernetes:"):
                found[f"{item.type} {item.name}"] = (item.type, whole_numbers(item.inputs))
    return [*found.values(), *((token_of(example(kind)), example(kind)) for kind in KINDS)]


@cache
def mutations() -> tuple[Mutation, ...]:
    """Every field of every subject, broken in every way.

    Regions and pools have objects alike: the same change of the same value in the same field is made once.
    """
    found = (
        mutation
        for token, body in subjects()
        for mutation in (*_of_value(token, body, body, ()), *_of_object(token, body))
    )
    return tuple({(one.op, one.token, one.place, repr(one.value), one.before): one for one in found}.values())


def _of_object(token: str, body: Value) -> Iterator[Mutation]:
    if "metadata" not in body:
        return
    yield Mutation(op="name", token=token, body=body, steps=("metadata", "name"), value="Not/A/Name")
    owners: Steps = ("metadata", "ownerReferences")
    yield Mutation(op="owner", token=token, body=body, steps=owners, value=_WRONG_OWNER)
    if "namespace" in body["metadata"]:
        yield Mutation(op="namespace", token=token, body=body, steps=("metadata", "namespace"), value="nowhere")
    else:
        yield Mutation(op="scope", token=token, body=body, steps=("metadata", "namespace"), value="default")


def _of_value(token: str, body: Value, value: Value, steps: Steps) -> Iterator[Mutation]:
    changes: list[tuple[str, Value]] = []
    if steps and isinstance(steps[-1], str):
        changes += [("drop", None), ("rename", f"{steps[-1]}X")]
    if steps:
        changes += _other_values(value)
    yield from (Mutation(op=op, token=token, body=body, steps=steps, value=new) for op, new in changes)
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in below:
        yield from _of_value(token, body, item, (*steps, step))


def _other_values(value: Value) -> list[tuple[str, Value]]:
    if isinstance(value, dict | list):
        return [("retype", "text")]
    if isinstance(value, bool):
        return [("retype", "yes")]
    if isinstance(value, int):
        return [("retype", [value]), ("range", -1), ("range", 2**40)]
    return [("retype", 7), ("format", "no such thing!")]


class Laboratory:
    """A cluster with the namespaces and charts that the subjects need; every mutation is checked and dry-run in it."""

    def __init__(self, directory: Path, book: ContractBook) -> None:
        self.store = Store(directory)
        self.provider = Kubernetes(self.store, book)
        self.api = KubernetesApi(self.store, CLUSTER, types=self.provider._type_errors)
        # Definitions stand there already, and a copy must not have another name: they are asked of an empty cluster.
        self.bare = KubernetesApi(self.store, f"{CLUSTER}-bare", types=self.provider._type_errors)
        # What AKS's add-ons and definitions of the program's own bring is there.
        with self.store.transaction() as transaction:
            inputs = {
                "workloadAutoScalerProfile": {"keda": {"enabled": True}},
                "azureMonitorProfile": {"metrics": {"enabled": True}},
            }
            transaction.put(
                CLUSTER, {"id": CLUSTER, "created": "", "inputs": inputs, "outputs": {"location": "eastus"}}
            )
        for token, body in subjects():
            kind = Kind.from_token(token)
            address = self.api.address(kind, body["metadata"]) if kind == DEFINITION else None
            if address is not None and self.api.get(address) is None:
                self.api.create(address, body)
        for token, body in [*subjects(), ("kubernetes:core/v1:Namespace", {"metadata": {"name": "team"}})]:
            kind = Kind.from_token(token)
            if kind.kind == "Namespace":
                address = self.api.address(kind, body["metadata"])
                self.api.apply(address, body, manager="m")
        for token, body in subjects():
            if Kind.from_token(token) == RELEASE:
                address = Address(RELEASE, body["namespace"], body["name"])
                # The stacks' clusters are one here, and the same chart is in several of them.
                self.api.put_release(address, body, create=self.api.get(address) is None)
        account = {"metadata": {"name": "web", "namespace": "team"}}
        self.api.create(Address(Kind("", "v1", "ServiceAccount"), "team", "web"), account)

    def answer(self, mutation: Mutation) -> str | None:
        """What the sandbox says to a mutation, or None when it takes the object."""
        return self.answer_to(mutation.token, mutation.apply())

    def answer_to(self, token: str, body: Value) -> str | None:
        """What the sandbox says to a new object, or None when it takes it."""
        request = CheckRequest(urn=Urn(token, "x"), olds={}, news=body, random_seed=bytes(64))
        checked = self.provider.check(request)
        if checked.failures:
            return "\n".join(f"{failure.path}: {failure.reason}" for failure in checked.failures)
        kind = Kind.from_token(token)
        if kind == RELEASE:
            return None
        inputs = {**checked.inputs, "metadata": {**checked.inputs["metadata"]}}
        api = self.bare if kind == DEFINITION else self.api
        address = api.address(kind, inputs["metadata"])
        if api.get(address) is not None:
            # What stands in the cluster already is made once more under another name.
            inputs["metadata"]["name"] += "-again"
            address = api.address(kind, inputs["metadata"])
        try:
            api.create(address, inputs, dry_run=True)
        except SandboxError as error:
            return str(error)
        return None

    def judge(self, mutation: Mutation, verdicts: Verdicts) -> None:
        """Sort one mutation."""
        answer = self.answer(mutation)
        if answer is not None:
            named = _named(mutation, answer)
            verdicts.counts["refused" if named else "unnamed"] += 1
            if not named:
                verdicts.holes.append(f"{mutation.op} {mutation.place}: refused without its path: {answer}")
        elif is_served(Kind.from_token(mutation.token)) and any(complaints(mutation.apply(), model_of(mutation.body))):
            verdicts.holes.append(f"{mutation.op} {mutation.place}: the official model refuses it")
        elif mutation.op == "drop":
            verdicts.counts["harmless: optional"] += 1
        elif (row := next((row for row in not_covered() if _fits(row, mutation)), None)) is not None:
            verdicts.counts["listed as not covered"] += 1
            verdicts.used.add(row)
        else:
            verdicts.holes.append(f"{mutation.op} {mutation.place} = {mutation.value!r}: taken")


def _named(mutation: Mutation, answer: str) -> bool:
    """Whether an answer names the field, the one that is missing, or what the field is part of."""
    path = mutation.path
    quoted = re.sub(r"\[([^\]\d][^\]]*)\]", r'["\1"]', path)
    parent = path.rpartition(".")[0] if not path.endswith("]") else path.rpartition("[")[0]
    if mutation.op == "namespace":
        return "namespaces" in answer
    if path in {"metadata", "metadata.namespace"} and "default/" in answer:
        return True  # without its namespace an object is another one, in the namespace "default"
    if "selector" in path and "`selector` does not match template `labels`" in answer:
        return True
    whole = parent.rpartition(".")[0]  # a request without its limit: the error is about the resources
    return any(text and text in answer for text in (path, quoted, parent, whole))


def _fits(row: tuple[str, str], mutation: Mutation) -> bool:
    return mutation.op in row[0].split(", ") and fnmatchcase(mutation.place, row[1].replace("[]", "[[]]"))


@cache
def not_covered() -> tuple[tuple[str, str], ...]:
    """The table of docs/sandbox.md: kinds of mutation, and a shell pattern of kind and field."""
    _, _, rest = _DOC.read_text(encoding="utf-8").partition(_HEADING)
    rows = []
    for line in rest.splitlines()[2:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        rows.append((cells[0], cells[1]))
    assert rows, "docs/sandbox.md has lost its table of what mutations of Kubernetes objects are not covered"
    return tuple(rows)


def campaign(laboratory: Laboratory, count: int) -> Verdicts:
    """Mutations drawn by hypothesis, always the same."""
    verdicts = Verdicts()

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(mutations()))
    def one(mutation: Mutation) -> None:
        laboratory.judge(mutation, verdicts)

    one()
    return verdicts
