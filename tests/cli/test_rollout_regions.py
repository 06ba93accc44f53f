from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from gpufleet.cli.rollout_platform import WallClock, edited
from gpufleet.cli.rollout_regions import RegionView
from gpufleet.rollout.readiness import Nodes
from gpufleet.rollout.watch import Signals
from gpufleet.spec import StackFile, parse_environment
from gpufleet.spec.registry import Signing
from tests.spec.environments import SERVE, changed

SIZE = "Standard_NC40ads_H100_v5"
MODEL = ("inference", "models", 0)
WEIGHTS = {"artifact": "models/chat@sha256:" + "a" * 64}
IMAGE = "vllm/vllm-openai@sha256:" + "b" * 64


@dataclass
class FakeSource:
    """Two nodes, one of them ready, 80 vCPUs left; nothing is signed."""

    def replica(self, region: str) -> str:
        return f"Ready in {region}"

    def missing(self, region: str, repository: str, digest: str) -> bool:
        return (region, repository, digest) == ("swedencentral", "models/chat", "sha256:1")

    def unsigned(self, signing: Signing, repository: str, digest: str) -> str:
        return f"{repository}@{digest} by none of {', '.join(signing.identities)}"

    def node_counts(self, region: str) -> Mapping[str, tuple[int, int]]:
        assert region == "swedencentral"
        return {SIZE: (1, 2), "Standard_D4ds_v5": (2, 2)}

    def quota_left(self, region: str, size: str) -> int:
        assert (region, size) == ("swedencentral", SIZE)
        return 80

    def signals(self, region: str) -> Signals:
        raise NotImplementedError(region)

    def servers_behind(self, region: str) -> Sequence[str]:
        raise NotImplementedError(region)


def view(nodes: object, **registry: object) -> RegionView:
    value = changed(
        {
            (*MODEL, "weights"): WEIGHTS,
            (*MODEL, "image"): IMAGE,
            (*MODEL, "parametersB"): 30,
            (*SERVE, "nodes"): nodes,
            ("registry",): registry,
        }
    )
    return RegionView(name="swedencentral", source=FakeSource(), environment=parse_environment(value))


@pytest.mark.parametrize(("nodes", "most", "per_server", "left"), [({"min": 1, "max": 2}, 2, 1, 80), (2, 2, 0, 0)])
def test_a_fixed_pool_rolls_without_a_node_more(nodes: object, most: int, per_server: int, left: int) -> None:
    assert view(nodes).nodes() == [
        Nodes(size=SIZE, ready=1, there=2, most=most, quota_left=left, vcpus=40, per_server=per_server)
    ]


def test_signatures_are_looked_at_where_they_are_asked_for() -> None:
    signing = {"certificates": ["-----BEGIN CERTIFICATE-----\nMII\n"], "identities": ["x509.subject: CN=us"]}
    assert view(2).unsigned("models/chat", "sha256:1") == ""
    assert view(2, signing=signing).unsigned("models/chat", "sha256:1") == (
        "models/chat@sha256:1 by none of x509.subject: CN=us"
    )
    assert view(2).missing("models/chat", "sha256:1") is True
    assert view(2).replica() == "Ready in swedencentral"


def test_the_rest_of_a_stack_file_stays() -> None:
    text = (
        "encryptionsalt: v1:abc\nconfig:\n  azure-native:location: eastus\n  gpufleet:environment: {class: standard}\n"
    )
    after = edited({"class": "production", "since": "2026-12-01"})(text)
    assert StackFile.from_text(after, name="x").environment == {"class": "production", "since": "2026-12-01"}
    assert '"encryptionsalt": "v1:abc"' in after
    assert '"azure-native:location": "eastus"' in after


def test_where_time_takes_no_time_the_clock_runs_ahead() -> None:
    clock = WallClock(0.0)
    before = clock.now()
    clock.sleep(3600)
    assert (clock.now() - before).total_seconds() >= 3600
