"""What a fabric asks of its storage, and the Managed Lustre file system that gives it."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.catalog import lustre as catalog_lustre
from gpufleet.sizing import checkpoint, file_system, training
from gpufleet.sizing.defaults import default
from gpufleet.sizing.fabric import Job, job
from gpufleet.sizing.numbers import SizingError
from gpufleet.spec.storage import LustreSku
from gpufleet.spec.training import TrainingFabric, Workload

_TIB = 2**40


@dataclass(frozen=True, kw_only=True)
class StorageNeeds:
    """What the file system must hold and how fast it must be."""

    hold_tib: float
    """Dataset and the checkpoints that are kept."""
    read_bytes_per_s: float | None
    """So that GPUs never wait; None when the length of the run isn't known."""
    write_bytes_per_s: float | None
    """So that checkpoints and failures together stay within the declared loss; None when no speed would do."""

    asynchronous: bool
    """Checkpoints are written while the job reads, so the rates add up."""

    @property
    def bytes_per_second(self) -> float:
        """What the file system must give at once; an unknown part counts as nothing."""
        read, write = self.read_bytes_per_s or 0.0, self.write_bytes_per_s or 0.0
        return read + write if self.asynchronous else max(read, write)


def checkpoint_bytes(workload: Workload) -> float:
    """Size of one full checkpoint in bytes."""
    return checkpoint.size_bytes(workload.parameters_b, workload.checkpoint.bytes_per_parameter)


def checkpoint_tib(workload: Workload) -> float:
    """Size of one full checkpoint in TiB."""
    return checkpoint_bytes(workload) / _TIB


def needs(fabric: TrainingFabric) -> StorageNeeds | None:
    """What a fabric's workload asks of storage; None without a workload."""
    workload = fabric.workload
    if workload is None:
        return None
    found = job(fabric)
    kept = default("storage.checkpoints_kept").value
    return StorageNeeds(
        hold_tib=workload.dataset_tib + kept * checkpoint_tib(workload),
        read_bytes_per_s=_carried(found, read_rate(found)) if found else None,
        write_bytes_per_s=_carried(found, write_rate(found)) if found else None,
        asynchronous=workload.checkpoint.stall_seconds is not None,
    )


def _carried(job_: Job, rate: float | None) -> float | None:
    """A rate as far as the nodes' front-end networks carry it: a faster file system would be for nothing."""
    return None if rate is None else min(rate, job_.nodes * job_.nic_bytes_per_s)


def read_rate(job_: Job) -> float | None:
    """Bytes a second that the job reads at its fastest; None without a rate to tell the length of the run."""
    workload = job_.workload
    if workload.read_mbytes_per_second_per_gpu is not None:
        return workload.read_mbytes_per_second_per_gpu * 1e6 * job_.gpus
    days = job_.compute_days()
    if days is None:
        return None
    burst = default("training.read_burst").value
    return training.read_bytes_per_second(workload.dataset_tib * _TIB, workload.epochs, days, burst)


def write_rate(job_: Job) -> float | None:
    """Bytes a second at which checkpoints must be written to keep the declared loss; None when no speed would do."""
    settings = job_.workload.checkpoint
    loss, restart = settings.max_loss_percent / 100, float(job_.restart_s.value)
    if settings.stall_seconds is not None:
        time = checkpoint.longest_interval_seconds(loss, settings.stall_seconds, job_.mtbf_s, restart)
    else:
        time = checkpoint.longest_write_seconds(loss, job_.mtbf_s, restart)
    return None if time is None else checkpoint_bytes(job_.workload) / time


def lustre(fabric: TrainingFabric, sku: LustreSku) -> file_system.FileSystem | None:
    """The smallest file system of a SKU that carries the fabric's workload; None without a workload.

    It may exceed what Azure offers of the SKU: the checks of the specification and the rules object to that.
    """
    wanted = needs(fabric)
    if wanted is None:
        return None
    return file_system.of_sku(sku.value, hold_tib=wanted.hold_tib, bytes_per_second=wanted.bytes_per_second)


def planned_lustre_tib(fabric: TrainingFabric) -> float | None:
    """The fabric's Lustre capacity in TiB, stated or derived; None without one or anything to derive it from."""
    wanted = fabric.storage.lustre
    if wanted is None:
        return None
    if wanted.capacity_tib is not None:
        return wanted.capacity_tib
    found = lustre(fabric, wanted.sku)
    return found.capacity_tib if found else None


def planned_bytes_per_second(fabric: TrainingFabric) -> float:
    """Throughput of what checkpoints are written to: the planned file system, else one storage account's ingress."""
    wanted, capacity = fabric.storage.lustre, planned_lustre_tib(fabric)
    if wanted is None or capacity is None:
        return default("blob.ingress_gbits_s").value * 1e9 / 8
    return capacity * catalog_lustre.get(wanted.sku.value).mbytes_per_s_per_tib * 1e6


def too_small(fabric: TrainingFabric) -> bool:
    """Whether the declared file system can't hold, isn't fast enough, or can't be bought in the size that it needs."""
    wanted, asked, capacity = fabric.storage.lustre, needs(fabric), planned_lustre_tib(fabric)
    if wanted is None or asked is None or capacity is None:
        return False
    slow = planned_bytes_per_second(fabric) < asked.bytes_per_second * (1 - 1e-9)
    most = catalog_lustre.get(wanted.sku.value).max_tib_documented
    return slow or capacity < asked.hold_tib or capacity > most


def proposed(fabric: TrainingFabric) -> file_system.FileSystem | None:
    """The file system to take: the declared SKU where that can carry the workload, else the best other one.

    None without a workload, or when none is large enough.
    """
    wanted, asked = fabric.storage.lustre, needs(fabric)
    if asked is None:
        return None
    if wanted is not None:
        same = file_system.of_sku(wanted.sku.value, hold_tib=asked.hold_tib, bytes_per_second=asked.bytes_per_second)
        if not same.over_documented_maximum:
            return same
    try:
        return chosen(asked)
    except SizingError:
        return None


def chosen(asked: StorageNeeds) -> file_system.FileSystem:
    """The SKU and capacity that serve these needs best, whatever is declared. Raises SizingError when none can."""
    spare = default("storage.spare_share").value
    return file_system.choose(hold_tib=asked.hold_tib, bytes_per_second=asked.bytes_per_second, spare_share=spare)
