"""SCALE013: storage that keeps up with the GPUs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rule import Objection, Settings, Severity
from policies.sizing_rule import Fabric, TrainingRule, objections
from policies.view import View


class StorageFeedsGpus(TrainingRule[Settings]):
    """The file system is as fast as the GPUs read, and as checkpoints that are written beside the reading.

    GPUs that wait for data are paid for and idle: a loader that is 10 % too slow costs 10 % of the fabric. What they
    read is the dataset times its epochs over the length of the run, or what was measured; checkpoints add to it when
    they are written behind the computing. A Managed Lustre file system gives 40 to 500 MB/s a TiB, by its SKU.
    """

    id = "SCALE013"
    severity = Severity.HIGH
    measure = "missingMbytesPerSecond"
    fix = "Leave the capacity out to have it derived, or choose a faster SKU"
    source = "azure-managed-lustre create-file-system-portal"
    questions = ("gpus-starved", "storage-throughput")

    def subjects(self, view: View) -> Iterable[Fabric]:
        """Fabrics with a workload and a file system."""
        return [one for one in super().subjects(view) if one.declared.storage.lustre is not None]

    def judge(self, subject: Fabric, view: View, settings: Settings) -> Iterator[Objection]:
        """Whether the file system keeps up; nobody can tell without a rate of training or of reading."""
        yield from super().judge(subject, view, settings)
        stated = subject.workload.read_mbytes_per_second_per_gpu is not None
        for found in objections(view, subject):
            if found.rule == "training-rate" and not stated:
                yield Objection(
                    message="how fast the GPUs read is not known, for the length of the run isn't",
                    fix="State workload.tflopsPerGpu, or readMbytesPerSecondPerGpu as measured",
                    at=found.path,
                    decided=False,
                )
