"""Access to an environment's clusters, out of its state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PROVIDER = "pulumi:providers:kubernetes"


def kubeconfigs_of(state: Mapping[str, Any]) -> Mapping[str, str]:
    """The kubeconfig of every Kubernetes provider, by its cluster identifier in lower case.

    There is no credential in ours (components.cluster_access), but Pulumi keeps them as secrets.

    Args:
        state: as `pulumi stack export --show-secrets` gives it.
    """
    found: dict[str, str] = {}
    for resource in (state.get("deployment") or {}).get("resources") or []:
        inputs = resource.get("inputs") or {}
        cluster, kubeconfig = inputs.get("clusterIdentifier"), _plain(inputs.get("kubeconfig"))
        if resource.get("type") == _PROVIDER and isinstance(cluster, str) and kubeconfig:
            found[cluster.lower()] = kubeconfig
    return found


def _plain(value: object) -> str:
    """A secret's text (its JSON form, as `--show-secrets` writes it), or plain text; "" for anything else."""
    if isinstance(value, Mapping):
        text = value.get("plaintext")
        value = json.loads(text) if isinstance(text, str) else None
    return value if isinstance(value, str) else ""
