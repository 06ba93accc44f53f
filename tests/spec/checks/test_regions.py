from __future__ import annotations

from gpufleet.spec import Severity
from tests.spec.environments import SERVE, Case, cases, judge

_ALLOWED = ("allowedRegions",)


@cases(
    Case(
        "users next to an unknown region",
        {("inference", "demand"): [{"region": "westeurop", "share": 1}]},
        "inference.demand[0].region",
        "westeurop is not an Azure region",
        # Nobody builds there, so it need not be allowed.
        {("inference", "demand"): [{"region": "westeurope", "share": 1}]},
    ),
    Case(
        "unknown region",
        {("training", 0, "region"): "eastus9"},
        "training[0].region",
        "eastus9 is not an Azure region",
        {("training", 0, "region"): "eastus"},
    ),
    Case(
        "unknown allowed region",
        {_ALLOWED: ["eastus", "swedencentral", "mars"]},
        "allowedRegions[2]",
        "mars is not an Azure region",
        {_ALLOWED: ["eastus", "swedencentral", "westus3"]},
    ),
    Case(
        "allowed twice",
        {_ALLOWED: ["eastus", "swedencentral", "eastus"]},
        "allowedRegions[2]",
        "is the same as allowedRegions[0]",
        {_ALLOWED: ["swedencentral", "eastus"]},
    ),
    Case(
        "not allowed",
        {_ALLOWED: ["eastus"]},
        "inference.regions[0].name",
        "swedencentral is not among allowedRegions (eastus)",
        {_ALLOWED: ["eastus", "swedencentral", "westus3"]},
    ),
    Case(
        "zones where there are none",
        {
            ("inference", "regions", 0, "name"): "northcentralus",
            _ALLOWED: ["eastus", "northcentralus"],
            (*SERVE, "zones"): ["1"],
        },
        "inference.regions[0].pools[0].zones",
        "northcentralus has no availability zones",
        {("inference", "regions", 0, "name"): "northcentralus", _ALLOWED: ["eastus", "northcentralus"]},
    ),
    Case(
        "a zone twice",
        {(*SERVE, "zones"): ["1", 1]},
        "inference.regions[0].pools[0].zones[1]",
        "is the same as zones[0]",
        {(*SERVE, "zones"): ["1", 2]},
    ),
    Case(
        "a file system's zone where there are none",
        {
            ("training", 0, "region"): "northcentralus",
            _ALLOWED: ["swedencentral", "northcentralus"],
            ("training", 0, "storage", "lustre", "zone"): "1",
        },
        "training[0].storage.lustre.zone",
        "northcentralus has no availability zones",
        {("training", 0, "region"): "northcentralus", _ALLOWED: ["swedencentral", "northcentralus"]},
    ),
    Case(
        "restricted region",
        {
            ("training", 0, "region"): "southafricawest",
            _ALLOWED: ["swedencentral", "southafricawest"],
        },
        "training[0].region",
        "southafricawest is open only to customers that asked Azure for it",
        {("training", 0, "region"): "southafricanorth", _ALLOWED: ["swedencentral", "southafricanorth"]},
        severity=Severity.WARNING,
    ),
)
def test_regions(case: Case) -> None:
    judge(case)
