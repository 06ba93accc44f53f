from __future__ import annotations

from gpufleet.spec.environment import Environment
from gpufleet.spec.pool_names import agent_pools
from tests.spec.environments import DATA, Case, cases, changed, environment, judge, verdict

_FABRIC = environment()["training"][0]
_REGION = environment()["inference"]["regions"][0]
_MODEL = environment()["inference"]["models"][0]


@cases(
    Case(
        "fabrics",
        {("training", 1): _FABRIC},
        "training[1].name",
        "is the same as the name of training[0]",
        {("training", 1): {**_FABRIC, "name": "lab2"}},
    ),
    Case(
        "a fabric like what there is once",
        {("training", 0, "name"): "global"},
        "training[0].name",
        '"global" is kept for what an environment has once',
        {("training", 0, "name"): "global1"},
    ),
    Case(
        "inference regions",
        {("inference", "regions", 1): _REGION},
        "inference.regions[1].name",
        "is the same as inference.regions[0]",
        {("inference", "regions", 1): {**_REGION, "name": "eastus"}},
    ),
    Case(
        "a fabric like a region",
        {("training", 0, "name"): "swedencentral"},
        "training[0].name",
        "is the same as inference.regions[0]",
        {("training", 0, "name"): "eastus"},
    ),
    Case(
        "models",
        {("inference", "models", 1): _MODEL},
        "inference.models[1].name",
        "is the same as the name of inference.models[0]",
        {("inference", "models", 1): {**_MODEL, "name": "chat-2"}},
    ),
    Case(
        "pools",
        {(*DATA, "name"): "h100"},
        "training[0].pools[1].name",
        "is the same as the name of training[0].pools[0]",
        {(*DATA, "name"): "h1001"},
    ),
    Case(
        "containers",
        {("training", 0, "storage", "blob"): {"containers": ["a-a", "b-b", "a-a"]}},
        "training[0].storage.blob.containers[2]",
        "is the same as training[0].storage.blob.containers[0]",
        {("training", 0, "storage", "blob"): {"containers": ["a-a", "b-b"]}},
    ),
    Case(
        "contacts",
        {("budget", "contacts"): ["A@example.com", "a@example.com"]},
        "budget.contacts[1]",
        "is the same as budget.contacts[0]",
        {("budget", "contacts"): ["a@example.com", "b@example.com"]},
    ),
    Case(
        "tags in two cases",
        {("tags",): {"Team": "x", "team": "y"}},
        "tags.team",
        'differs from "Team" in case alone, and Azure\'s tag names have none',
        {("tags",): {"Team": "x", "teams": "y"}},
    ),
    Case(
        "a tag of ours",
        {("tags",): {"Owner": "x"}},
        "tags.Owner",
        "is a tag that every resource has already",
        {("tags",): {"owner2": "x"}},
    ),
    Case(
        "a tag Azure refuses",
        {("tags",): {"a/b": "x"}},
        'tags["a/b"]',
        "is not a tag name that Azure accepts",
        {("tags",): {"a-b": "x"}},
    ),
    Case(
        "a tag of Azure's",
        {("tags",): {"azure-x": "x"}},
        "tags.azure-x",
        "is not a tag name that Azure accepts",
        {("tags",): {"x-azure": "x"}},
    ),
)
def test_names(case: Case) -> None:
    judge(case)


def test_pools_whose_aks_names_collide() -> None:
    # A pool named like the base and domain of an RDMA pool collides when the generations happen to be the same.
    rdma = agent_pools(Environment.model_validate(changed({})).training[0].pools[0])[0]
    for disk in range(30, 2049):
        value = changed({(*DATA, "name"): "h10001", (*DATA, "osDiskGiB"): disk})
        if agent_pools(Environment.model_validate(value).training[0].pools[1])[0].generation == rdma.generation:
            break
    assert [(problem.key, problem.message) for problem in verdict(value)] == [
        ("training[0].pools[1].name", f"gives the AKS pool name {rdma.name}, which the pool h100 has already")
    ]
