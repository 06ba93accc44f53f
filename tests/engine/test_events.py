"""The engine's events in our words, from recorded streams."""

from __future__ import annotations

import pytest

from gpufleet.engine import SECRET, UNKNOWN, ChangeKind, PropertyChange, Severity, Step, StepStarted
from tests.recordings.streams import NAMES, recorded

POOL = (
    "urn:pulumi:dev::gpufleet::gpufleet:components:Environment$gpufleet:components:TrainingFabric$"
    "gpufleet:components:GpuPool$azure-native:containerservice:AgentPool::h100"
)


@pytest.mark.parametrize("name", NAMES)
def test_every_stream_is_read_and_every_step_is_told_once(name: str) -> None:
    recording = recorded(name)
    steps = [(step.resource.urn, step.op) for step in recording.reader.steps]
    assert len(steps) == len(set(steps))
    assert recording.reader.steps == [event for _, event in recording.events if isinstance(event, Step)]


def test_a_preview_names_resources_parents_and_unknown_outputs() -> None:
    recording = recorded("preview")
    (pool,) = [step.resource for step in recording.reader.steps if step.resource.urn == POOL]
    assert (pool.name, pool.type, pool.custom) == ("h100", "azure-native:containerservice:AgentPool", True)
    assert pool.parent.endswith("$gpufleet:components:GpuPool::h100")
    assert recording.reader.outputs == {"cluster": UNKNOWN, "kubeconfig": SECRET}
    assert recording.reader.changes == {"create": 20}


def test_a_refused_resource_is_a_failed_step_with_azures_words() -> None:
    reader = recorded("fail").reader
    (failed,) = [step for step in reader.steps if step.failed]
    assert (failed.resource.name, failed.op) == ("h100b", "create")
    messages = [d.message for d in reader.diagnostics if d.severity is Severity.ERROR]
    assert messages[0].startswith('autorest/azure: Service returned an error. Status=409 Code="QuotaExceeded"')
    assert messages[1] == "update failed"


def test_a_replacement_carries_the_values_that_force_it() -> None:
    steps = [step for step in recorded("preview_replace").reader.steps if step.resource.urn == POOL]
    assert [step.op for step in steps] == ["delete-replaced", "replace", "create-replacement"]
    assert (
        PropertyChange(
            path="vmSize",
            kind=ChangeKind.UPDATE,
            replaces=True,
            old="Standard_ND96isr_H100_v5",
            new="Standard_ND96asr_v4",
        )
        in steps[1].diffs
    )


def test_durations_come_from_the_clock_not_from_the_engines_whole_seconds() -> None:
    recording = recorded("fail")
    begun = {event.resource.urn: at for at, event in recording.events if isinstance(event, StepStarted)}
    ended = {event.resource.urn: (at, event) for at, event in recording.events if isinstance(event, Step)}
    at, step = ended[POOL]
    assert step.seconds == at - begun[POOL]


def test_policy_violations_keep_pack_level_and_resource() -> None:
    mandatory = [v for v in recorded("policy").reader.violations if v.level == "mandatory"]
    assert {(v.pack, v.policy) for v in mandatory} == {("gpufleet-cost", "cost-gate")}
    assert POOL in {v.urn for v in mandatory}


def test_protection_is_told() -> None:
    protected = [step.resource.name for step in recorded("destroy_protected").reader.steps if step.resource.protected]
    assert protected == ["aks-dev-frontier"]
