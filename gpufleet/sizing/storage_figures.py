"""The figures behind a fabric's storage."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.sizing import file_system, storage
from gpufleet.sizing.defaults import default
from gpufleet.sizing.explanation import Figure, Input
from gpufleet.sizing.fabric import Job
from gpufleet.sizing.numbers import SizingError
from gpufleet.spec.training import TrainingFabric

_PORTAL = "azure-managed-lustre create-file-system-portal"


def storage_figures(fabric: TrainingFabric, job: Job) -> Iterator[Figure]:
    """Read rate, write rate, capacity, subnet, and whether blob would do."""
    asked = storage.needs(fabric)
    if asked is None:
        return
    workload = job.workload
    if asked.read_bytes_per_s is not None:
        yield _read(job, asked.read_bytes_per_s)
    write = storage.write_rate(job)
    if write is not None:
        yield Figure(
            name="write rate to keep the loss",
            value=write / 1e9,
            unit="GB/s",
            formula="size / longest checkpoint with 1 − useful share ≤ loss",
            source="the useful share solved for C, or for T when checkpoints are asynchronous",
            inputs=(
                Input(
                    name="loss",
                    value=workload.checkpoint.max_loss_percent,
                    unit="%",
                    source="workload.checkpoint.maxLossPercent",
                ),
                Input(name="M", value=job.mtbf_s, unit="s", source="MTBF of the job"),
                job.restart_s,
            ),
        )
    kept = default("storage.checkpoints_kept")
    hold = Input(
        name="hold",
        value=asked.hold_tib,
        unit="TiB",
        source=f"workload.datasetTiB and {kept.value:g} checkpoints of {storage.checkpoint_tib(workload):.3g} TiB",
    )
    rate = Input(
        name="rate",
        value=asked.bytes_per_second / 1e9,
        unit="GB/s",
        source="reads and writes together" if asked.asynchronous else "the larger of reads and writes",
    )
    file = storage.proposed(fabric)
    if file is not None:
        yield Figure(
            name="Lustre capacity",
            value=file.capacity_tib,
            unit=f"TiB of {file.sku}",
            formula="max(hold, rate / (MB/s per TiB)) up to the SKU's step, at least its minimum",
            source=_PORTAL,
            inputs=(hold, rate),
            note="more than is granted without a support request" if file.over_default_maximum else "",
        )
        yield Figure(
            name="Lustre subnet",
            value=f"/{file.subnet_prefix}",
            unit="",
            formula="by capacity, at least a /24",
            source="azure-managed-lustre amlfs-prerequisites",
            inputs=(Input(name="capacity", value=file.capacity_tib, unit="TiB", source="above"),),
        )
    best = _freely_chosen(asked)
    if best is not None and (file is None or best.sku != file.sku):
        yield Figure(
            name="Lustre SKU chosen freely",
            value=f"{best.capacity_tib:g} TiB of {best.sku}",
            unit="",
            formula="the slowest SKU at most a quarter larger than it holds, else the least capacity",
            source=_PORTAL,
            inputs=(hold, rate),
            note="no public source prices Managed Lustre, so price doesn't decide",
        )
    if asked.read_bytes_per_s and write:
        yield _blob(job, asked.read_bytes_per_s, write)


def _freely_chosen(asked: storage.StorageNeeds) -> file_system.FileSystem | None:
    try:
        return storage.chosen(asked)
    except SizingError:
        return None


def _read(job: Job, rate: float) -> Figure:
    workload = job.workload
    if workload.read_mbytes_per_second_per_gpu is not None:
        given = Input(
            name="per GPU",
            value=workload.read_mbytes_per_second_per_gpu,
            unit="MB/s",
            source="workload.readMbytesPerSecondPerGpu",
        )
        formula = "GPUs · per GPU"
        inputs: tuple[Input, ...] = (given, Input(name="GPUs", value=job.gpus, source="the job's"))
    else:
        formula = "dataset · epochs / time · burst"
        inputs = (
            Input(name="dataset", value=workload.dataset_tib, unit="TiB", source="workload.datasetTiB"),
            Input(name="epochs", value=workload.epochs, source="workload.epochs"),
            Input(name="time", value=job.compute_days() or 0.0, unit="days", source="undisturbed computing"),
            default("training.read_burst").as_input("burst"),
        )
    return Figure(
        name="read rate so that GPUs never wait",
        value=rate / 1e9,
        unit="GB/s",
        formula=formula,
        source="volume over time",
        inputs=inputs,
        note="throughput alone: many small files are bound by metadata operations first",
    )


def _blob(job: Job, read: float, write: float) -> Figure:
    node_read, ingress, egress = (
        default(key) for key in ("blob.node_read_gbytes_s", "blob.ingress_gbits_s", "blob.egress_gbits_s")
    )
    nvme = (job.size.local_nvme_gb or 0.0) * default("storage.nvme_share").value
    verdict = file_system.blob_with_cache(
        dataset_tib=job.workload.dataset_tib,
        read_bytes_per_s=read,
        write_bytes_per_s=write,
        nodes=job.nodes,
        nvme_bytes_per_node=nvme * 1e9,
        node_read_bytes_per_s=node_read.value * 1e9,
        ingress_bytes_per_s=ingress.value * 1e9 / 8,
        egress_bytes_per_s=egress.value * 1e9 / 8,
    )
    return Figure(
        name="blob with a cache instead",
        value="would do" if verdict.would_do else "would not do",
        unit="",
        formula="reads ≤ min(nodes · node, egress), or the dataset fits the cache; writes ≤ ingress",
        source="azure-docs storage scalability-targets-standard-account",
        inputs=(
            node_read.as_input("node"),
            ingress.as_input("ingress"),
            egress.as_input("egress"),
            Input(name="cache", value=nvme, unit="GB per node", source=f"{job.size.name}: local NVMe"),
        ),
        note="; ".join(verdict.reasons),
    )
