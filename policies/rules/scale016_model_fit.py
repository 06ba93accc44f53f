"""SCALE016: models that fit where they are served."""

from __future__ import annotations

from policies.rule import Settings, Severity
from policies.sizing_rule import ServingRule


class ModelFit(ServingRule[Settings]):
    """Every model fits the nodes of some pool, at a rate that somebody has measured.

    Weights, KV cache and the server's own memory have to fit the GPUs of one node, or of a unit of nodes with
    InfiniBand: a model that fits nowhere is found out when its first pod stays pending on nodes that are paid for. What
    no published or own measurement covers is undecided.
    """

    id = "SCALE016"
    severity = Severity.HIGH
    fix = "Choose a larger size, fewer bytes a weight, less context or concurrency"
    questions = ("model-fit",)
