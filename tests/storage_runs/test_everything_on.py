"""A fabric with every part of its storage on, by the real engine in the sandbox."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from gpufleet.errors import ExitCode
from tests.components.storage import CONTAINERS, LUSTRE, PROVIDER
from tests.pool_changes.fabric import Fabric, Spec, make_fabric, pool

pytestmark = [pytest.mark.engine, pytest.mark.soak]


def _everything(spec: Spec) -> None:
    fabric = spec["training"][0]
    fabric["storage"] = {"lustre": LUSTRE, "blob": {"containers": CONTAINERS}}
    pool(spec, "data")["role"] = "data-preparation"


@pytest.fixture
def fabric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fabric:
    """Written, not deployed; the tenant knows Lustre's resource provider."""
    made = make_fabric(tmp_path, monkeypatch, capsys)
    made.edit(_everything)
    return made


def test_it_is_made_in_order_and_stays(fabric: Fabric) -> None:
    # The tenant doesn't know the resource provider: Azure refuses its roles, and the file system waits for them.
    refused = fabric.run("up", "--yes", "--skip-preview")
    assert refused.outcome.code == ExitCode.RESOURCE
    assert "PrincipalNotFound" in refused.outcome.err
    assert not any("amlfs" in name for _, name in refused.order)

    assert fabric.gpufleet("sandbox", "set", "principal", PROVIDER, "ServicePrincipal").code == 0
    made = fabric.run("up", "--yes", "--skip-preview")
    assert made.outcome.code == 0, made.outcome.err
    order = [name for _, name in made.order]
    before = ["lab-storage-role-hsm-account", "lab-storage-role-hsm-blobs"]
    assert all(order.index(name) < order.index("lab-storage-amlfs") for name in before)
    assert order.index("lab-storage-amlfs") < order.index("lab-storage-auto-export")
    kinds = Counter(
        resource["type"].rpartition(":")[2]
        for ran in (refused, made)
        for resource in ran.outcome.document["resources"]
        if resource["op"] == "create"
    )
    assert (kinds["PersistentVolume"], kinds["PersistentVolumeClaim"]) == (5, 5)

    assert fabric.run("preview").steps == ()
