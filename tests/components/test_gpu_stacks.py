"""Every GPU stack on every kind of pool that it allows, against its golden file; what no manifest may say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.catalog.operator_sets import all_sets
from tests.components.gpu_stacks import GOLDEN, allowed, documents, manifests

DOCUMENTS = documents()


def test_what_goes_together() -> None:
    found: dict[str, set[str]] = {}
    for kind, stack in allowed():
        found.setdefault(kind, set()).add(stack.value)
    every = {stack.value for stack in GpuStack}
    assert found == {
        "h100": every, "h200": every, "a100": every, "a100-40gb": every, "t4": every,
        "mi300x": {"operator"}, "gb200": {"operator-dra"},
    }  # fmt: skip


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.glob("*.yaml")} == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_manifests(name: str) -> None:
    """Changed manifests are a changed product: `python -m tests.components.write_gpu_stacks`, then read the diff."""
    assert manifests(*DOCUMENTS[name]) == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_drains_a_node_by_force_or_upgrades_a_driver_by_itself(name: str) -> None:
    drivers = 0
    for path, value in _leaves(_read(name)):
        key = path[-1]
        if key == "force" or path[-2:] in {("upgradePolicy", "enable"), ("drain", "enable")} or key == "autoUpgrade":
            assert value is False, path
            drivers += 1
        assert key not in {"safeLoad", "deleteEmptyDir"}, path
    # AKS's driver without InfiniBand is the one case with no driver of ours.
    assert drivers or name == "managed-t4.yaml"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_plugin_or_dra_and_never_both(name: str) -> None:
    releases = {one["chart"]: one["values"] for one in _read(name) if "chart" in one}
    plugin = "nvidia-device-plugin" in releases or bool(
        releases.get("gpu-operator", {}).get("devicePlugin", {}).get("enabled")
    )
    dra = "nvidia-dra-driver-gpu" in releases
    amd = "gpu-operator-charts" in releases
    assert [plugin, dra, amd].count(True) == 1


@pytest.mark.parametrize("name", DOCUMENTS)
def test_at_most_one_owner_of_feature_discovery(name: str) -> None:
    releases = {one["chart"]: one["values"] for one in _read(name) if "chart" in one}
    owners = [
        chart for chart in ("gpu-operator", "network-operator") if releases.get(chart, {}).get("nfd", {}).get("enabled")
    ]
    if releases.get("gpu-operator-charts", {}).get("node-feature-discovery", {}).get("enabled"):
        owners.append("gpu-operator-charts")
    assert len(owners) == (0 if name == "managed-t4.yaml" else 1)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_one_device_plugin_for_infiniband(name: str) -> None:
    policies = [one["spec"] for one in _read(name) if one["type"].endswith(":NicClusterPolicy")]
    assert len(policies) == (0 if name.endswith("-t4.yaml") else 1)
    for policy in policies:
        plugins = {"sriovDevicePlugin", "rdmaSharedDevicePlugin"} & set(policy)
        assert plugins == ({"rdmaSharedDevicePlugin"} if "shared" in name else {"sriovDevicePlugin"})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_version_stands_in_one_set(name: str) -> None:
    used = {
        (one["repositoryOpts"]["repo"], one["chart"], one["version"]) for one in _read(name) if "repositoryOpts" in one
    }
    of_sets = [_charts(one.model_dump()) for one in all_sets()]
    assert used
    assert any(used <= charts for charts in of_sets)


def _charts(value: object) -> set[tuple[str, str, str]]:
    if not isinstance(value, dict):
        return set()
    own = {(value["repository"], value["chart"], value["version"])} if "chart" in value else set()
    return own.union(*(_charts(item) for item in value.values()))


def _read(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((GOLDEN / name).read_text(encoding="utf-8")))


def _leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value
