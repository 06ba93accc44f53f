"""The resource graph of an environment, and where it comes from: see `model`."""

from gpufleet.graph.model import SECRET, UNKNOWN, Graph, Hidden, Node, Value

__all__ = ["SECRET", "UNKNOWN", "Graph", "Hidden", "Node", "Value"]
