"""Nodes of one size divided among the servers that share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Want:
    """What one kind of server asks of the nodes."""

    gpus: int
    """Of one replica: a power of two, or all of its nodes."""
    unit_nodes: int
    """Nodes of one replica; more than one are whole and of one InfiniBand domain."""
    weight: float
    """GPUs that its demand takes; what is above `at_least` is divided in proportion to it."""
    at_least: int = 0
    """Replicas that it gets first."""
    at_most: int | None = None


def divide(domains: Sequence[int], gpus_per_node: int, wants: Sequence[Want]) -> list[int]:
    """Replicas of each kind of server.

    First what each gets at least, in order; then always to the one that has least beside its weight, the first of
    equals, until none fits. So each has one before any has two, and more nodes never take a replica from anybody (a
    highest-averages method: it has no Alabama paradox). Replicas of a power of two of GPUs fill nodes of as many
    without a gap, so within a node it is their sum that counts.

    Args:
        domains: nodes of each agent pool.
        gpus_per_node: GPUs of a node.
        wants: the kinds of servers.
    """
    room = _Room(list(domains), gpus_per_node)
    given = [0 for _ in wants]
    for index, want in enumerate(wants):
        while given[index] < want.at_least and room.take(want):
            given[index] += 1
    left = {index for index, want in enumerate(wants) if want.weight > 0 or want.at_most}
    while left:
        index = min(left, key=lambda one: (_part(wants[one], given[one]), one))
        most = wants[index].at_most
        if (most is not None and given[index] >= most) or not room.take(wants[index]):
            left.discard(index)
        else:
            given[index] += 1
    return given


def _part(want: Want, given: int) -> float:
    if not given:
        return 0.0
    return given * want.gpus / want.weight if want.weight > 0 else float("inf")


class _Room:
    """Free nodes by domain, and the GPUs that replicas within nodes take of them together."""

    def __init__(self, domains: list[int], gpus_per_node: int) -> None:
        self._free = domains
        self._gpus = gpus_per_node
        self._taken = 0

    def take(self, want: Want) -> bool:
        """Room for one replica, or False."""
        if want.unit_nodes == 1:
            fits = self._taken + want.gpus <= sum(self._free) * self._usable(want)
            self._taken += want.gpus if fits else 0
            return fits
        needed = -(-self._taken // self._gpus)
        # The domain with most to spare, so that what is left stays whole as long as it can.
        index = max(range(len(self._free)), key=lambda one: self._free[one], default=None)
        if index is None or self._free[index] < want.unit_nodes or sum(self._free) - want.unit_nodes < needed:
            return False
        self._free[index] -= want.unit_nodes
        return True

    def _usable(self, want: Want) -> int:
        # Of an odd number of GPUs a power of two leaves some idle.
        return self._gpus // want.gpus * want.gpus
