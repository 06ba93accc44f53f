"""The committed stacks in the sandbox's Azure without the engine: resources go to the provider one by one.

The program runs under Pulumi's mocks; each resource of azure-native is checked and created by the sandbox's own
provider, in the order in which the engine could send it, so every input is as the provider gets it.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from gpufleet.spec.stack_file import StackFile
from sandbox.contract import ContractBook
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import Properties, reveal
from tests.components import graphs


class RefusedError(Exception):
    """The sandbox refused a resource of a committed stack."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """One resource as the provider got it."""

    token: str
    name: str
    inputs: Properties
    """As the program gave them."""
    checked: Properties
    """With the provider's own additions (API version, location)."""
    id: str


@dataclass
class StackCloud(Mocks):
    """A cloud for one program run."""

    provider: AzureNative
    store: Store
    snapshots: Path | None = None
    """Where to keep the journal as it is before each creation (`0.jsonl`, `1.jsonl`, …); None for nowhere."""
    made: list[Made] = field(default_factory=list)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if not args.typ.startswith("azure-native:"):
            return f"{args.name}-id", dict(args.inputs)
        inputs = plain(args.inputs)
        urn = Urn(args.typ, args.name)
        seed = hashlib.sha512(args.name.encode()).digest()
        checked = self.provider.check(CheckRequest(urn=urn, olds={}, news=inputs, random_seed=seed))
        if checked.failures:
            raise RefusedError(f"{args.name}: {checked.failures}")
        if self.snapshots is not None and self.made:  # before the first there is no journal
            shutil.copy(self.store.path, self.snapshots / f"{len(self.made)}.jsonl")
        resource_id, outputs = self.provider.create(urn, checked.inputs)
        self.made.append(Made(token=args.typ, name=args.name, inputs=inputs, checked=checked.inputs, id=resource_id))
        return resource_id, reveal(outputs)

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        return reveal(self.provider.invoke(args.token, plain(args.args))), []


def plain(value: Any) -> Any:  # noqa: ANN401 JSON
    """A value as the engine's wire form gives it: no nulls, whole numbers as integers."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def bring_up(stack: str, store: Store, book: ContractBook, snapshots: Path | None = None) -> list[Made]:
    """Create a committed stack in a store; what was made, in order.

    Args:
        stack: its name.
        store: the cloud.
        book: the contracts.
        snapshots: a folder for the journal as it is before each creation.

    Raises:
        RefusedError: the sandbox refuses something at its check.
        SandboxError: it refuses something at its creation.
    """
    cloud = StackCloud(AzureNative(store, book), store, snapshots)
    file = StackFile.read(graphs.ROOT / "stacks" / f"Pulumi.{stack}.yaml")
    graphs.build(file.environment, stack=stack, mocks=lambda _: cloud)
    return cloud.made
