"""Which operator set, Kubernetes minor and pools go with a GPU stack."""

from __future__ import annotations

from gpufleet.spec.base import Path
from tests.spec.environments import CLUSTER, POOL, Case, cases, judge

STACK, SET = (*CLUSTER, "gpuStack"), (*CLUSTER, "operatorSet")
VERSION = (*CLUSTER, "kubernetesVersion")
SKU = (*POOL, "sku")
AMD: dict[Path, object] = {
    SKU: "Standard_ND96isr_MI300X_v5",
    ("training", 0, "region"): "eastus2",
    ("allowedRegions", 2): "eastus2",
}
"""A region that has the size."""
GB200, MI300X = "Standard_ND128isr_NDR_GB200_v6", "Standard_ND96isr_MI300X_v5"


@cases(
    Case(
        "no such set",
        {SET: "2026-05"},
        "training[0].cluster.operatorSet",
        "there is no operator set 2026-05",
        {SET: "2026-04"},
    ),
    Case(
        "a set that was not tested with the stack",
        {SET: "2026-04", STACK: "managed"},
        "training[0].cluster.operatorSet",
        "operator set 2026-04 was not tested with gpuStack managed, only with operator and operator-dra",
        {SET: "2026-07", STACK: "managed"},
    ),
    Case(
        "DRA on an old Kubernetes",
        {STACK: "operator-dra", VERSION: "1.33"},
        "training[0].cluster.kubernetesVersion",
        "operator-dra of operator set 2026-04 needs Kubernetes 1.34 or newer, not 1.33",
        {STACK: "operator-dra", VERSION: "1.34"},
    ),
    Case(
        "racks without DRA",
        {SKU: GB200},
        "training[0].cluster.gpuStack",
        f"pool h100 of {GB200} needs operator-dra, not operator: its racks' NVLink is a resource of Dynamic Resource "
        "Allocation",
        {SKU: GB200, STACK: "operator-dra"},
    ),
    Case(
        "a set whose OFED driver doesn't build on arm64",
        {SKU: GB200, STACK: "operator-dra", SET: "2026-03"},
        "training[0].cluster.operatorSet",
        "operator set 2026-03 has no OFED driver that builds on arm64 nodes",
        {SKU: GB200, STACK: "operator-dra", SET: "2026-04"},
    ),
    Case(
        "AMD with AKS's driver",
        {**AMD, STACK: "managed"},
        "training[0].pools[0].sku",
        f"{MI300X} has AMD GPUs, and with gpuStack managed nobody brings their driver: AKS installs NVIDIA's driver "
        "alone",
        {**AMD, STACK: "operator"},
    ),
    Case(
        "AMD with DRA",
        {**AMD, STACK: "operator-dra"},
        "training[0].pools[0].sku",
        f"{MI300X} has AMD GPUs, and with gpuStack operator-dra nobody brings their driver: no source tried AMD's DRA "
        "driver on AKS",
        AMD,
    ),
    Case(
        "a set without AMD's operator",
        {**AMD, SET: "2026-04"},
        "training[0].cluster.operatorSet",
        "operator set 2026-04 has no operator for AMD's GPUs",
        {**AMD, SET: "2026-07"},
    ),
    Case(
        "two versions of the operating system",
        {
            SKU: GB200,
            STACK: "operator-dra",
            ("training", 0, "pools", 2): {"name": "t", "sku": "Standard_NC4as_T4_v3", "nodes": 1},
        },
        "training[0].pools[2].sku",
        "Standard_NC4as_T4_v3 runs on Ubuntu and pool h100 on Ubuntu2404, and the GPU Operator takes one version of "
        "the operating system in a cluster",
        {("training", 0, "pools", 2): {"name": "t", "sku": "Standard_NC4as_T4_v3", "nodes": 1}},
    ),
    Case(
        "an inference region's set",
        {("inference", "regions", 0, "cluster"): {"operatorSet": "x"}},
        "inference.regions[0].cluster.operatorSet",
        "there is no operator set x",
        {("inference", "regions", 0, "cluster"): {"operatorSet": "2026-03"}},
    ),
)
def test_gpu_stack(case: Case) -> None:
    judge(case)
