"""Every GPU stack comes up in the sandbox by the real engine, and a second run finds nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pool_changes.fabric import Spec, make_fabric, pool

pytestmark = [pytest.mark.soak, pytest.mark.engine]

H100 = "Standard_ND96isr_H100_v5"
MI300X, GB200 = "Standard_ND96isr_MI300X_v5", "Standard_ND128isr_NDR_GB200_v6"


@pytest.mark.parametrize(
    ("cluster", "pools"),
    [
        ({"gpuStack": "managed"}, (H100, "eastus")),
        ({"gpuStack": "operator", "rdmaDevices": "shared"}, (H100, "eastus")),
        ({"gpuStack": "operator-dra"}, (H100, "eastus")),
        ({"gpuStack": "operator-dra", "operatorSet": "2026-03"}, (H100, "eastus")),
        ({"gpuStack": "operator-dra"}, (GB200, "eastus")),
        ({}, (MI300X, "eastus2")),
    ],
)
def test_up_and_again(
    cluster: Spec,
    pools: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    size, region = pools
    fabric = make_fabric(tmp_path, monkeypatch, capsys)

    def change(spec: Spec) -> None:
        training = spec["training"][0]
        training["cluster"] = {**training.get("cluster", {}), **cluster}
        training["region"] = region
        spec["allowedRegions"] = sorted({*spec["allowedRegions"], region})
        pool(spec, "h100")["sku"] = size
        if size == GB200:
            pool(spec, "h100")["infiniband"]["maxNodes"] = 18

    fabric.edit(change)
    if size == GB200:
        flag = "Microsoft.ContainerService/AKSInfinibandSupport"
        assert fabric.gpufleet("sandbox", "set", "feature", flag, "NotRegistered").code == 0
    first = fabric.run("up", "--yes", "--skip-preview")
    assert first.outcome.code == 0, first.outcome.err
    again = fabric.run("preview")
    assert (again.outcome.code, again.steps) == (0, ())
