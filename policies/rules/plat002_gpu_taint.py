"""PLAT002: the taint of GPU pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.reading import may
from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Pool, View

_KEEPS_OFF = ("NoSchedule", "NoExecute")


class GpuTaintSettings(Settings):
    """What PLAT002 takes for a GPU taint."""

    keys: tuple[str, ...] = ("nvidia.com/gpu", "amd.com/gpu")
    """Keys of taints that keep pods without a GPU off GPU nodes."""


class GpuTaint(Rule[Pool, GpuTaintSettings]):
    """A GPU pool has a taint that keeps pods without a GPU off its nodes.

    A log agent or a web server on a GPU node keeps the autoscaler from taking the node away, and takes CPUs from the
    loaders that feed its GPUs: an ND H100 node is 98 USD an hour, a node for such pods less than 2. The key
    `nvidia.com/gpu` is the one that the GPU Operator's daemon sets tolerate by themselves.
    """

    id = "PLAT002"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    fix = "Give the pool the taint nvidia.com/gpu=present:NoSchedule"
    source = "AKS use-nvidia-gpu; gpu-operator chart, daemonsets.tolerations"
    settings = GpuTaintSettings

    def subjects(self, view: View) -> Iterable[Pool]:
        """Pools of GPU sizes, and those whose size can't be read."""
        return may(view.pools, lambda pool: pool.size.is_gpu)

    def judge(self, subject: Pool, view: View, settings: GpuTaintSettings) -> Iterator[Objection]:
        """Whether one of its taints keeps other pods off."""
        given = [taint for taint in subject.properties.items("nodeTaints") if isinstance(taint, str)]
        if any(_keeps_off(taint, settings.keys) for taint in given):
            return
        if subject.size.is_gpu:
            taints = ", ".join(subject.properties.texts("nodeTaints"))
            yield Objection(
                message=f"{subject.name} has {f'only {taints}' if taints else 'no taint'}: pods without a GPU land on "
                "its nodes",
                setting=("taints",),
            )


def _keeps_off(taint: str, keys: tuple[str, ...]) -> bool:
    rest, _, effect = taint.rpartition(":")
    return rest.partition("=")[0] in keys and effect in _KEEPS_OFF
