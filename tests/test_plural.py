"""Numbers of things."""

from __future__ import annotations

from gpufleet.plural import plural


def test_plural() -> None:
    assert (plural(0, "node"), plural(1, "node"), plural(1200, "node")) == ("0 nodes", "1 node", "1,200 nodes")
