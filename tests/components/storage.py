"""A fabric with every part of its storage on, for graphs and golden manifests."""

from __future__ import annotations

from typing import Any

from tests.spec.environments import DATA, changed

STORAGE = ("training", 0, "storage")
PROVIDER = "00000000-0000-4000-8000-00000000000a"
"""Object id of the HPC Cache Resource Provider in a tenant of the tests."""
HSM = {
    "container": "corpus",
    "loggingContainer": "corpus-logs",
    "importPrefixes": ["/text", "/code"],
    "autoExportPrefix": "/checkpoints",
    "resourceProviderPrincipalId": PROVIDER,
}
CONTAINERS: list[object] = [
    "datasets",
    {
        "name": "checkpoints",
        "mount": "blobfuse",
        "cache": "nvme",
        "lifecycle": {"prefix": "runs/", "coolAfterDays": 7, "deleteAfterDays": 30},
    },
    {"name": "shared", "mount": "nfs"},
    {"name": "tokens", "mount": "blobfuse"},
    {"name": "last-good", "immutableDays": 14},
]
LUSTRE = {
    "sku": "AMLFS-Durable-Premium-250",
    "capacityTiB": 16,
    "rootSquash": {"noSquashNids": "10.0.64.[4-20]@tcp"},
    "hsm": HSM,
}


def everything_on() -> dict[str, Any]:
    """The tests' environment, its fabric with all that `storage` and pools can ask of storage."""
    return changed(
        {
            (*STORAGE, "lustre"): LUSTRE,
            (*STORAGE, "blob"): {"containers": CONTAINERS},
            (*DATA, "role"): "data-preparation",
            ("training", 0, "queue"): {
                "teams": [
                    {"name": "language", "nominalNodes": {"h100": 6}},
                    {"name": "vision", "nominalNodes": {"h100": 2}},
                ]
            },
        }
    )
