"""What a person reads about a change: the right values, no secrets, and something even where the provider is silent."""

from __future__ import annotations

from gpufleet.engine.diffs import plain, property_changes
from gpufleet.engine.results import SECRET, UNKNOWN, ChangeKind, PropertyChange

SIGNATURE = "4dabf18193072939515e22adb298388d"
A_SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "hush"}
NOT_KNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_detailed_diff_gets_old_and_new_values() -> None:
    changes = property_changes(
        detailed={"vmSize": ("update-replace", True), "maxCount": ("update", True)},
        old_inputs={"maxCount": 4, "vmSize": "Standard_ND96asr_v4"},
        old_outputs={"maxCount": 5, "vmSize": "Standard_ND96asr_v4"},
        new_inputs={"maxCount": 8, "vmSize": "Standard_ND96isr_H100_v5"},
    )
    assert changes == (
        PropertyChange(path="maxCount", kind=ChangeKind.UPDATE, old=4, new=8),
        PropertyChange(
            path="vmSize",
            kind=ChangeKind.UPDATE,
            replaces=True,
            old="Standard_ND96asr_v4",
            new="Standard_ND96isr_H100_v5",
        ),
    )


def test_drift_shows_the_value_in_the_cloud() -> None:
    (change,) = property_changes(
        detailed={"maxCount": ("update", False)},
        old_inputs={"maxCount": 4},
        old_outputs={"maxCount": 5},
        new_inputs={"maxCount": 4},
    )
    assert (change.old, change.new) == (5, 4)


def test_paths_reach_into_lists_and_quoted_keys() -> None:
    detailed = {'nodeLabels["kubernetes.azure.com/x"]': ("add", True), "profiles[1].count": ("delete", True)}
    changes = property_changes(
        detailed=detailed,
        old_inputs={"profiles": [{"count": 1}, {"count": 2}]},
        old_outputs={},
        new_inputs={"profiles": [{"count": 1}, {}], "nodeLabels": {"kubernetes.azure.com/x": "y"}},
    )
    assert changes == (
        PropertyChange(path='nodeLabels["kubernetes.azure.com/x"]', kind=ChangeKind.ADD, new="y"),
        PropertyChange(path="profiles[1].count", kind=ChangeKind.DELETE, old=2),
    )


def test_a_silent_provider_is_answered_by_comparing_inputs() -> None:
    changes = property_changes(
        detailed={},
        old_inputs={"maxCount": 4, "tags": {"a": "b"}, "taints": ["x"], "zones": ["1", "2"], "__internal": {"a": 1}},
        old_outputs={},
        new_inputs={"maxCount": 8, "tags": {"a b": "c"}, "taints": ["y"], "zones": ["1"], "__internal": {}},
    )
    assert changes == (
        PropertyChange(path="maxCount", kind=ChangeKind.UPDATE, old=4, new=8),
        PropertyChange(path="tags.a", kind=ChangeKind.DELETE, old="b"),
        PropertyChange(path='tags["a b"]', kind=ChangeKind.ADD, new="c"),
        PropertyChange(path="taints[0]", kind=ChangeKind.UPDATE, old="x", new="y"),
        PropertyChange(path="zones", kind=ChangeKind.UPDATE, old=["1", "2"], new=["1"]),
    )


def test_secrets_are_masked_and_unknowns_are_named() -> None:
    (change,) = property_changes(
        detailed={"key": ("update", True)},
        old_inputs={"key": A_SECRET},
        old_outputs={},
        new_inputs={"key": NOT_KNOWN},
    )
    assert (change.old, change.new) == (SECRET, UNKNOWN)


def test_plain_looks_inside_everything() -> None:
    value = {
        "a": [A_SECRET, {"b": NOT_KNOWN}],
        "__defaults": [],
        "c": {SIGNATURE: "d0e6", "value": A_SECRET},
        "n": None,
    }
    assert plain(value) == {"a": [SECRET, {"b": UNKNOWN}], "c": SECRET, "n": None}
