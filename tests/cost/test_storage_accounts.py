"""What each of a fabric's storage accounts holds, and costs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from gpufleet.cost import Estimate
from gpufleet.cost.pricers import free
from gpufleet.spec import parse_environment
from tests.components.storage import CONTAINERS, LUSTRE
from tests.cost.samples import H100, fabric, plain, priced_one, resource

_BLOBS = {"allowSharedKeyAccess": False}
_HSM = {"allowSharedKeyAccess": True}
_NFS = {"allowSharedKeyAccess": False, "enableNfsV3": True}


def _priced(
    account: Mapping[str, object], usage: dict[str, float] | None = None, containers: list[object] | None = None
) -> Estimate:
    lab: dict[str, Any] = {
        "name": "lab",
        "region": "eastus",
        "pools": [{"name": "h100", "sku": H100, "nodes": 1}],
        "workload": {"parametersB": 7, "tokensB": 50, "datasetTiB": 2},
        "storage": {"lustre": LUSTRE, "blob": {"containers": containers or CONTAINERS}},
    }
    body = {"kind": "StorageV2", "sku": {"name": "Standard_ZRS"}, "accessTier": "Hot", **account}
    found = resource("storage:StorageAccount", "a", fabric(), **body)
    return priced_one(found, parse_environment(plain(training=[lab], usage=usage or {})))


@pytest.mark.parametrize(
    ("account", "usage", "monthly", "note"),
    [
        # Two checkpoints of 7e9 x 14 bytes, 182.54 GB at 0.026: the dataset is Lustre's.
        (_BLOBS, {}, "4.75", "two checkpoints"),
        (_BLOBS, {"blobTiB": 1}, "26.62", "as declared"),
        # 2 TiB.
        (_HSM, {}, "53.25", "the dataset"),
        (_HSM, {"hsmTiB": 1, "blobTiB": 5}, "26.62", "as declared"),
        (_NFS, {"nfsTiB": 2, "blobTiB": 5}, "53.25", "as declared"),
    ],
)
def test_an_account_costs_what_it_holds(
    account: dict[str, object], usage: dict[str, float], monthly: str, note: str
) -> None:
    [line] = _priced(account, usage).lines

    assert round(line.amount.monthly.ceiling, 2) == Decimal(monthly)
    assert line.note == note


def test_what_is_mounted_by_nfs_must_be_declared() -> None:
    [gap] = _priced(_NFS, {"blobTiB": 5}).unpriced

    assert (gap.reason, gap.fix) == ("nothing tells how much", "Declare usage.nfsTiB")


def test_an_nfs_account_alone_is_the_fabric_s() -> None:
    [line] = _priced(_NFS, containers=[{"name": "shared", "mount": "nfs"}]).lines

    assert line.note == "two checkpoints"


@pytest.mark.parametrize(
    "type_",
    [
        "azure-native:storage:ManagementPolicy",
        "azure-native:storage:BlobContainerImmutabilityPolicy",
        "azure-native:storage:BlobServiceProperties",
        "azure-native:storagecache:AutoExportJob",
        "kubernetes:core/v1:PersistentVolume",
        "kubernetes:core/v1:PersistentVolumeClaim",
        "kubernetes:apps/v1:DaemonSet",
    ],
)
def test_settings_and_volumes_are_known_to_be_free(type_: str) -> None:
    assert free(type_) is not None
