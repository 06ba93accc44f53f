"""Rendered jobs and a queue's objects, submitted to the sandbox's API server."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sandbox.errors import KubernetesError
from sandbox.kubernetes.api import RELEASE, Address, KubernetesApi
from sandbox.kubernetes.kinds import Kind
from tests.components.queues import GOLDEN as QUEUES
from tests.jobs.jobs import GOLDEN as JOBS
from tests.sandbox.kubernetes.objects import token_of


def _put(api: KubernetesApi, body: dict[str, Any]) -> None:
    if "chart" in body:
        place = {"name": body["name"], "namespace": body["namespace"]}
        api.put_release(Address(RELEASE, place["namespace"], place["name"]), body, create=True)
    else:
        api.create(api.address(Kind.from_token(token_of(body)), body["metadata"]), body)


@pytest.fixture
def fabric(api: KubernetesApi) -> KubernetesApi:
    """An API server with the queue of one team."""
    bodies = list(yaml.safe_load_all((QUEUES / "one-team.yaml").read_text(encoding="utf-8")))
    # Namespaces, then charts (which have no kind) and definitions, then what they define.
    steps = {"Namespace": 0, None: 1, "CustomResourceDefinition": 1}
    for body in sorted(bodies, key=lambda one: steps.get(one.get("kind"), 2)):
        _put(api, body)
    return api


def _job(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((JOBS / f"{name}.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["trainjob-h100", "mpijob-h100", "job-h100", "trainjob-mi300x", "job-nc-h100-spot"])
def test_jobs_are_taken(fabric: KubernetesApi, name: str) -> None:
    for body in _job(name):
        _put(fabric, body)


def test_a_wrong_field_is_refused(fabric: KubernetesApi) -> None:
    *before, job = _job("trainjob-h100")
    for body in before:
        _put(fabric, body)
    job["spec"]["trainer"]["numNode"] = 4
    with pytest.raises(KubernetesError, match=r"spec\.trainer\.numNode: field not declared in schema"):
        _put(fabric, job)
