from __future__ import annotations

from gpufleet.spec.base import Path
from tests.spec.environments import CLUSTER, DATA, POOL, SERVE, Case, cases, changed, judge, verdict


@cases(
    Case(
        "a measurement of an unknown size",
        {("inference", "models", 0, "tokensPerSecondPerGpu"): {"Standard_NC4as_T4_v2": 100}},
        "inference.models[0].tokensPerSecondPerGpu.Standard_NC4as_T4_v2",
        "Standard_NC4as_T4_v2 is not a GPU size of the catalogue",
        {("inference", "models", 0, "tokensPerSecondPerGpu"): {"Standard_NC4as_T4_v3": 100}},
    ),
    Case(
        "unknown size",
        {(*DATA, "sku"): "Standard_D32_v5"},
        "training[0].pools[1].sku",
        "Standard_D32_v5 is not a VM size of the catalogue",
        {(*DATA, "sku"): "Standard_D32ds_v5"},
    ),
    Case(
        "NVv4",
        {(*SERVE, "sku"): "Standard_NV4as_v4"},
        "inference.regions[0].pools[0].sku",
        "AKS does not support the NVv4 series",
        {(*SERVE, "sku"): "Standard_NC4as_T4_v3"},
    ),
    Case(
        "not listed in the region",
        {("inference", "regions", 0, "name"): "francecentral", ("allowedRegions",): ["eastus", "francecentral"]},
        "inference.regions[0].pools[0].sku",
        "the price list has no meter for Standard_NC40ads_H100_v5 in francecentral",
        {
            ("inference", "regions", 0, "name"): "francecentral",
            ("allowedRegions",): ["eastus", "francecentral"],
            (*SERVE, "sku"): "Standard_NC24ads_A100_v4",
        },
    ),
    Case(
        "listed nowhere",
        {(*POOL, "sku"): "Standard_ND128isr_GB300_v6", (*CLUSTER, "gpuStack"): "operator-dra"},
        "training[0].pools[0].sku",
        "the price list has no meter for Standard_ND128isr_GB300_v6 in eastus",
        {(*POOL, "sku"): "Standard_ND128isr_NDR_GB200_v6", (*CLUSTER, "gpuStack"): "operator-dra"},
    ),
    Case(
        "fabric without GPUs",
        {("training", 0, "pools"): [{"name": "a", "sku": "Standard_D32s_v5", "nodes": 1}]},
        "training[0].pools",
        "a training fabric needs a pool with GPUs, and none of these sizes has any",
        {("training", 0, "pools"): [{"name": "a", "sku": "Standard_ND96isr_H100_v5", "nodes": 1}]},
    ),
    Case(
        "inference without GPUs",
        {(*SERVE, "sku"): "Standard_D32s_v5"},
        "inference.regions[0].pools",
        "an inference region needs a pool with GPUs, and none of these sizes has any",
        {(*SERVE, "sku"): "Standard_NV6ads_A10_v5"},
    ),
    Case(
        "system pool of the B series",
        {(*CLUSTER, "systemPool"): {"sku": "Standard_B4ms"}},
        "training[0].cluster.systemPool.sku",
        "AKS takes no B series in a system pool",
        {(*CLUSTER, "systemPool"): {"sku": "Standard_D2s_v5"}},
    ),
    Case(
        "system pool of GPUs",
        {(*CLUSTER, "systemPool"): {"sku": "Standard_NC4as_T4_v3"}},
        "training[0].cluster.systemPool.sku",
        "Standard_NC4as_T4_v3 is too costly a size for system pods",
        {(*CLUSTER, "systemPool"): {"sku": "Standard_F4s_v2"}},
    ),
    Case(
        "system pool of an unknown size",
        {(*CLUSTER, "systemPool"): {"sku": "Standard_D4dz_v5"}},
        "training[0].cluster.systemPool.sku",
        "Standard_D4dz_v5 is not a VM size of the catalogue",
        {(*CLUSTER, "systemPool"): {"sku": "Standard_D4ds_v5"}},
    ),
)
def test_sizes(case: Case) -> None:
    judge(case)


def test_the_fix_names_the_nearest_size_and_the_cheapest_regions() -> None:
    assert verdict(changed({(*DATA, "sku"): "standard_d32s_V5x"}))[0].message == (
        'the text "standard_d32s_V5x" is not an Azure VM size by its ARM name, such as Standard_ND96isr_H100_v5'
    )
    assert verdict(changed({(*DATA, "sku"): "Standard_D32_v5"}))[0].fix == "Did you mean Standard_D32s_v5?"
    francecentral: dict[Path, object] = {
        ("inference", "regions", 0, "name"): "francecentral",
        ("allowedRegions",): ["eastus", "francecentral"],
    }
    assert verdict(changed(francecentral))[0].fix == (
        "The list has it in eastus, eastus2, westus2, westus3, indonesiacentral, malaysiawest and 21 more "
        "(cheapest first)"
    )
