"""What must hold for any input: nothing but SpecError comes out, positions are in the file, pruning invents nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpufleet.spec import SpecError, StackFile, load, parse
from gpufleet.spec.base import Path
from gpufleet.spec.problem import key_text
from tests.spec.environments import GONE, changed, verdict

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**400, max_value=10**401)
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.sampled_from(["eastus", "Standard_ND96isr_H100_v5", "spot", "10.0.0.0/16", "2026-12-01", "1", "x: y"])
)
_WORDS = """
    class owner allowedRegions budget training inference pools name sku nodes min max region regions network vnetCidr
    storage lustre cluster podCidr workload upgrade maxSurge labels taints zones tags secure models infiniband
"""
_KEYS = st.sampled_from(_WORDS.split()) | st.text(max_size=5)
_GARBAGE = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=30
)


def _full() -> dict[str, Any]:
    """A valid environment that uses every key."""
    subnets = {
        "gpu": "10.50.0.0/24",
        "system": "10.50.1.0/24",
        "privateEndpoints": "10.50.2.0/24",
        "lustre": "10.50.4.0/24",
    }
    pool = {
        "zones": ["1"],
        "osDiskGiB": 512,
        "maxPods": 64,
        "labels": {"a": "b"},
        "taints": ["a=b:NoSchedule"],
        "upgrade": {"maxSurge": "0", "maxUnavailable": "1", "drainTimeoutMinutes": 60, "nodeSoakMinutes": 1},
        "infiniband": {"maxNodes": 200, "supportRequest": "1"},
    }
    cluster = {
        "kubernetesVersion": "1.34",
        "tier": "Standard",
        "podCidr": "10.128.0.0/11",
        "serviceCidr": "172.20.0.0/16",
        "apiServer": {"private": False, "authorizedIpRanges": ["203.0.113.0/24"]},
        "adminGroupObjectIds": ["00000000-0000-0000-0000-00000000000a"],
        "systemPool": {"sku": "Standard_D4ds_v5", "nodes": 3},
    }
    value = changed(
        {
            ("tags",): {"purpose": "test"},
            ("registry",): {"sku": "Premium"},
            ("budget", "gate"): "floor",
            ("budget", "alerts"): [{"kind": "actual", "percent": 50}],
            ("training", 0, "cluster"): cluster,
            ("training", 0, "network"): {"vnetCidr": "10.50.0.0/21", "subnets": subnets, "natPublicIps": 4},
            ("training", 0, "storage", "lustre", "capacityTiB"): 16,
            ("training", 0, "storage", "lustre", "zone"): "1",
            ("training", 0, "storage", "lustre", "maintenance"): {"day": "Monday", "timeUtc": "03:00"},
            ("training", 0, "storage", "blob"): {"tier": "premium", "containers": ["datasets"]},
            ("training", 0, "workload", "checkpoint"): {"maxLossPercent": 5},
            ("inference", "frontDoor"): {
                "sku": "Premium_AzureFrontDoor",
                "originResponseTimeoutSeconds": 60,
                "healthProbe": {"path": "/h", "intervalSeconds": 30},
                "privateLink": False,
            },
            ("inference", "regions", 0, "priority"): 1,
            ("inference", "regions", 0, "weight"): 500,
            ("inference", "regions", 0, "pools", 0, "priority"): "spot",
            ("inference", "regions", 0, "pools", 0, "spotMaxPrice"): 2.5,
        }
    )
    value["training"][0]["pools"][0].update(pool)
    return value


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))


def _at(value: Any, path: Path) -> Any:  # noqa: ANN401 plain values, as YAML has them
    for part in path:
        value = value[part]
    return value


PATHS = list(_paths(_full()))
MAPPINGS = [
    (),
    *(path for path in PATHS if isinstance(_at(_full(), path), dict) and path[-1] not in {"labels", "tags"}),
]


def test_the_full_environment_is_valid() -> None:
    assert [str(problem) for problem in verdict(_full())] == []


@pytest.mark.parametrize("path", PATHS, ids=key_text)
def test_one_faulty_value_gives_messages_about_it_alone(path: Path) -> None:
    for faulty in list[object]([[[[]]], {"?": {}}]):
        problems = verdict(changed({path: faulty}, _full()))
        assert problems
        assert [problem.key for problem in problems if problem.path[: len(path)] != path] == []


@pytest.mark.parametrize("path", MAPPINGS, ids=key_text)
def test_an_unknown_key_gives_one_message(path: Path) -> None:
    problems = verdict(changed({(*path, "wholly-else"): 3}, _full()))
    assert [(problem.path, problem.message) for problem in problems] == [((*path, "wholly-else"), "is not a known key")]


@pytest.mark.parametrize("path", [path for path in PATHS if isinstance(path[-1], str)], ids=key_text)
def test_a_missing_key_gives_one_message_at_most(path: Path) -> None:
    problems = verdict(changed({path: GONE}, _full()))
    # Without a key that has a default the environment may be another one, with a fault of its own, or a valid one.
    assert len(problems) <= 1 or path in {("inference", "frontDoor", "sku"), ("training", 0, "network", "vnetCidr")}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_GARBAGE)
def test_garbage_is_refused_and_nothing_else_happens(value: object) -> None:
    with pytest.raises(SpecError) as caught:
        parse(value)
    assert str(caught.value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PATHS), _GARBAGE), min_size=1, max_size=4))
def test_an_environment_with_garbage_in_it(changes: list[tuple[Path, object]]) -> None:
    value = _full()
    for path, new in changes:
        try:
            holder = _at(value, path[:-1])
            holder[path[-1]] = new
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    for problem in verdict(value):
        assert str(problem)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@,?<~ \n\t0.1é\x85\ufeff"), max_size=60))
def test_any_text_is_read_or_refused_with_positions_inside_it(body: str) -> None:
    text = "config:\n  gpufleet:environment:\n    " + body
    _only_spec_error_inside(text)
    _only_spec_error_inside(body)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PATHS), _GARBAGE), min_size=1, max_size=3))
def test_positions_of_problems_are_inside_the_file(changes: list[tuple[Path, object]]) -> None:
    value: Any = _full()
    for path, new in changes:
        try:
            _at(value, path[:-1])[path[-1]] = new
        except (KeyError, IndexError, TypeError):
            continue
    text = json.dumps({"config": {"gpufleet:environment": value}}, indent=1, default=str)
    _only_spec_error_inside(text)


def _only_spec_error_inside(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        problems = load(StackFile.from_text(text, name="s.yaml")).warnings
    except SpecError as error:
        problems = error.problems
    for problem in problems:
        assert problem.file == "s.yaml"
        if problem.line is not None and problem.column is not None:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
