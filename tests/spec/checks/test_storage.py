from __future__ import annotations

from gpufleet.spec import Severity
from tests.spec.environments import DATA, GONE, NETWORK, POOL, Case, cases, judge

_LUSTRE = ("training", 0, "storage", "lustre")
_DATASET = ("training", 0, "workload", "datasetTiB")
_SUBNETS = {
    "gpu": "10.50.0.0/24",
    "system": "10.50.1.0/24",
    "privateEndpoints": "10.50.2.0/24",
    "lustre": "10.50.4.0/24",
}
_SECOND = ("training", 0, "pools", 2)
_HSM = {
    "container": "corpus",
    "loggingContainer": "corpus-logs",
    "resourceProviderPrincipalId": "00000000-0000-4000-8000-00000000000a",
}


def _a_pool(zones: list[str]) -> dict[str, object]:
    return {"name": "more", "sku": "Standard_ND96isr_H100_v5", "nodes": {"min": 0, "max": 4}, "zones": zones}


@cases(
    Case(
        "between two steps",
        {(*_LUSTRE, "capacityTiB"): 9},
        "training[0].storage.lustre.capacityTiB",
        "AMLFS-Durable-Premium-250 comes in steps of 8 TiB from 8 TiB, not 9",
        {(*_LUSTRE, "capacityTiB"): 16},
    ),
    Case(
        "below the smallest",
        {(*_LUSTRE, "capacityTiB"): 24, (*_LUSTRE, "sku"): "AMLFS-Durable-Premium-40"},
        "training[0].storage.lustre.capacityTiB",
        "AMLFS-Durable-Premium-40 comes in steps of 48 TiB from 48 TiB, not 24",
        {(*_LUSTRE, "capacityTiB"): 48, (*_LUSTRE, "sku"): "AMLFS-Durable-Premium-40"},
    ),
    Case(
        "above what is documented",
        {(*_LUSTRE, "capacityTiB"): 2056},
        "training[0].storage.lustre.capacityTiB",
        "2056 TiB exceed the 2,048 TiB that AMLFS-Durable-Premium-250 has at the most",
    ),
    Case(
        "above the default",
        {(*_LUSTRE, "capacityTiB"): 136},
        "training[0].storage.lustre.capacityTiB",
        "136 TiB exceed the 128 TiB of AMLFS-Durable-Premium-250 granted by default",
        {(*_LUSTRE, "capacityTiB"): 128},
        severity=Severity.WARNING,
    ),
    Case(
        "a dataset no file system holds",
        {_DATASET: 2049},
        "training[0].workload.datasetTiB",
        "2049 TiB exceed the 2,048 TiB that AMLFS-Durable-Premium-250 has at the most",
        {_DATASET: 128},
    ),
    Case(
        "a dataset that doesn't fit",
        {_DATASET: 10, (*_LUSTRE, "capacityTiB"): 8},
        "training[0].storage.lustre.capacityTiB",
        "8 TiB cannot hold the dataset of 10 TiB",
        {_DATASET: 8, (*_LUSTRE, "capacityTiB"): 8},
        severity=Severity.WARNING,
    ),
    Case(
        "nothing to derive from",
        {("training", 0, "workload"): GONE},
        "training[0].storage.lustre.capacityTiB",
        "is missing, and there is no workload to derive it from",
        {("training", 0, "workload"): GONE, (*_LUSTRE, "capacityTiB"): 8},
    ),
    Case(
        "a subnet for less",
        {
            NETWORK: {"vnetCidr": "10.50.0.0/21", "subnets": _SUBNETS},
            (*_LUSTRE, "capacityTiB"): 240,
            (*_LUSTRE, "sku"): "AMLFS-Durable-Premium-40",
        },
        "training[0].network.subnets.lustre",
        "10.50.4.0/24 is too small for a file system of 240 TiB or more, which needs a /23",
        {
            NETWORK: {"vnetCidr": "10.50.0.0/21", "subnets": {**_SUBNETS, "lustre": "10.50.4.0/23"}},
            (*_LUSTRE, "capacityTiB"): 240,
            (*_LUSTRE, "sku"): "AMLFS-Durable-Premium-40",
        },
    ),
    Case(
        "another zone than the nodes",
        {(*_LUSTRE, "zone"): 2, (*POOL, "zones"): [1]},
        "training[0].storage.lustre.zone",
        "2 is not a zone of the GPU pools (1)",
        {(*_LUSTRE, "zone"): 2, (*POOL, "zones"): [2]},
    ),
    Case(
        "the CPU nodes' zone",
        {(*_LUSTRE, "zone"): 2, (*POOL, "zones"): [1], (*DATA, "zones"): [2]},
        "training[0].storage.lustre.zone",
        "2 is not a zone of the GPU pools (1)",
        {(*POOL, "zones"): [1], (*DATA, "zones"): [2]},
    ),
    Case(
        "no zone to derive",
        {(*POOL, "zones"): [1], _SECOND: _a_pool(["2"])},
        "training[0].storage.lustre.zone",
        "is missing, and the pools are not all in one zone to derive it from",
        {(*POOL, "zones"): [1], _SECOND: _a_pool(["2"]), (*_LUSTRE, "zone"): 1},
    ),
    Case(
        "a zone of some GPU pools",
        {(*POOL, "zones"): [2], _SECOND: _a_pool([])},
        "training[0].storage.lustre.zone",
        "is missing, and the pools are not all in one zone to derive it from",
        {(*POOL, "zones"): [2], _SECOND: _a_pool(["2"])},
    ),
    Case(
        "blob integration: logs among the data",
        {(*_LUSTRE, "hsm"): {**_HSM, "loggingContainer": "corpus"}},
        "training[0].storage.lustre.hsm.loggingContainer",
        'is the data container, "corpus"',
        {(*_LUSTRE, "hsm"): _HSM},
    ),
    Case(
        "blob integration: prefixes that overlap as text",
        {(*_LUSTRE, "hsm"): {**_HSM, "importPrefixes": ["/data2", "/text", "/data"]}},
        "training[0].storage.lustre.hsm.importPrefixes[0]",
        '"/data2" starts with "/data", and no prefix may be the start of another',
        {(*_LUSTRE, "hsm"): {**_HSM, "importPrefixes": ["/data1", "/data2"]}},
    ),
    Case(
        "blob integration: a prefix twice",
        {(*_LUSTRE, "hsm"): {**_HSM, "importPrefixes": ["/data", "/data"]}},
        "training[0].storage.lustre.hsm.importPrefixes[1]",
        '"/data" starts with "/data", and no prefix may be the start of another',
    ),
)
def test_storage(case: Case) -> None:
    judge(case)
