"""Changes behind the tool's back: an evicted Spot pool, a property that somebody edited."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandbox import arm
from sandbox.azure import registry
from sandbox.azure.resource_manager import ResourceManager
from sandbox.contract import ContractBook
from sandbox.errors import SandboxError
from sandbox.kubernetes.api import KubernetesApi
from sandbox.kubernetes.kinds import Kind
from sandbox.pace import Pace
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Record, Store
from sandbox.values import Properties, Value

_POOL = "azure-native:containerservice:AgentPool"
_STEP = re.compile(r"""\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]""")


@dataclass(frozen=True, kw_only=True)
class Eviction:
    """What an eviction did to a pool.

    Attributes:
        id: the pool's ARM id.
        nodes: nodes that Azure took.
        left: the pool's count afterwards.
        policy: `Delete`, or `Deallocate`, which keeps the nodes stopped and counted.
    """

    id: str
    nodes: int
    left: int
    policy: str


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One property to set: its path in steps (names and indices) and the value; None takes the property away."""

    path: tuple[str | int, ...]
    value: Value


def spot_pools(store: Store) -> Iterator[tuple[str, Record]]:
    """Every Spot pool: its key and record."""
    for key, record in store.items("/subscriptions/"):
        if record.get("token") == _POOL and record["outputs"].get("scaleSetPriority") == "Spot":
            yield key, record


def evict(store: Store, keys: Iterable[str]) -> list[Eviction]:
    """Take the nodes of Spot pools, as Azure does when it needs the capacity or the price goes above the pool's own.

    With policy Delete the machines go and the count falls to the autoscaler's minimum, which it orders again; with
    Deallocate they stay in the count, stopped (AKS docs: spot-node-pool).
    """
    evictions = []
    with store.transaction() as transaction:
        for key in keys:
            record = transaction.get(key)
            if record is None:
                continue
            outputs = record["outputs"]
            policy, count = outputs.get("scaleSetEvictionPolicy", "Delete"), int(outputs.get("count", 0))
            left = min(count, int(outputs.get("minCount", 0))) if policy == "Delete" else count
            evictions.append(Eviction(id=record["id"], nodes=count, left=left, policy=policy))
            if left != count:
                inputs = {**record["inputs"], "count": left}
                transaction.put(key, {**record, "inputs": inputs, "outputs": {**outputs, "count": left}})
    return evictions


def parse_path(text: str) -> tuple[str | int, ...]:
    """The steps of ``a.b[0]["c.d/e"]``.

    Raises:
        SandboxError: it is no path.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise SandboxError(f"'{text}' is no property path at '{text[position:]}': write a.b[0][\"c.d/e\"]")
        name, index, quoted = found.groups()
        steps.append(int(index) if index else name or quoted.replace('\\"', '"'))
        position = found.end()
    if not steps or isinstance(steps[0], int):
        raise SandboxError(f"'{text}' is no property path: it begins with a property's name")
    return tuple(steps)


def edit(store: Store, key: str, assignments: Iterable[Assignment], *, force: bool) -> None:
    """Change a resource or an object as if somebody did it in the portal or with kubectl.

    Args:
        store: the cloud.
        key: the key of what is changed.
        assignments: the properties to set.
        force: write them down as they are, read-only ones too; else they are checked like any other request.

    Raises:
        SandboxError: it is gone, a path leads nowhere, or the cloud refuses the change.
    """
    record = store.get(key)
    if record is None:
        raise SandboxError(f"nothing in the sandbox's cloud has the id '{key}'")
    chosen = list(assignments)
    if force:
        _write(store, key, chosen)
    elif "token" in record:
        _put(store, record, chosen)
    else:
        _apply(store, record, chosen)


def _write(store: Store, key: str, assignments: list[Assignment]) -> None:
    with store.transaction() as transaction:
        record = transaction.get(key)
        if record is None:
            raise SandboxError(f"nothing in the sandbox's cloud has the id '{key}'")
        part = "outputs" if "token" in record else "object"
        changed = {**record, part: _assigned(record[part], assignments)}
        if part == "outputs":
            known = [item for item in assignments if item.path[0] in record["inputs"]]
            changed["inputs"] = _assigned(record["inputs"], known)
        transaction.put(key, changed)


def _put(store: Store, record: Record, assignments: list[Assignment]) -> None:
    kind, book = registry.by_token(record["token"]), ContractBook("azure-native")
    # What the provider adds to a program's inputs is none of the program's.
    own = {name: value for name, value in record["inputs"].items() if name == "azureApiVersion" or name[:2] == "__"}
    inputs = _assigned({name: value for name, value in record["inputs"].items() if name not in own}, assignments)
    request = CheckRequest(urn=Urn(kind.pulumi_type, arm.name_of(record["id"])), olds=record["inputs"], news=inputs)
    checked = AzureNative(store, book).check(request)
    if checked.failures:
        raise SandboxError("\n".join(f"'{failure.path}': {failure.reason}" for failure in checked.failures))
    ResourceManager(store, book.get, subscription=record["id"].split("/")[2], pace=Pace()).update(
        record["id"], kind, {**own, **checked.inputs}
    )


def _apply(store: Store, record: Record, assignments: list[Assignment]) -> None:
    cluster, _, _ = record["id"].partition("//")
    body = _assigned(record["object"], assignments)
    if "apiVersion" not in body:
        raise SandboxError("a Helm release is changed by an upgrade, not by hand; --force writes it down all the same")
    api = KubernetesApi(store, cluster)
    group, _, version = body["apiVersion"].rpartition("/")
    api.update(api.address(Kind(group, version, body["kind"]), body["metadata"]), body)


def _assigned(properties: Properties, assignments: Iterable[Assignment]) -> Properties:
    changed = copy.deepcopy(properties)
    for assignment in assignments:
        _assign(changed, assignment)
    return changed


def _assign(root: Properties, assignment: Assignment) -> None:
    here: Value = root
    *way, last = assignment.path
    for step, following in zip(way, assignment.path[1:], strict=True):
        if isinstance(here, dict) and step not in here and isinstance(step, str):
            here[step] = [] if isinstance(following, int) else {}
        here = _child(here, step, assignment)
    if isinstance(here, list) and last == len(here) and assignment.value is not None:
        here.append(assignment.value)
    elif assignment.value is None:
        _child(here, last, assignment)
        del here[last]
    elif isinstance(here, dict) and isinstance(last, str):
        here[last] = assignment.value
    else:
        _child(here, last, assignment)
        here[last] = assignment.value


def _child(here: Value, step: str | int, assignment: Assignment) -> Value:
    fits = (isinstance(here, dict) and isinstance(step, str) and step in here) or (
        isinstance(here, list) and isinstance(step, int) and step < len(here)
    )
    if not fits:
        steps = "".join(f"[{item}]" if isinstance(item, int) else f".{item}" for item in assignment.path).lstrip(".")
        raise SandboxError(f"the path '{steps}' leads nowhere at '{step}'")
    return here[step]
