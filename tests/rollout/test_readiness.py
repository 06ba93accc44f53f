from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gpufleet.rollout.readiness import Nodes, problems

DIGEST = "sha256:" + "a" * 64
IMAGE = f"cr.azurecr.io/vllm@{DIGEST}"
WEIGHTS = f"models/chat@{DIGEST}"
NODES = Nodes(size="Standard_NC40ads_H100_v5", ready=2, there=2, most=4, quota_left=80, vcpus=40, per_server=1)
NO_ROOM = (
    "no room for a new server beside the old ones: 2 of at most 2 nodes of Standard_NC40ads_H100_v5 are there, and a "
    "server takes 1: raise nodes.max of a pool first"
)
NO_QUOTA = (
    "no quota for a new server beside the old ones: 39 vCPUs of Standard_NC40ads_H100_v5's family are left, and it "
    "takes 40: ask Azure for more"
)


@dataclass
class FakeRegion:
    name: str = "eastus"
    status: str = "Ready"
    lacks: tuple[str, ...] = ()
    loose: dict[str, str] = field(default_factory=dict)
    found: tuple[Nodes, ...] = (NODES,)

    def replica(self) -> str:
        return self.status

    def missing(self, repository: str, digest: str) -> bool:
        assert digest == DIGEST
        return repository in self.lacks

    def unsigned(self, repository: str, digest: str) -> str:
        assert digest == DIGEST
        return self.loose.get(repository, "")

    def nodes(self) -> Sequence[Nodes]:
        return self.found


def nodes(**changes: int) -> FakeRegion:
    given = {"ready": 2, "there": 2, "most": 4, "quota_left": 80, "vcpus": 40, "per_server": 1} | changes
    return FakeRegion(found=(Nodes(size="Standard_NC40ads_H100_v5", **given),))


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (FakeRegion(), []),
        (
            FakeRegion(status="Replicating"),
            ["its registry replica is Replicating, not Ready: wait for the replication to end"],
        ),
        (
            FakeRegion(lacks=("vllm", "models/chat")),
            [
                f"its registry replica lacks vllm@{DIGEST}: push it, or wait until it is replicated",
                f"its registry replica lacks {WEIGHTS}: push it, or wait until it is replicated",
            ],
        ),
        (
            FakeRegion(loose={"models/chat": "signed by nobody"}),
            [f"{WEIGHTS} has no trusted signature: signed by nobody"],
        ),
        (nodes(ready=1), ["1 of 2 nodes of Standard_NC40ads_H100_v5 ready: repair the others first"]),
        (nodes(most=2), [NO_ROOM]),
        (nodes(most=2, per_server=0), []),
        (nodes(quota_left=39), [NO_QUOTA]),
    ],
)
def test_problems(region: FakeRegion, said: list[str]) -> None:
    images = [IMAGE, f"vllm/vllm-openai@{DIGEST}"]
    assert list(problems(region, images=images, weights=[WEIGHTS], login_server="cr.azurecr.io")) == said
