"""What an approval holds, what it refuses to be, and what it finds that was not shown."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pulumi
import pytest
from jsonschema import Draft202012Validator
from pulumi_azure_native import resources

from gpufleet.engine import SECRET, UNKNOWN, ChangeKind, OnEvent, PropertyChange, Resource, RunKind, RunOptions
from gpufleet.engine.approval import (
    Approval,
    Cost,
    Git,
    NotApprovedError,
    Target,
    Tools,
    approve,
    fingerprint,
    hidden,
    read,
)
from gpufleet.engine.approved_steps import only, unshown
from gpufleet.engine.results import RunResult, Step, StepStarted
from gpufleet.errors import ConfigurationError, ExitCode
from tests.sandbox.engine import make_sandbox

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/approval.v1.json").read_text(encoding="utf-8"))
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
TARGET = Target(environment="dev", sandbox=False, subscription="5a4db0c5-0000-4000-8000-000000000001")
TOOLS = Tools(gpufleet="0.1.0", engine="3.250.0")
COST = Cost(floor=Decimal(10), expected=Decimal(20), ceiling=Decimal(30), unpriced=1)
Body = dict[str, Any]
EMPTY: Mapping[str, object] = {"version": 3, "deployment": {}}
POOL = "azure-native:containerservice:AgentPool"
LUSTRE = "azure-native:storagecache:AmlFilesystem"
H100 = {"vmSize": "Standard_ND96isr_H100_v5", "maxCount": 4, "resourceName": UNKNOWN}


def resource(name: str, type_: str = POOL, *, custom: bool = True) -> Resource:
    return Resource(urn=f"urn:pulumi:dev::gpufleet::{type_}::{name}", type=type_, name=name, parent="", custom=custom)


def step(
    op: str,
    name: str = "h100",
    inputs: Mapping[str, object] | None = None,
    *,
    type_: str = POOL,
    diffs: tuple[PropertyChange, ...] = (),
    custom: bool = True,
) -> Step:
    return Step(
        resource=resource(name, type_, custom=custom),
        op=op,
        failed=False,
        seconds=0.0,
        diffs=diffs,
        inputs=inputs or {},
    )


def change(path: str, old: object, new: object, *, replaces: bool = False) -> PropertyChange:
    return PropertyChange(path=path, kind=ChangeKind.UPDATE, replaces=replaces, old=old, new=new)


def approval(*steps: Step, state: Mapping[str, object] = EMPTY, given: Mapping[str, frozenset[str]] | None = None):
    return approve(
        steps,
        target=TARGET,
        tools=TOOLS,
        git=Git(commit="a" * 40, modified=False),
        state=state,
        cost=COST,
        given=given or {},
        now=NOW,
    )


def found(
    approved: Approval,
    *steps: Step,
    state: Mapping[str, object] = EMPTY,
    given: Mapping[str, frozenset[str]] | None = None,
) -> list[str]:
    return [str(one) for one in unshown(approved, steps, given=given or {}, state=state)]


# ------------------------------------------------------------------------------------------------------------ the file


def test_the_file_fits_its_schema_and_comes_back_the_same(tmp_path: Path):
    made = approval(
        step("create", inputs=H100),
        step("update", "t4", {"maxCount": 8}, diffs=(change("maxCount", 4, 8),)),
        step("delete", "old"),
        state={"deployment": {"manifest": {"time": "2026-11-21T11:00:00Z"}, "resources": [{}, {}]}},
    )
    file = tmp_path / "approved.json"
    file.write_text(made.text, encoding="utf-8")
    written = json.loads(made.text)
    Draft202012Validator(SCHEMA).validate(written)
    assert read(file) == made
    assert written["digest"] == made.digest
    assert written["state"] == {"savedAt": "2026-11-21T11:00:00Z", "resources": 2}
    assert [one["op"] for one in written["steps"]] == ["create", "delete", "update"]
    assert written["steps"][0]["unknown"] == ["/resourceName"]
    assert [(one["path"], one["kind"]) for one in written["steps"][2]["changes"]] == [("maxCount", "update")]


def test_the_schema_knows_every_field():
    text = approval(step("update", diffs=(change("a", 1, 2),), inputs={"a": 2})).text
    for path in (["state", "more"], ["steps", 0, "more"], ["steps", 0, "changes", 0, "more"], ["more"]):
        body: Any = json.loads(text)
        at = body
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = 1
        assert not Draft202012Validator(SCHEMA).is_valid(body)


def test_no_value_is_in_it_and_no_secret_can_be_guessed_from_it():
    inputs = {"password": SECRET, "maxCount": 4, "place": "eastus"}
    first, second = approval(step("create", inputs=inputs)), approval(step("create", inputs=inputs))
    assert "eastus" not in first.text
    assert hashlib.sha256(b'"eastus"').hexdigest()[:32] not in first.text
    assert first.steps[0].inputs.keys() == second.steps[0].inputs.keys()
    assert not set(first.steps[0].inputs.values()) & set(second.steps[0].inputs.values())
    # The mask stands there, not the secret: whatever its value is, the digest is that of the mask.
    assert first.steps[0].inputs["password"] == fingerprint(first.salt, SECRET)


def _set(*path: str | int, value: object) -> Callable[[Body], Body]:
    def edit(body: Body) -> Body:
        at: Any = body
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = value
        return body

    return edit


TAMPERED: dict[str, Callable[[Body], object]] = {
    "cost": _set("cost", "ceiling", value="99999"),
    "age": _set("createdAt", value="2027-01-01T00:00:00Z"),
    "subscription": _set("target", "subscription", value="other"),
    "step": lambda body: body["steps"].append({**body["steps"][0], "op": "delete"}) or body,
    "no digest": lambda body: {key: value for key, value in body.items() if key != "digest"},
    "digest of another kind": _set("digest", value=5),
    "digest beyond ASCII": _set("digest", value="é" * 64),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_file_that_was_changed_is_refused(name: str, tmp_path: Path):
    file = tmp_path / "approved.json"
    file.write_text(json.dumps(TAMPERED[name](json.loads(approval(step("create", inputs=H100)).text))))
    with pytest.raises(NotApprovedError, match="its digest does not fit, so it was changed") as caught:
        read(file)
    assert caught.value.exit_code is ExitCode.UNEXPECTED_CHANGES


def redigested(body: Body) -> str:
    content = {key: value for key, value in body.items() if key != "digest"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({**content, "digest": hashlib.sha256(canonical).hexdigest()})


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_set("schemaVersion", value=2), "schemaVersion: Input should be 1"),
        (_set("kind", value="run"), "kind: Input should be 'approval'"),
        (_set("createdAt", value="2026-11-21T12:00:00"), "createdAt: Input should have timezone info"),
        (_set("cost", "ceiling", value="NaN"), "cost.ceiling: Input should be a finite number"),
        (_set("cost", "unpriced", value=-1), "cost.unpriced: Input should be greater than or equal to 0"),
        (_set("cost", "unpriced", value="1"), "cost.unpriced: Input should be a valid integer"),
        (_set("salt", value="00"), "salt: String should match pattern"),
        (_set("steps", 0, "more", value=1), "steps.0.more: Extra inputs are not permitted"),
        (_set("steps", 0, "inputs", "maxCount", value="4"), "steps.0.inputs.maxCount: String should match pattern"),
        (_set("steps", value=None), "steps: Input should be a valid"),
    ],
)
def test_a_malformed_one_says_where(edit: Callable[[Body], Body], said: str, tmp_path: Path):
    file = tmp_path / "approved.json"
    file.write_text(redigested(edit(json.loads(approval(step("create", inputs=H100)).text))))
    with pytest.raises(NotApprovedError) as caught:
        read(file)
    assert caught.value.message.startswith(f"--approved {file} is no approval: {said}")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b"[" * 100_000, "it is not JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
    ],
)
def test_what_is_no_json_object_is_no_approval(content: bytes, why: str, tmp_path: Path):
    file = tmp_path / "approved.json"
    file.write_bytes(content)
    with pytest.raises(NotApprovedError) as caught:
        read(file)
    assert caught.value.message == f"--approved {file} is no approval: {why}"


def test_a_file_that_is_not_there_is_a_mistake_in_the_command(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        read(tmp_path / "approved.json")
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read(tmp_path)


# --------------------------------------------------------------------------------------------------- stack, age, cost


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (TARGET.model_copy(update={"environment": "prod"}), "this is prod in Azure"),
        (TARGET.model_copy(update={"sandbox": True}), "this is dev in the sandbox"),
        (TARGET.model_copy(update={"subscription": "other"}), "subscription other"),
    ],
)
def test_it_is_good_for_one_stack_of_one_subscription(target: Target, said: str):
    with pytest.raises(NotApprovedError, match=said):
        approval().require_for(target, now=NOW, max_age=dt.timedelta(days=7), name="a.json")


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (dt.timedelta(days=7), ""),
        (dt.timedelta(days=7, seconds=1), "a.json was saved 2026-11-21 12:00 UTC: more than 7 days ago"),
        (dt.timedelta(minutes=-5), ""),
        (dt.timedelta(minutes=-5, seconds=-1), "a.json is dated 2026-11-21 12:00 UTC, which is yet to come"),
    ],
)
def test_it_is_good_for_some_days(later: dt.timedelta, said: str):
    def ask() -> None:
        approval().require_for(TARGET, now=NOW + later, max_age=dt.timedelta(days=7), name="a.json")

    if not said:
        ask()
        return
    with pytest.raises(NotApprovedError) as caught:
        ask()
    assert (caught.value.message, caught.value.exit_code) == (said, ExitCode.UNEXPECTED_CHANGES)


def test_each_bound_of_the_cost_and_each_gap_counts():
    assert list(COST.above(COST)) == []
    assert list(Cost(floor=Decimal(1), expected=Decimal(1), ceiling=Decimal(1), unpriced=0).above(COST)) == []
    dearer = Cost(floor=Decimal("10.01"), expected=Decimal(20), ceiling=Decimal(1030), unpriced=2)
    assert list(dearer.above(COST)) == [
        "cost at floor: $10.01 a month, $0.01 above the approved $10.00",
        "cost at ceiling: $1,030.00 a month, $1,000.00 above the approved $30.00",
        "cost: 2 charges without a price, 1 approved",
    ]


# ------------------------------------------------------------------------------------------------------------ the steps


def test_what_was_shown_may_happen_and_so_may_less():
    steps = (
        step("create", inputs=H100),
        step("update", "t4", {"maxCount": 8}, diffs=(change("maxCount", 4, 8),)),
        step("delete", "old"),
        step("create-replacement", "lustre", {"sizeTiB": 8}, type_=LUSTRE),
        step("replace", "lustre", type_=LUSTRE, diffs=(change("sizeTiB", 4, 8, replaces=True),)),
        step("delete-replaced", "lustre", type_=LUSTRE),
    )
    made = approval(*steps)
    assert [one.op for one in made.steps] == ["create", "delete", "update", "replace"]
    assert found(made, *steps) == []
    assert found(made, *reversed(steps)) == []
    assert found(made, steps[0]) == []
    assert found(made, step("same", "old"), step("refresh", "t4"), step("read", "x")) == []
    assert found(made, step("create", "box", type_="gpufleet:test:Box", custom=False)) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (step("create", "b", H100), "create AgentPool b (GPU pool): was not shown"),
        (step("create", "b", {"vmSize": "Standard_D32s_v5"}), "create AgentPool b: was not shown"),
        (step("create", "b", {"vmSize": "Standard_ND_of_tomorrow"}), "create AgentPool b (GPU pool): was not shown"),
        (step("delete"), "delete AgentPool h100 (GPU pool): only create was shown"),
        (step("replace"), "replace AgentPool h100 (GPU pool): only create was shown"),
        (step("delete-replaced"), "replace AgentPool h100 (GPU pool): only create was shown"),
        (step("create-replacement"), "replace AgentPool h100 (GPU pool): only create was shown"),
        (step("import", inputs=H100), "import AgentPool h100 (GPU pool): only create was shown"),
        (step("delete", "l", type_=LUSTRE), "delete AmlFilesystem l (holds data): was not shown"),
        (
            step("replace", "c", type_="azure-native:containerservice:ManagedCluster"),
            "replace ManagedCluster c (cluster): was not shown",
        ),
        (
            step("create", inputs={**H100, "maxCount": 8}),
            "create AgentPool h100 (GPU pool): maxCount is another than shown",
        ),
        (
            step("create", inputs={**H100, "spot": True}),
            "create AgentPool h100 (GPU pool): spot was not shown",
        ),
        (
            step("create", inputs={key: value for key, value in H100.items() if key != "maxCount"}),
            "create AgentPool h100 (GPU pool): maxCount was shown and is missing",
        ),
        (
            step("update", inputs={**H100, "maxCount": 8}),
            "update AgentPool h100 (GPU pool): maxCount is another than shown",
        ),
        (step("a-word-of-tomorrow"), "a-word-of-tomorrow AgentPool h100 (GPU pool): only create was shown"),
    ],
)
def test_what_was_not_shown_is_named(now: Step, said: str):
    assert found(approval(step("create", inputs=H100)), now) == [said]


def test_a_value_that_only_the_run_knows_may_become_any_and_no_other():
    made = approval(step("create", inputs={"a": {"b/c": [UNKNOWN, 1]}, "count": 4}))
    assert made.steps[0].unknown == ("/a/b~1c/0",)
    assert found(made, step("create", inputs={"a": {"b/c": ["known now", 1]}, "count": 4})) == []
    assert found(made, step("create", inputs={"a": {"b/c": ["known now", 2]}, "count": 4})) == [
        "create AgentPool h100 (GPU pool): a is another than shown"
    ]
    assert found(made, step("create", inputs={"a": {"b/c": []}, "count": 4})) == [
        "create AgentPool h100 (GPU pool): a is another than shown"
    ]


def test_one_that_was_known_and_is_not_any_more_is_another():
    made = approval(step("create", inputs={"count": 4}))
    assert found(made, step("create", inputs={"count": UNKNOWN})) == [
        "create AgentPool h100 (GPU pool): count is another than shown"
    ]


def test_what_the_provider_adds_by_itself_may_differ():
    urn = resource("h100").urn
    given = {urn: frozenset({"maxCount"})}
    made = approval(step("create", inputs={"maxCount": 4, "name": "random1"}), given=given)
    assert made.steps[0].inputs.keys() == {"maxCount"}
    assert found(made, step("create", inputs={"maxCount": 4, "name": "random2"}), given=given) == []
    # A name that the program gives now was not shown.
    said = found(
        made, step("create", inputs={"maxCount": 4, "name": "mine"}), given={urn: frozenset({"maxCount", "name"})}
    )
    assert said == ["create AgentPool h100 (GPU pool): name was not shown"]


def test_an_update_is_the_same_change_of_the_same_value():
    inputs = {"maxCount": 8, "mode": "User"}
    made = approval(step("update", inputs=inputs, diffs=(change("maxCount", 16, 8),)))
    label = "update AgentPool h100 (GPU pool)"
    assert found(made, step("update", inputs=inputs, diffs=(change("maxCount", 16, 8),))) == []
    assert found(made, step("update", inputs=inputs, diffs=(change("maxCount", 4, 8),))) == [
        f"{label}: maxCount was another before"
    ]
    more = (change("maxCount", 16, 8), change("mode", "System", "User"))
    assert found(made, step("update", inputs=inputs, diffs=more)) == [f"{label}: a change of mode was not shown"]
    assert found(made, step("update", inputs=inputs, diffs=(change("maxCount", 16, 8, replaces=True),))) == [
        f"{label}: maxCount was not shown to replace it"
    ]


def test_what_is_left_of_a_cut_off_step_is_part_of_it():
    made = approval(
        step("create", "new", {"a": 1}),
        step("create-replacement", "re", {"a": 1}),
        step("replace", "re", diffs=(change("a", 0, 1, replaces=True),)),
        step("delete-replaced", "re"),
    )
    # A create that failed half-way is an update to the very same; a replacement may have to make the new one only, or
    # have its old one to delete still.
    assert found(made, step("update", "new", {"a": 1}), step("create", "re", {"a": 1})) == []
    assert found(made, step("same", "re"), step("delete", "re")) == []
    # Without the new one, that delete is the end of the resource.
    assert found(made, step("delete", "re")) == ["delete AgentPool re (GPU pool): only replace was shown"]


def test_what_destroys_comes_first_and_a_deleted_pool_is_known_by_the_state():
    state: Mapping[str, object] = {
        "deployment": {"resources": [{"urn": resource("cpu").urn, "inputs": {"vmSize": "Standard_D32s_v5"}}]}
    }
    said = found(
        approval(),
        step("create", "a", H100),
        step("delete", "cpu"),
        step("delete", "fs", type_=LUSTRE),
        state=state,
    )
    assert said == [
        "delete AmlFilesystem fs (holds data): was not shown",
        "delete AgentPool cpu: was not shown",
        "create AgentPool a (GPU pool): was not shown",
    ]


def test_places_that_a_value_does_not_have_are_left_out():
    assert hidden({"a": [1, 2]}, ["/a/1", "/a/7", "/b", "/a/x"]) == {"a": [1, UNKNOWN]}
    assert hidden({"a~b": {"c/d": 1}}, ["/a~0b/c~1d"]) == {"a~b": {"c/d": UNKNOWN}}


# ------------------------------------------------------------------------------------------------------------- the run


def run_of(*begun: tuple[str, str]) -> Callable[..., RunResult]:
    def call(options: RunOptions, *, on_event: OnEvent) -> RunResult:
        for op, name in begun:
            on_event(StepStarted(resource=resource(name), op=op, at=0.0))
        return RunResult(kind=RunKind.UP, environment="dev", changes={}, steps=())

    return call


def test_a_run_does_what_its_preview_showed():
    heard: list[object] = []
    shown = (step("create"), step("replace", "re"), step("same", "kept"))
    begun = (("create", "h100"), ("create-replacement", "re"), ("delete-replaced", "re"), ("same", "kept"))
    only(run_of(*begun), shown)(RunOptions(), on_event=heard.append)
    assert len(heard) == 4


@pytest.mark.parametrize(
    ("op", "name"), [("delete", "kept"), ("replace", "up"), ("create-replacement", "up"), ("create", "new")]
)
def test_a_run_that_begins_more_is_stopped(op: str, name: str):
    shown = (step("update", "up"), step("same", "kept"))
    with pytest.raises(NotApprovedError, match="has begun, and the preview right before did not show it"):
        only(run_of((op, name)), shown)(RunOptions(), on_event=lambda _: None)


# As in tests/sandbox/test_engine.py: the SDK leaves its event loop open when a run ends early.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.engine
@pytest.mark.soak
def test_the_engine_begins_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sandbox = make_sandbox(tmp_path, monkeypatch)
    monkeypatch.setenv("GPUFLEET_SANDBOX_TIME_SCALE", "1")

    def program() -> None:
        before: list[pulumi.Resource] = []
        for number in range(8):
            name = f"rg-{number}"
            options = pulumi.ResourceOptions(depends_on=before)
            before = [resources.ResourceGroup(name, resource_group_name=name, location="eastus", opts=options)]

    stack = sandbox.stack(program)
    shown = [one for one in stack.preview().steps if one.resource.name in {"rg-0", "default_3_29_0"}]
    with pytest.raises(NotApprovedError, match="create ResourceGroup rg-1 has begun, and the preview") as caught:
        only(stack.up, shown)(RunOptions(), on_event=lambda _: None)
    result = caught.value.result
    assert result is not None
    assert 1 <= len(sandbox.ids()) < 8
    # As the commands do at the end of a run: what it was cut off in is looked up, and the next run goes on.
    stack.settle(result.failed)
    kept = len(sandbox.ids())
    assert stack.up().changes["create"] == 8 - kept


def test_an_update_that_turns_out_to_be_nothing_is_fine():
    shown = (replace(step("update", "up"), diffs=(change("a", 1, UNKNOWN),)),)
    result = only(run_of(("same", "up")), shown)(RunOptions(), on_event=lambda _: None)
    assert result.kind is RunKind.UP
