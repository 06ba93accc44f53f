from __future__ import annotations

from tests.spec.environments import Case, cases, judge

_REGIONS = ("registry", "regions")


@cases(
    Case(
        "a registry without replicas",
        {("registry",): {"sku": "Standard"}},
        "registry.sku",
        "a Standard registry has no replicas for the 2 regions",
        {("registry",): {"sku": "Standard"}, ("training", 0, "region"): "swedencentral"},
    ),
    Case(
        "a region that serves without a replica",
        {_REGIONS: ["eastus"]},
        "registry.regions",
        "the registry has no replica in swedencentral, where swedencentral pulls images and weights",
        {_REGIONS: ["eastus", "swedencentral"]},
    ),
    Case(
        "a replica where nothing may be",
        {_REGIONS: ["eastus", "swedencentral", "westus3"]},
        "registry.regions[2]",
        "westus3 is not among allowedRegions (eastus, swedencentral)",
        {
            _REGIONS: ["eastus", "swedencentral", "westus3"],
            ("allowedRegions",): ["eastus", "swedencentral", "westus3"],
        },
    ),
    Case(
        "a replica twice",
        {_REGIONS: ["eastus", "swedencentral", "eastus"]},
        "registry.regions[2]",
        "is the same as registry.regions[0]",
        {_REGIONS: ["eastus", "swedencentral"]},
    ),
)
def test_registry(case: Case) -> None:
    judge(case)
