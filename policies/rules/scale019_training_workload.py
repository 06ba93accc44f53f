"""SCALE019: a workload that can be sized."""

from __future__ import annotations

from collections.abc import Iterable

from policies.rule import Settings, Severity
from policies.sizing_rule import Fabric, TrainingRule, fabrics
from policies.view import View


class TrainingWorkload(TrainingRule[Settings]):
    """The declared workload has regular GPU nodes whose memory holds the model, at a known rate of training.

    Weights, gradients and the optimiser's state take 18 bytes a parameter in mixed precision, however they are spread
    over the GPUs, and activations come on top. The rate of training decides how long the run lasts and how fast it
    reads: on a GPU that nobody has published one for it has to be measured and stated. A gang does not run on spot
    nodes, so those don't count.
    """

    id = "SCALE019"
    severity = Severity.HIGH
    measure = "missingGb"
    fix = "Use more nodes or a size with more memory"
    source = "ZeRO, arXiv 1910.02054"
    questions = ("workload", "training-rate", "model-state")

    def subjects(self, view: View) -> Iterable[Fabric]:
        """Fabrics with a workload, with or without nodes to run it."""
        return fabrics(view)
