"""SCALE015: the work that failures cost."""

from __future__ import annotations

from policies.rule import Settings, Severity
from policies.sizing_rule import TrainingRule


class CheckpointLoss(TrainingRule[Settings]):
    """Failures and checkpoints cost no more of the time than the workload allows.

    A gang stops when one of its nodes does: at the 3.79 interruptions for 1,000 node-days of Llama 3 405B, 64 nodes of
    8 GPUs stop every 99 hours and 2,048 every 3. What is lost then is the work since the last checkpoint and the
    restart; what checkpoints cost is the time that they hold up the job. Both together are least at one interval
    (Young, Daly), which the speed of the file system and the size of the model decide.
    """

    id = "SCALE015"
    severity = Severity.HIGH
    measure = "lostPercent"
    fix = "Write checkpoints faster or asynchronously, restart faster, or allow more in checkpoint.maxLossPercent"
    source = "The Llama 3 Herd of Models, arXiv 2407.21783; Young 1974, Daly 2006"
    questions = ("checkpoint-loss",)
