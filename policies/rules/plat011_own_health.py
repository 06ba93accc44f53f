"""PLAT011: GPU health where the driver is ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.in_cluster import charts, inside
from policies.reading import UndecidedError, may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View

_GPU_OPERATOR = "gpu-operator"
_EXPORTER = "dcgm-exporter"
_DAEMON_SET = "apps/DaemonSet"


class OwnHealthSettings(Settings):
    """What PLAT011 asks for."""

    require_agent: bool = False
    """Whether a health agent has to run on the nodes as well."""
    agent: str = "health-agent"
    """Name of the agent's daemon set."""


class OwnHealth(Rule[Pool, OwnHealthSettings]):
    """A pool without AKS's driver has the DCGM exporter in its cluster, and a health agent where one is asked for.

    With `gpuProfile.driver: None` AKS checks no GPU of the pool: no XID errors, no missing GPU, no flapping InfiniBand
    link. What then tells a sick GPU from a slow job is the exporter of the driver's owner. Node auto-repair acts on
    nodes that are not ready, and a node with seven of eight GPUs is ready.
    """

    id = "PLAT011"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.STACK
    fix = "Leave dcgmExporter on in the GPU Operator's values, or add the dcgm-exporter chart"
    source = "AKS gpu-health-monitoring (limitations), node-auto-repair"
    settings = OwnHealthSettings

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of NVIDIA sizes with driver None, and those of which nobody can tell."""
        return may(view.pools, lambda pool: pool.size.gpu_vendor == "NVIDIA" and _own(pool))

    def judge(self, subject: Pool, view: View, settings: OwnHealthSettings) -> Iterator[Objection]:
        """The exporter, and the agent, in its cluster."""
        if not _own(subject) or subject.size.gpu_vendor != "NVIDIA":
            return
        cluster = subject.cluster
        if cluster is None:
            raise UndecidedError(f"which cluster {subject.name} belongs to is not known")
        operators = charts(view, cluster, _GPU_OPERATOR)
        exported = any(chart.flag("dcgmExporter", "enabled", default=True) for chart in operators)
        if not exported and not charts(view, cluster, _EXPORTER):
            yield Objection(message=f"{subject.name} has driver None, and no DCGM exporter runs in its cluster")
        if settings.require_agent and not any(
            one.properties.text("metadata", "name") == settings.agent for one in inside(view, cluster, _DAEMON_SET)
        ):
            yield Objection(
                message=f"{subject.name} has driver None, and no daemon set {settings.agent} runs in its cluster",
                fix="Add the health agent",
            )


def _own(pool: Pool) -> bool:
    return (pool.properties.text("gpuProfile", "driver") or "Install").casefold() == "none"
