"""Each rule that needs the cloud's state, with a refused and a nearest accepted step: state_rules.yaml."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from sandbox.azure import registry
from sandbox.contract import ContractBook
from sandbox.errors import ArmError
from sandbox.settings import set_setting
from sandbox.store import Store
from sandbox.values import Properties
from tests.sandbox.azure.world import World, changed, kind_of, table, world
from tests.sandbox.conftest import Azure

ROWS: list[dict[str, Any]] = table("state_rules.yaml")["rules"]


def target(row: dict[str, Any]) -> str:
    """The resource that a row's rule belongs to: the one it names, else that of its refused step."""
    name: str = row.get("resource") or row["bad"][1]
    return name


class Steps:
    """Runs a row's steps in a world."""

    def __init__(self, world_: World) -> None:
        self.world = world_
        self.manager = world_.azure.manager

    def run(self, step: list[Any]) -> None:
        verb, name, *rest = step
        if verb == "set":
            set_setting(self.manager.store, name, str(rest[0]), str(rest[1]))
            return
        change: Properties = rest[0] if rest else {}
        inputs = self.inputs(name, change)
        kind = kind_of(name)
        match verb:
            case "create":
                made = self.manager.create(kind, inputs)
                if self.manager.id_of(kind, self.world.inputs(name)) == made.id:
                    self.world.ids[name] = made.id
            case "update":
                self.manager.update(self.manager.id_of(kind, inputs), kind, inputs)
            case "delete":
                self.manager.delete(self.manager.id_of(kind, inputs))
            case "edit":
                self.edit(self.manager.id_of(kind, inputs), change)

    def edit(self, resource_id: str, change: Properties) -> None:
        """A change behind everybody's back, past the rules."""
        with self.manager.store.transaction() as transaction:
            record = transaction.get(resource_id)
            assert record is not None
            outputs = changed(record["outputs"], change)
            transaction.put(resource_id, {**record, "outputs": outputs})

    def inputs(self, name: str, change: Properties) -> Properties:
        """The world's inputs with a change; `…/x/../y` is a neighbour of x."""
        found: Properties = _neighbours(self.world.inputs(name, change))
        return found


def _neighbours(value: Any) -> Any:  # noqa: ANN401 JSON of any form
    if isinstance(value, dict):
        return {key: _neighbours(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_neighbours(item) for item in value]
    if isinstance(value, str) and "/../" in value:
        before, _, after = value.partition("/../")
        return f"{before.rpartition('/')[0]}/{after}"
    return value


@pytest.fixture
def steps(store: Store, azure_book: ContractBook) -> Steps:
    return Steps(World(Azure(store, azure_book)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{target(row)}-{row['rule']}-{row['code']}")
def test_a_rule_refuses_and_its_nearest_neighbour_passes(row: dict[str, Any], steps: Steps) -> None:
    steps.world.make(*row.get("needs", ()))
    if row.get("unlimited"):
        for quota in ("cores", "standardDSv5Family"):
            set_setting(steps.manager.store, "quota", f"eastus/{quota}", "1000000")
    for step in row.get("first", ()):
        steps.run(step)
    if "many" in row:
        count, name, change = row["many"]
        for number in range(count):
            numbered = {
                key: value.format(n=number) if isinstance(value, str) else value for key, value in change.items()
            }
            steps.run(["create", name, numbered])
    for step in row.get("given", ()):
        steps.run(step)
    with pytest.raises(ArmError) as error:
        steps.run(row["bad"])
    assert error.value.code == row["code"], error.value.message
    kind = kind_of(target(row))
    raised_in = {frame.name for frame in traceback.extract_tb(error.value.__traceback__)}
    assert row["rule"] in {rule.__name__ for rule in (*kind.rules, *kind.delete_rules)}
    if row["code"] != "AllocationFailed":  # raised at the end of the operation, far from its rule
        assert row["rule"] in raised_in
    for step in row.get("before_good", ()):
        steps.run(step)
    steps.run(row["good"])


def test_no_rule_lacks_a_row() -> None:
    rows = {(kind_of(target(row)).pulumi_type, row["rule"]) for row in ROWS}
    rules = {
        (kind.pulumi_type, rule.__name__)
        for kind in registry.types().values()
        for rule in (*kind.rules, *kind.delete_rules)
    }
    assert rows == rules


def test_every_row_starts_from_the_world() -> None:
    assert {target(row) for row in ROWS} <= set(world())
