"""Custom kinds that AKS itself brings: those of the add-ons that a cluster's own properties turn on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.kubernetes.charts import Definition
from sandbox.values import Properties, lookup

ADDONS: Mapping[str, tuple[Definition, ...]] = {
    # kedacore/keda config/crd/bases; AKS docs: keda-about.
    "workloadAutoScalerProfile.keda.enabled": (
        Definition(group="keda.sh", kind="ClusterTriggerAuthentication", versions=("v1alpha1",)),
        Definition(group="keda.sh", kind="ScaledJob", versions=("v1alpha1",), namespaced=True),
        Definition(group="keda.sh", kind="ScaledObject", versions=("v1alpha1",), namespaced=True),
        Definition(group="keda.sh", kind="TriggerAuthentication", versions=("v1alpha1",), namespaced=True),
    ),
    # Azure/prometheus-collector; Azure Monitor docs: prometheus-metrics-scrape-crd.
    "azureMonitorProfile.metrics.enabled": (
        Definition(group="azmonitoring.coreos.com", kind="PodMonitor", versions=("v1",), namespaced=True),
        Definition(group="azmonitoring.coreos.com", kind="ServiceMonitor", versions=("v1",), namespaced=True),
    ),
}
"""By the path of the property that turns it on."""


def definitions_of_cluster(inputs: Properties) -> Iterator[Definition]:
    """The definitions that a cluster with these properties has from the start."""
    for path, definitions in ADDONS.items():
        if lookup(inputs, path) == [True]:
            yield from definitions
