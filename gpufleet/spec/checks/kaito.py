"""What KAITO can't do."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.catalog import sizes
from gpufleet.catalog.kaito_presets import presets
from gpufleet.catalog.nearest import nearest_name
from gpufleet.spec.base import Path
from gpufleet.spec.environment import Environment
from gpufleet.spec.inference import Inference
from gpufleet.spec.model import Model, ServerKind
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.problem import ITEMS, Problem, Severity, quoted

_NODES_SOURCE = "kaito-project/kaito documentation, kaito-on-byo-gpu-nodes"


def check_kaito(environment: Environment) -> Iterator[Problem]:
    """Presets that it doesn't know, or only with a token; weights, forms and nodes that it can't use."""
    inference = environment.inference
    for index, model in enumerate(inference.models if inference else []):
        path: Path = ("inference", "models", index)
        if model.server is not ServerKind.KAITO:
            if model.preset is not None:
                yield Problem(
                    path=(*path, "preset"),
                    message="is KAITO's, and vLLM runs this model's servers",
                    fix="Leave it out, or say `server: kaito`",
                    reads=((*path, "server"),),
                )
            continue
        yield from _preset(model, path)
        yield from _own(model, path)
        if inference is not None:
            yield from _nodes(inference, model, path)


def _preset(model: Model, path: Path) -> Iterator[Problem]:
    if model.preset is None:
        return
    known = presets()
    preset = known.get(model.preset)
    if preset is None:
        near = nearest_name(model.preset, known)
        yield Problem(
            path=(*path, "preset"),
            message=f"KAITO has no preset {quoted(model.preset)}",
            fix=f"Did you mean {near}?" if near else f"Presets: {', '.join(known)}",
            source="gpufleet/catalog/data/kaito_presets.csv",
        )
    elif preset.needs_token:
        yield Problem(
            path=(*path, "preset"),
            message=f"{preset.model} is given out only for a Hugging Face token, and gpufleet keeps none",
            fix="Push the weights to the registry and let vLLM serve them: `server: vllm` with `weights` and `image`",
            source="gpufleet/catalog/data/kaito_presets.csv",
        )


def _own(model: Model, path: Path) -> Iterator[Problem]:
    for name, given in (("weights", model.weights is not None), ("variants", bool(model.variants))):
        if given:
            yield Problem(
                path=(*path, name),
                message="are not for KAITO: a preset has weights of its own, in one form",
                fix="Leave them out, or let vLLM run the servers",
                source="kaito-project/kaito api/v1beta1 workspace_types.go",
                reads=((*path, "server"),),
            )


def _nodes(inference: Inference, model: Model, path: Path) -> Iterator[Problem]:
    for number, region in enumerate(inference.regions):
        pools = [
            (pool, size)
            for pool in region.pools_of(model.name)
            if (size := sizes.find(pool.sku)) is not None and size.is_gpu
        ]
        reads = ((*path, "server"), ("inference", "regions", ITEMS, "pools"))
        amd = sorted({pool.name for pool, size in pools if size.gpu_vendor == "AMD"})
        if amd:
            yield Problem(
                path=(*path, "server"),
                message=f"KAITO's image runs on NVIDIA's GPUs alone, and {region.name} has AMD's in {', '.join(amd)}",
                fix="Keep the model off the pool by `serves`, or let vLLM run the servers",
                source="AKS documentation, ai-toolchain-operator: limitations",
                reads=reads,
            )
        used = sorted({pool.sku for pool, _ in pools})
        if len(used) > 1:
            yield Problem(
                path=(*path, "server"),
                message=f"in {region.name} KAITO would run {model.name} on {' and '.join(used)}, and the gateway finds "
                "the servers of one set alone: KAITO gives its pods no labels of ours",
                fix="Keep the model on one size a region by `serves`, or let vLLM run the servers",
                source="kaito-project/kaito pkg/workspace/manifests (labels of pods)",
                reads=reads,
            )
        if pools and all(plan.min_nodes == 0 for pool, _ in pools for plan in agent_pools(pool)):
            yield Problem(
                path=("inference", "regions", number, "pools"),
                message=f"{region.name} may have no GPU node, and KAITO looks at a node that is there before it starts "
                f"{model.name}",
                fix="Give a pool nodes.min of 1",
                source=_NODES_SOURCE,
                severity=Severity.WARNING,
                reads=reads,
            )
