from __future__ import annotations

from typing import Any

import pytest

from gpufleet.rollout.servers import behind


def server(kind: str = "Deployment", *, generation: int = 2, **status: object) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {"name": "chat", "generation": generation},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, **status},
    }


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (server(), []),
        (server("LeaderWorkerSet"), []),
        (server(generation=3), ["chat: its controller has not seen the change yet"]),
        (server(updatedReplicas=1), ["chat: 1 of 2 replicas are new"]),
        (server("LeaderWorkerSet", readyReplicas=0), ["chat: 0 of 2 replicas are ready"]),
        (server(replicas=3), ["chat: 1 old replicas are still there"]),
        (
            {"kind": "Deployment", "metadata": {"name": "a", "generation": 1}, "spec": {"replicas": 0}},
            ["a: its controller has not seen the change yet"],
        ),
        (
            {"kind": "Workspace", "status": {"conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]}},
            [],
        ),
        ({"kind": "Workspace", "metadata": {"name": "k"}}, ["k: KAITO has not made it ready yet"]),
    ],
)
def test_behind(one: dict[str, Any], said: list[str]) -> None:
    assert list(behind([one])) == said
