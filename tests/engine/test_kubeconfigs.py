"""Access to clusters out of a state."""

from __future__ import annotations

import json

from gpufleet.engine.kubeconfigs import kubeconfigs_of

SECRET = "4dabf18193072939515e22adb298388d"
CLUSTER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/AKS-a"


def provider(**inputs: object) -> dict[str, object]:
    return {"type": "pulumi:providers:kubernetes", "urn": "u", "inputs": inputs}


def test_a_kubeconfig_by_its_cluster() -> None:
    secret = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps('{"kind": "Config"}')}
    state = {"deployment": {"resources": [provider(clusterIdentifier=CLUSTER, kubeconfig=secret)]}}
    assert kubeconfigs_of(state) == {CLUSTER.lower(): '{"kind": "Config"}'}


def test_what_is_encrypted_or_incomplete_is_left_out() -> None:
    sealed = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    resources = [
        provider(clusterIdentifier=CLUSTER, kubeconfig=sealed),
        provider(kubeconfig="plain"),
        {"type": "azure-native:network:Subnet", "inputs": {"clusterIdentifier": CLUSTER, "kubeconfig": "x"}},
    ]
    assert kubeconfigs_of({"deployment": {"resources": resources}}) == {}
    assert kubeconfigs_of({"deployment": None}) == {}
