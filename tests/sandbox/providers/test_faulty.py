"""Faults around a backend that does not know of them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import faults
from sandbox.errors import OutcomeUnknownError, PartialFailureError, SandboxError
from sandbox.faults import Phase
from sandbox.providers.difference import Difference
from sandbox.providers.faulty import Faulty
from sandbox.providers.shell import Backend, Checked, CheckRequest, Urn
from sandbox.store import Store
from sandbox.values import Properties
from tests.sandbox.manual_time import ManualTime

DEPLOYMENT = Urn("kubernetes:apps/v1:Deployment", "web")
INPUTS: Properties = {"metadata": {"name": "web"}}


class Recorder(Backend):
    """Does everything at once and writes it down."""

    package, version = "kubernetes", "1.0.0"

    def __init__(self) -> None:
        self.done: list[str] = []

    def configure(self, variables: Properties) -> None:
        self.done.append("configure")

    def cancel(self) -> None:
        self.done.append("cancel")

    def check(self, request: CheckRequest) -> Checked:
        return Checked(inputs=request.news)

    def diff(self, urn: Urn, old_inputs: Properties, news: Properties) -> Difference:
        return Difference()

    def preview(self, urn: Urn, inputs: Properties, state: Properties | None) -> Properties:
        return inputs

    def create(self, urn: Urn, inputs: Properties) -> tuple[str, Properties]:
        self.done.append("create")
        return "default/web", inputs

    def update(self, urn: Urn, resource_id: str, inputs: Properties, state: Properties) -> Properties:
        self.done.append("update")
        return inputs

    def read(
        self, urn: Urn, resource_id: str, state: Properties, inputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        self.done.append("read")
        return resource_id, state, inputs

    def delete(self, urn: Urn, resource_id: str, state: Properties) -> None:
        self.done.append("delete")

    def invoke(self, token: str, arguments: Properties) -> Properties:
        return arguments


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


@pytest.fixture
def provider(store: Store, recorder: Recorder, time: ManualTime) -> Faulty:
    return Faulty(recorder, store, time.pace())


def fail(store: Store, phase: Phase, **more: Any) -> None:  # noqa: ANN401
    fault = faults.make(
        code="Conflict", type_="apps/v1:Deployment", name="we*", status=409, message="no {name}", phase=phase, **more
    )
    faults.add(store, fault)


def test_without_faults_everything_passes(provider: Faulty, recorder: Recorder) -> None:
    provider.configure({})
    assert provider.create(DEPLOYMENT, INPUTS) == ("default/web", INPUTS)
    assert provider.update(DEPLOYMENT, "default/web", INPUTS, {}) == INPUTS
    assert provider.read(DEPLOYMENT, "default/web", {}, INPUTS) == ("default/web", {}, INPUTS)
    provider.delete(DEPLOYMENT, "default/web", {})
    provider.cancel()
    assert recorder.done == ["configure", "create", "update", "read", "delete", "cancel"]


def test_a_refusal_comes_before_the_work(provider: Faulty, recorder: Recorder, store: Store) -> None:
    fail(store, Phase.REFUSED, times=2)
    with pytest.raises(SandboxError, match="Conflict: the Kubernetes API server reported: no web"):
        provider.create(DEPLOYMENT, INPUTS)
    with pytest.raises(SandboxError, match="no web"):
        provider.delete(DEPLOYMENT, "default/web", {})
    assert recorder.done == []
    provider.create(DEPLOYMENT, INPUTS)


def test_a_failure_comes_after_it_with_the_state(provider: Faulty, store: Store) -> None:
    fail(store, Phase.FAILED, times=2)
    with pytest.raises(PartialFailureError, match="failed to fully initialize or become live: Conflict") as caught:
        provider.create(DEPLOYMENT, INPUTS)
    assert (caught.value.resource_id, caught.value.outputs) == ("default/web", INPUTS)
    with pytest.raises(PartialFailureError):
        provider.update(DEPLOYMENT, "default/web", INPUTS, {})


def test_an_answer_is_lost(provider: Faulty, recorder: Recorder, store: Store) -> None:
    fail(store, Phase.LOST)
    with pytest.raises(OutcomeUnknownError):
        provider.create(DEPLOYMENT, INPUTS)
    assert recorder.done == ["create"]


def test_a_late_answer_and_one_that_never_comes(provider: Faulty, time: ManualTime, store: Store) -> None:
    fail(store, Phase.LATE)
    provider.create(DEPLOYMENT, INPUTS)
    assert time.waits == [600]
    fail(store, Phase.TIMEOUT)
    with pytest.raises(PartialFailureError, match="timed out waiting for it to become ready"):
        provider.create(DEPLOYMENT, INPUTS)


def test_another_type_or_name_is_not_struck(provider: Faulty, store: Store) -> None:
    fail(store, Phase.REFUSED)
    provider.create(Urn("kubernetes:core/v1:ConfigMap", "web"), INPUTS)
    provider.create(DEPLOYMENT, {"metadata": {"name": "other"}})
    # A release has its name at the top.
    provider.create(Urn("kubernetes:helm.sh/v3:Release", "web"), {"name": "web"})
    assert len(faults.listed(store)) == 1
