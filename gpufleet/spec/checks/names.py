"""Names: nothing that becomes an Azure or Kubernetes name may stand twice where Azure wants it once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.spec.addresses import Scope, scopes
from gpufleet.spec.base import GLOBAL_SCOPE
from gpufleet.spec.checks.places import repeated
from gpufleet.spec.environment import Environment
from gpufleet.spec.own_tags import OWN_TAGS
from gpufleet.spec.pool_names import agent_pools
from gpufleet.spec.problem import Problem, key_text, quoted

SYSTEM_POOL = "system"
"""Name of the inline system pool."""

_TAG_NAME = re.compile(r"^[^<>%&\\?/\x00-\x1f\x7f]{1,512}$")


def check_names(environment: Environment) -> Iterator[Problem]:
    """Duplicate fabrics, regions, pools, models, containers, contacts; tags that Azure refuses or the tool owns."""
    for index, first in repeated([fabric.name for fabric in environment.training]):
        fix = "Give it another name: it is part of the names of all its Azure resources"
        yield _duplicate(("training", index, "name"), f"the name of training[{first}]", fix)
    for index, fabric in enumerate(environment.training):
        if fabric.name == GLOBAL_SCOPE:
            message = f"{quoted(GLOBAL_SCOPE)} is kept for what an environment has once"
            yield Problem(path=("training", index, "name"), message=message, fix="Give it another name")
    yield from _inference_names(environment)
    for scope in scopes(environment):
        yield from _pool_names(scope)
    for place, fabric in enumerate(environment.training):
        for index, first in repeated([container.name for container in fabric.storage.blob.all_containers()]):
            path = ("training", place, "storage", "blob", "containers")
            yield _duplicate((*path, index), key_text((*path, first)), "Keep one")
    for index, first in repeated([contact.casefold() for contact in environment.budget.contacts]):
        yield _duplicate(("budget", "contacts", index), f"budget.contacts[{first}]", "Keep one")
    yield from _tags(environment)


def _inference_names(environment: Environment) -> Iterator[Problem]:
    if environment.inference is None:
        return
    regions = [region.name for region in environment.inference.regions]
    for index, first in repeated(regions):
        fix = "Put the pools of both in one: a region has one cluster"
        yield _duplicate(("inference", "regions", index, "name"), f"inference.regions[{first}]", fix)
    for index, first in repeated([model.name for model in environment.inference.models]):
        fix = "Give it another name"
        yield _duplicate(("inference", "models", index, "name"), f"the name of inference.models[{first}]", fix)
    for index, fabric in enumerate(environment.training):
        if fabric.name in regions:
            fix = "Give the fabric another name: both are part of resource names, which would collide"
            yield _duplicate(("training", index, "name"), f"inference.regions[{regions.index(fabric.name)}]", fix)


def _pool_names(scope: Scope) -> Iterator[Problem]:
    names = [pool.name for pool in scope.pools]
    twice = dict(repeated(names))
    for index, first in twice.items():
        path = (*scope.path, "pools")
        yield _duplicate((*path, index, "name"), f"the name of {key_text((*path, first))}", "Give it another name")
    seen = {SYSTEM_POOL: "the system pool"}
    for index, pool in enumerate(scope.pools):
        if index in twice:
            continue
        for plan in agent_pools(pool):
            path = (*scope.path, "pools", index, "name")
            if plan.name in seen:
                message = f"gives the AKS pool name {plan.name}, which {seen[plan.name]} has already"
                yield Problem(path=path, message=message, fix="Give it another name", reads=(path[:-1],))
                break
            seen[plan.name] = f"the pool {pool.name}"


def _tags(environment: Environment) -> Iterator[Problem]:
    for index, first in repeated([name.casefold() for name in environment.tags]):
        names = list(environment.tags)
        yield Problem(
            path=("tags", names[index]),
            message=f"differs from {quoted(names[first])} in case alone, and Azure's tag names have none",
            fix="Keep one",
        )
    for name in environment.tags:
        path = ("tags", name)
        if name.casefold() in OWN_TAGS:
            fix = "Use `owner`, `costCenter` and `class`, or another tag name"
            yield Problem(path=path, message="is a tag that every resource has already", fix=fix)
        elif not _TAG_NAME.match(name) or name.casefold().startswith(("microsoft", "azure", "windows")):
            yield Problem(
                path=path,
                message="is not a tag name that Azure accepts",
                fix="Use 1 to 512 characters without < > % & \\ ? / that don't start with microsoft, azure or windows",
                source="azure-resource-manager tag-resources, limitations",
            )


def _duplicate(path: tuple[str | int, ...], of: str, fix: str) -> Problem:
    return Problem(path=path, message=f"is the same as {of}", fix=fix)
