"""The containers that bring weights into a cache (data/model_weights.sh), and what their pods mount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pulumi
from pulumi_kubernetes import core, meta, networking

from components.model_namespace import pull_egress
from components.weights_settings import weights_settings

SCRIPTS_NAME = "model-weights"
"""Name of the ConfigMap with the script."""
CACHE_VOLUME = "weights"
CONTAINER = "weights"
WORKLOAD_IDENTITY_LABELS = {"azure.workload.identity/use": "true"}
"""AKS's webhook gives pods with this label a token of their service account (AKS workload-identity-overview)."""
SCRIPT = Path(__file__).parent / "data" / "model_weights.sh"
_CACHE, _RUN, _SCRIPTS = "/cache", "/run/weights", "/scripts"
_PROBE_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Puller:
    """A container with the script."""

    artifact: pulumi.Input[str]
    """With the registry: `REGISTRY/REPOSITORY@sha256:…`."""
    task: str
    """What the script does: `hold`, `fill` or `wait`."""
    patience_seconds: int = 0
    """Seconds until a `hold` must have the weights."""


@lru_cache(maxsize=1)
def script_text() -> str:
    """The script that pulls."""
    return SCRIPT.read_text(encoding="utf-8")


def puller(of: Puller) -> core.v1.ContainerArgs:
    """The container. With `hold` it is a sidecar: the containers after it start once the weights are there."""
    settings = weights_settings()
    ready = f"{_RUN}/ready"
    holds = of.task == "hold"
    variables: dict[str, pulumi.Input[str]] = {
        "ARTIFACT": of.artifact,
        "CACHE": _CACHE,
        "RUN": _RUN,
        "READY": ready,
        "CONCURRENCY": str(settings.concurrency),
    }
    return core.v1.ContainerArgs(
        name=CONTAINER,
        image=str(settings.image),
        command=["sh", f"{_SCRIPTS}/{SCRIPT.name}", of.task],
        env=[core.v1.EnvVarArgs(name=name, value=value) for name, value in variables.items()],
        restart_policy="Always" if holds else None,
        startup_probe=core.v1.ProbeArgs(
            exec_=core.v1.ExecActionArgs(command=["test", "-e", ready]),
            period_seconds=_PROBE_SECONDS,
            failure_threshold=-(-of.patience_seconds // _PROBE_SECONDS),
        )
        if holds
        else None,
        # A pull is some streams of TLS; while it holds, the shell sleeps.
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": "100m", "memory": "128Mi"}, limits={"cpu": "4", "memory": "2Gi"}
        ),
        security_context=core.v1.SecurityContextArgs(
            run_as_non_root=True,
            # One user in all pods, whatever the servers' are: whoever pulls finds what others pulled its own.
            run_as_user=settings.user,
            run_as_group=settings.user,
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
            seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        volume_mounts=[
            core.v1.VolumeMountArgs(name=CACHE_VOLUME, mount_path=_CACHE, read_only=of.task == "wait"),
            core.v1.VolumeMountArgs(name="weights-run", mount_path=_RUN),
            core.v1.VolumeMountArgs(name="weights-scripts", mount_path=_SCRIPTS, read_only=True),
        ],
    )


def volumes(claim: str) -> list[core.v1.VolumeArgs]:
    """What a pod with a puller mounts: the cache by its claim, the script, and memory for tokens."""
    return [
        core.v1.VolumeArgs(
            name=CACHE_VOLUME,
            persistent_volume_claim=core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=claim),
        ),
        core.v1.VolumeArgs(name="weights-scripts", config_map=core.v1.ConfigMapVolumeSourceArgs(name=SCRIPTS_NAME)),
        core.v1.VolumeArgs(
            name="weights-run", empty_dir=core.v1.EmptyDirVolumeSourceArgs(medium="Memory", size_limit="1Mi")
        ),
    ]


def pull_policy(
    name: str, *, namespace: pulumi.Input[str], pods: Mapping[str, str], opts: pulumi.ResourceOptions
) -> networking.v1.NetworkPolicy:
    """Lets pods that pull out, and nobody in."""
    return networking.v1.NetworkPolicy(
        name,
        metadata=meta.v1.ObjectMetaArgs(name="weights", namespace=namespace),
        spec=networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(match_labels=dict(pods)),
            policy_types=["Ingress", "Egress"],
            egress=pull_egress(),
        ),
        opts=opts,
    )
