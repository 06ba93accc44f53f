"""Each rule of a resource type with a violating and a nearest passing case: rules.yaml."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.azure import registry
from sandbox.azure.checks import COMMON
from sandbox.azure.model import SANDBOX_SUBSCRIPTION, Check, NameRule, ResourceType
from sandbox.contract import ContractBook
from sandbox.errors import ArmError
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.difference import compare
from sandbox.providers.shell import CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import Properties
from tests.sandbox.azure.world import World, changed, kind_of, table, world
from tests.sandbox.conftest import Azure

RULES = table("rules.yaml")
# A pool of its own becomes an inline pool by these: the cluster's checks of inline pools are the same.
_POOL_ONLY = {"agentPoolName", "resourceName", "resourceGroupName"}

Row = tuple[str, Properties, str, Properties]


def lengths() -> Iterator[Row]:
    """Rows for lists that are too long to write down: one entry more than allowed, and the most."""
    for name, path, entry, most in RULES["lengths"]:
        entries = [_numbered(entry, index) for index in range(most + 1)]
        yield name, {path: entries}, path, {path: entries[:-1]}


def _numbered(entry: Any, index: int) -> Any:  # noqa: ANN401 JSON
    if isinstance(entry, dict):
        return {key: _numbered(value, index) for key, value in entry.items()}
    return entry.replace("{n}", str(index % 250)) if isinstance(entry, str) else entry


def inline_pools() -> Iterator[Row]:
    """The rows of a pool of its own, as a second inline pool of the cluster."""
    base = {key: value for key, value in world()["pool"][1].items() if key not in _POOL_ONLY}
    cluster = world()["cluster"][1]["agentPoolProfiles"]
    for name, bad, path, good in RULES["checks"]:
        if name == "pool" and path != "agentPoolName":
            pools = [[*cluster, {"name": "second", **changed(base, change)}] for change in (bad, good)]
            yield (
                "cluster",
                {"agentPoolProfiles": pools[0]},
                f"agentPoolProfiles[1].{path}",
                {"agentPoolProfiles": pools[1]},
            )


def notifications() -> Row:
    """A budget has five notifications at most."""
    one = world()["budget"][1]["notifications"]["half"]
    return (
        "budget",
        {"notifications": {f"n{i}": one for i in range(6)}},
        "notifications",
        {"notifications": {f"n{i}": one for i in range(5)}},
    )


ROWS: list[Row] = [*map(tuple, RULES["checks"]), *lengths(), *inline_pools(), notifications()]


@pytest.fixture(scope="module")
def provider(azure_book: ContractBook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureNative]:
    store = Store(tmp_path_factory.mktemp("rules"))
    yield AzureNative(store, azure_book)
    store.close()


@pytest.fixture(scope="module")
def made(azure_book: ContractBook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The whole world, once for the module: checks change nothing."""
    store = Store(tmp_path_factory.mktemp("world"))
    found = World(Azure(store, azure_book))
    found.make(*world())
    yield found
    store.close()


def failures(provider: AzureNative, kind: ResourceType, inputs: Properties) -> list[str]:
    urn = Urn(kind.pulumi_type, "generatedname")
    checked = provider.check(CheckRequest(urn=urn, olds={}, news=copy.deepcopy(inputs), random_seed=b"x" * 64))
    return [failure.path for failure in checked.failures]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[2]}")
def test_a_check_fails_at_its_path_and_passes_next_to_it(row: Row, provider: AzureNative, made: World) -> None:
    name, bad, path, good = row
    assert path in failures(provider, kind_of(name), made.inputs(name, bad))
    assert failures(provider, kind_of(name), made.inputs(name, good)) == []


@pytest.mark.parametrize("name", world())
def test_the_world_passes_every_check(name: str, provider: AzureNative, made: World) -> None:
    assert failures(provider, kind_of(name), made.inputs(name)) == []


def test_the_world_has_every_type() -> None:
    assert {kind_of(name).pulumi_type for name in world()} == set(registry.types())


def violated(made: World) -> Iterator[tuple[str, str, Check | NameRule]]:
    """Type, path and rule of every violation in the table."""
    for name, bad, path, _ in ROWS:
        kind, inputs = kind_of(name), made.inputs(name, bad)
        for check in (*COMMON, *kind.checks):
            if any(failure.path == path for failure in check(inputs)):
                yield kind.pulumi_type, path, check
        for key, rule in kind.names.items():
            if key == path and any(rule.check(key, inputs.get(key))):
                yield kind.pulumi_type, key, rule


def test_no_check_and_no_name_lacks_a_row(made: World) -> None:
    covered = list(violated(made))
    checks = {(token, id(rule)) for token, _, rule in covered}
    names = {(token, path) for token, path, rule in covered if isinstance(rule, NameRule)}
    missing = [
        f"{kind.title}: check {number} ({check.__qualname__})"
        for kind in registry.types().values()
        for number, check in enumerate(kind.checks)
        if (kind.pulumi_type, id(check)) not in checks
    ]
    missing += [
        f"{kind.title}: name {name}"
        for kind in registry.types().values()
        for name in kind.names
        if (kind.pulumi_type, name) not in names
    ]
    assert missing == []
    assert {id(check) for check in COMMON} <= {key for _, key in checks}


def test_no_fixed_property_lacks_a_row() -> None:
    def listed(section: str) -> set[tuple[str, str]]:
        return {(kind_of(row[0]).pulumi_type, row[1]) for row in RULES[section]}

    kinds = registry.types().values()
    assert listed("changes") == {(kind.pulumi_type, path) for kind in kinds for path in kind.immutable}
    assert listed("replacements") == {(kind.pulumi_type, path) for kind in kinds for path in kind.replace_on}


def before_and_after(made: World, row: list[Any], start: int) -> tuple[Properties, Properties]:
    """Inputs before and after a change of one property; the row may say its first value."""
    name, path, value = row[:3]
    first = {path: row[start]} if len(row) > start else {}
    return made.inputs(name, first), made.inputs(name, {**first, path: value})


def stored(made: World, name: str, inputs: Properties) -> str:
    """Give a resource of the world its first inputs, past the rules: only the change is under test."""
    store = made.azure.manager.store
    with store.transaction() as transaction:
        record = transaction.get(made.ids[name])
        assert record is not None
        transaction.put(record["id"], {**record, "inputs": inputs})
    return made.ids[name]


@pytest.fixture
def fresh(store: Store, azure_book: ContractBook) -> World:
    return World(Azure(store, azure_book))


@pytest.mark.parametrize("row", RULES["changes"], ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_fixed_property_stays(row: list[Any], fresh: World) -> None:
    name, path, _, code = row[:4]
    fresh.make(name)
    before, after = before_and_after(fresh, row, 4)
    resource_id = stored(fresh, name, before)
    assert compare(before, after, kind_of(name).replace_on)[_top(before, after, path)].replace is False
    with pytest.raises(ArmError) as error:
        fresh.azure.manager.update(resource_id, kind_of(name), after)
    assert error.value.code == code
    # The nearest change that passes is none.
    assert fresh.azure.manager.update(resource_id, kind_of(name), before).id == resource_id


def _top(before: Properties, after: Properties, path: str) -> str:
    """The path of the change as the provider names it, at or inside the property."""
    return next(where for where in compare(before, after) if where.startswith(path))


@pytest.mark.parametrize("row", RULES["replacements"], ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_property_replaces(row: list[Any], fresh: World) -> None:
    name, path = row[:2]
    fresh.make(name)
    before, after = before_and_after(fresh, row, 3)
    changes = compare(before, after, kind_of(name).replace_on)
    assert [where for where, change in changes.items() if change.replace] == [_top(before, after, path)]
    resource_id = stored(fresh, name, before)
    with pytest.raises(ArmError) as error:
        fresh.azure.manager.update(resource_id, kind_of(name), after)
    assert error.value.status in {400, 409}


def test_the_subscription_is_fictional() -> None:
    assert SANDBOX_SUBSCRIPTION == "5a4db0c5-0000-4000-8000-000000000001"
