"""From a kubeconfig to the cluster in the sandbox's Azure that it points at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.errors import SandboxError
from sandbox.outages import is_down
from sandbox.store import Store
from sandbox.values import Properties

_CLUSTER = "azure-native:containerservice:ManagedCluster"


@dataclass(frozen=True, slots=True)
class ActiveCluster:
    """The server that a kubeconfig's current context talks to."""

    server: str

    @property
    def host(self) -> str:
        """Its host name, lower case."""
        return (urlsplit(self.server).hostname or "").lower()


def parse_kubeconfig(text: str, context: str = "", cluster: str = "") -> ActiveCluster:
    """The active cluster of a kubeconfig (its text, or the path of a file).

    Raises:
        SandboxError: it is not a kubeconfig, or names a context or cluster that it does not have.
    """
    config = _load(text)
    try:
        clusters = {entry["name"]: entry["cluster"]["server"] for entry in config.get("clusters", ())}
        contexts = {entry["name"]: entry["context"]["cluster"] for entry in config.get("contexts", ())}
    except (KeyError, TypeError) as error:
        raise SandboxError(f"the provider's kubeconfig is not valid: {error} is missing") from error
    wanted = context or config.get("current-context", "")
    name = cluster or contexts.get(wanted)
    if name not in clusters:
        raise SandboxError(f"the provider's kubeconfig has no cluster for context '{wanted}'")
    return ActiveCluster(clusters[name])


def _load(text: str) -> Properties:
    if not text.lstrip().startswith("{") and "\n" not in text and Path(text).expanduser().is_file():
        text = Path(text).expanduser().read_text()
    try:
        config = json.loads(text)
    except ValueError:
        import yaml  # noqa: PLC0415 - the kubeconfigs that the sandbox hands out are JSON

        try:
            config = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SandboxError("the provider's kubeconfig is neither YAML nor JSON") from error
    if not isinstance(config, dict):
        raise SandboxError("the provider's kubeconfig is empty")
    return config


def find_cluster(store: Store, active: ActiveCluster) -> str | None:
    """The ARM id of the AKS cluster with this API server, or None: there is none, or its region is down."""
    for _, record in store.items("/subscriptions/"):
        if record.get("token") == _CLUSTER:
            hosts = (str(record["outputs"].get(name, "")).lower() for name in ("fqdn", "privateFQDN"))
            if active.host in hosts:
                return None if is_down(store, str(record["outputs"].get("location", ""))) else str(record["id"])
    return None
