"""What Azure's managed Prometheus scrapes beside what it finds by itself: model servers and the GPUs' exporter."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from components import gpu_operator, managed_gpu, serving_names
from components.dcgm_metrics import dcgm_names
from gpufleet.catalog.gpu_stack import GpuStack

_FILE = Path(__file__).parent / "data" / "scraped_metrics.csv"

SERVERS_INTERVAL: Final = "15s"
"""Half the add-on's default of 30 s: the autoscaler asks every 30 s, and should not see the same value twice."""
GPUS_INTERVAL: Final = "30s"

# Limits of a series' labels in Azure Monitor; more are dropped with the whole scrape (Azure Monitor docs:
# prometheus-metrics-scrape-crd).
_LABEL_LIMITS: Final = {"labelLimit": 63, "labelNameLengthLimit": 511, "labelValueLengthLimit": 1023}


def servers_spec(namespaces: Sequence[str]) -> dict[str, object]:
    """Spec of the PodMonitor of model servers: each pod with a server's label, by model, form and server."""
    return {
        **_LABEL_LIMITS,
        "namespaceSelector": {"matchNames": list(namespaces)},
        "selector": {"matchExpressions": [{"key": serving_names.SERVER, "operator": "Exists"}]},
        "podMetricsEndpoints": [
            {
                "port": serving_names.HTTP_PORT_NAME,
                "path": "/metrics",
                "interval": SERVERS_INTERVAL,
                "relabelings": [
                    _from_pod_label(serving_names.MODEL, "model"),
                    _from_pod_label(serving_names.FORM, "form"),
                    _from_pod_label(serving_names.SERVER, "server"),
                ],
                "metricRelabelings": [_keep(server_metrics())],
            }
        ],
    }


def gpus_spec(gpu_stack: GpuStack) -> dict[str, object]:
    """Spec of the PodMonitor of the DCGM exporter, which is the GPU Operator's or, with AKS's own driver, a chart's."""
    managed = gpu_stack is GpuStack.MANAGED
    # NVIDIA/gpu-operator assets/state-dcgm-exporter; NVIDIA/dcgm-exporter deployment/templates.
    namespace = managed_gpu.NAMESPACE if managed else gpu_operator.NAMESPACE
    label = {"app.kubernetes.io/name": "dcgm-exporter"} if managed else {"app": "nvidia-dcgm-exporter"}
    return {
        **_LABEL_LIMITS,
        "namespaceSelector": {"matchNames": [namespace]},
        "selector": {"matchLabels": label},
        "podMetricsEndpoints": [
            {
                "port": "metrics",
                "interval": GPUS_INTERVAL,
                # The exporter says which pod has the GPU; its own name in that place would hide it.
                "honorLabels": True,
                "metricRelabelings": [_keep(dcgm_names())],
            }
        ],
    }


@lru_cache(maxsize=1)
def server_metrics() -> Sequence[str]:
    """Names of the servers' metrics that are kept (data/scraped_metrics.csv): samples are billed."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(row["metric"] for row in csv.DictReader(file))


def _from_pod_label(label: str, to: str) -> Mapping[str, object]:
    # Prometheus turns what is no letter, digit or '_' of a label's name into '_'.
    name = "".join(c if c.isalnum() else "_" for c in label)
    return {"sourceLabels": [f"__meta_kubernetes_pod_label_{name}"], "targetLabel": to}


def _keep(names: Sequence[str]) -> Mapping[str, object]:
    return {"sourceLabels": ["__name__"], "regex": "|".join(names), "action": "keep"}
