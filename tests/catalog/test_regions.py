from __future__ import annotations

import pytest

from gpufleet.catalog import limits, lustre, regions
from gpufleet.catalog.regions import Region, UnknownRegionError


def test_a_region() -> None:
    assert regions.get("swedencentral") == Region(
        name="swedencentral",
        display_name="Sweden Central",
        geography="Sweden",
        continent="europe",
        latitude=60.6749,
        longitude=17.1413,
        has_zones=True,
        pair="swedensouth",
        restricted=False,
    )


def test_what_nobody_knows_is_none() -> None:
    assert regions.get("swedensouth").has_zones is None
    assert regions.get("swedensouth").latitude is None
    assert regions.get("qatarcentral").pair is None
    assert regions.get("northcentralus").has_zones is False


def test_an_unknown_region() -> None:
    assert regions.find("eastus9") is None
    assert regions.nearest("East US 2") == "eastus2"
    with pytest.raises(
        UnknownRegionError, match=r"no Azure region 'swedncentral' in the catalogue; the nearest is swedencentral"
    ):
        regions.get("swedncentral")


@pytest.mark.parametrize(
    ("capacity", "prefix"),
    [(4, 24), (196, 24), (197, 23), (400, 23), (401, 22), (800, 22), (801, 21), (12_800, 18)],
)
def test_the_subnet_of_a_file_system(capacity: float, prefix: int) -> None:
    assert lustre.subnet_prefix(capacity) == prefix


def test_lustre_skus() -> None:
    assert [
        (sku.mbytes_per_s_per_tib, sku.min_tib, sku.step_tib, sku.max_tib_default, sku.max_tib_documented)
        for sku in map(lustre.get, lustre.names())
    ] == [(40, 48, 48, 768, 12800), (125, 16, 16, 128, 4096), (250, 8, 8, 128, 2048), (500, 4, 4, 128, 1024)]


def test_limits() -> None:
    assert limits.value("aks.nodes_per_cluster") == 5000
    # Whoever asks for each of 200 operations every ten seconds stays below what Resource Manager answers.
    writes = limits.value("arm.subscription_write_burst")
    assert (writes, limits.value("arm.subscription_read_refill_per_second")) == (200, 25)
    assert writes / 10 < limits.value("arm.subscription_read_refill_per_second")
    assert limits.get("vmss.infiniband_domain_nodes").source == "DOCS;AZDOCS"
    assert [str(reserved.network) for reserved in limits.reserved_ranges()] == [
        "172.16.0.0/16",
        "169.254.0.0/16",
        "172.30.0.0/16",
        "172.31.0.0/16",
        "192.0.2.0/24",
    ]
